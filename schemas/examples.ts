/** Examples of whole values, put together from those of their parts. */
import type { JsonSchema } from './json-schema.js'

/** The component that a `$ref` names. */
export type FindComponent = (reference: string) => JsonSchema | undefined

/** A valid value; undefined if a required part has no example. Has only those optional parts that declare one. */
export function exampleOf (schema: JsonSchema, find: FindComponent = () => undefined): unknown {
  const { $ref: reference, examples, enum: choices, anyOf, properties, items } = schema
  if (typeof reference === 'string') return exampleOf(find(reference) ?? {}, find)
  if (Array.isArray(examples)) return examples[0]
  if (choices) return choices[0]
  if (anyOf?.[0]) return exampleOf(anyOf[0], find)
  if (properties) return exampleOfObject(schema, find)
  if (typeof items !== 'object' || Array.isArray(items)) return guess(schema)
  const item = exampleOf(items, find)
  return item === undefined || Number(schema.minItems ?? 1) > 1 ? undefined : [item]
}

function exampleOfObject (schema: JsonSchema, find: FindComponent): unknown {
  const { properties = {}, required = [], minProperties, dependentRequired } = schema
  if (minProperties !== undefined || dependentRequired !== undefined) return undefined
  const shown = Object.entries(properties).filter(([name, { examples }]) =>
    examples !== undefined || [required].flat().includes(name))
  const values = shown.map(([name, part]) => [name, exampleOf(part, find)] as const)
  return values.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(values)
}

/** A value of a plain type, unless a pattern or format makes one impossible to guess. */
function guess (schema: JsonSchema): unknown {
  const { pattern, format, minLength = 0, maxLength = 255 } = schema
  const [type] = [schema.type].flat()
  if (type === 'boolean') return true
  if (type === 'integer' || type === 'number') return guessNumber(schema)
  if (type !== 'string') return undefined
  if (format === 'decimal') return '19.99'.slice(0, Number(maxLength))
  return pattern || format || Number(minLength) > 7 ? undefined : 'example'.slice(0, Number(maxLength))
}

function guessNumber ({ minimum = -Infinity, maximum = Infinity, ...rest }: JsonSchema): number | undefined {
  if ('exclusiveMinimum' in rest || 'exclusiveMaximum' in rest || 'multipleOf' in rest) return undefined
  return Math.max(Number(minimum), Math.min(Number(maximum), 1))
}
