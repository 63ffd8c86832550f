/** The kinds of columns that user fields have, and the schema of a value that the column of its kind can hold. */
import { Kind, type TSchema } from '@sinclair/typebox'
import { exampleOf } from './examples.js'
import type { JsonSchema } from './json-schema.js'
import { readSchema } from './user-field-schema.js'

export type ColumnKind = 'text' | 'decimal' | 'integer' | 'real' | 'boolean' | 'json'

/** Digits with at most one point, as in SQL: no plus, no exponent, no superfluous zero in front, no negative zero. */
export const decimalPattern = '^(?!-0(\\.0*)?$)-?(0|[1-9][0-9]*)(\\.[0-9]+)?$'

const kinds: Record<string, ColumnKind> = {
  string: 'text', integer: 'integer', number: 'real', boolean: 'boolean', object: 'json', array: 'json'
}

interface PlainOptions {
  required: boolean
  /** False for values that no client sends: their strings need no limit. */
  limitsStrings?: boolean
}

/** Limits values to what the column holds, gives an example, and refuses a blank required string (as in Django). */
export function plainSchema (
  name: string, schema: TSchema, { required, limitsStrings = true }: PlainOptions
): JsonSchema & { kind: ColumnKind } {
  const path = `userFields.${name}.schema`
  const isKnown = schema.type === undefined || kinds[schema.type]
  const plain = isKnown ? readSchema(schema, path, limitsStrings) : {}
  const kind = plain.format === 'decimal' ? 'decimal' : kindOf(plain)
  if (!kind) {
    throw new Error(
      `${path}: use Type.String, Integer, Number, Boolean, Object, Array, Literals of one type or a Union of Objects ` +
      `(${schema[Kind] ?? 'this'} is none of these)`
    )
  }
  const example = exampleOf(plain)
  return {
    ...(example !== undefined && { examples: [example] }),
    ...(kind === 'text' && required && !plain.enum && { minLength: 1 }),
    ...(kind === 'decimal' && { pattern: decimalPattern }),
    ...plain,
    ...(kind === 'integer' && !plain.enum && withinSafeIntegers(plain)),
    kind
  }
}

function kindOf ({ type, anyOf }: JsonSchema): ColumnKind | undefined {
  if (type !== undefined || !anyOf) return kinds[String(type)]
  return anyOf.every(option => kindOf(option) === 'json') ? 'json' : undefined
}

// JavaScript represents only these exactly, and the column holds no others.
const withinSafeIntegers = ({ minimum = -Infinity, maximum = Infinity }: JsonSchema) => ({
  minimum: Math.max(Number(minimum), Number.MIN_SAFE_INTEGER),
  maximum: Math.min(Number(maximum), Number.MAX_SAFE_INTEGER)
})
