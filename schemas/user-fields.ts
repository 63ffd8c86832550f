/**
 * One declaration of a user field and everything derived from it: what registration and the user endpoint accept and
 * return, the TypeScript type, and the kind of its column.
 */
import { Kind, OptionalKind, Type, type Static, type TOptional, type TSchema } from '@sinclair/typebox'
import { WhenBlank } from './common.js'
import type { JsonSchema } from './json-schema.js'
import { readSchema } from './user-field-schema.js'
import { withoutLimits } from './without-limits.js'

export interface UserField<S extends TSchema = TSchema> {
  /** TypeBox: a string, integer, number, boolean, literals of one of these, object, array, or a union of objects. */
  schema: S
  /** Whether registration includes the field. Default `required`, or `optional` for a `Type.Optional` schema. */
  registration?: 'required' | 'optional' | 'hidden'
  /** What users may do with their own value at `/user`. Default `editable`. */
  userDetails?: 'editable' | 'read-only' | 'hidden'
  /** No two users may have the same value (a unique index). Default false. */
  unique?: boolean
  /** Name of the database column. Default: the name of the field. */
  column?: string
}
export type UserFields = Record<string, UserField>

type MayBeEmpty<F extends UserField> =
  F['schema'] extends TOptional<TSchema> ? true : F['registration'] extends 'optional' | 'hidden' ? true : false
/** The TypeScript type of a field's value; includes `null` unless registration requires the field. */
export type FieldValue<F extends UserField> =
  MayBeEmpty<F> extends true ? Static<F['schema']> | null : Static<F['schema']>

export type ColumnKind = 'text' | 'integer' | 'real' | 'boolean' | 'json'

/** A declaration with every default filled in. */
export interface FieldSpec {
  name: string
  column: string
  kind: ColumnKind
  /** The literals a column of text or numbers is limited to by CHECK. */
  choices?: ReadonlyArray<string | number>
  unique: boolean
  registration: 'required' | 'optional' | 'hidden'
  userDetails: 'editable' | 'read-only' | 'hidden'
  required: boolean
  /** The schema of the value in request bodies. */
  input: TSchema
  /**
   * The schema of the value in responses: `null` until the user provides it, and without the limits of `input`, which
   * values from before a limit may break.
   */
  output: TSchema
  default: unknown
}

/** As in Django: two names that users may fill in later. */
export const defaultUserFields = {
  first_name: {
    schema: Type.Optional(Type.String({ maxLength: 150, default: '', examples: ['Alice'] })),
    registration: 'hidden'
  },
  last_name: {
    schema: Type.Optional(Type.String({ maxLength: 150, default: '', examples: ['Archer'] })),
    registration: 'hidden'
  }
} as const satisfies UserFields

const kinds: Record<string, ColumnKind> = {
  string: 'text', integer: 'integer', number: 'real', boolean: 'boolean', object: 'json', array: 'json'
}

/** Resolves a declaration; throws an Error that says what to change if the schema fits no column. */
export function describeField (name: string, field: UserField): FieldSpec {
  const optional = field.schema[OptionalKind] === 'Optional'
  const registration = field.registration ?? (optional ? 'optional' : 'required')
  const required = registration === 'required'
  const { kind, ...plain } = plainSchema(name, field.schema, required)
  const choices = plain.enum?.filter(isChoice)
  const nullable = Type.Unsafe(nullableOf(plain))
  return {
    name,
    column: field.column ?? name,
    kind,
    ...(choices && choices.length > 0 && { choices }),
    unique: field.unique ?? false,
    registration,
    userDetails: field.userDetails ?? 'editable',
    required,
    // Two users may both have no value, but not both the value ''.
    input: required ? Type.Unsafe(plain) : Type.Unsafe({ ...nullable, ...(field.unique && { [WhenBlank]: 'null' }) }),
    output: Type.Unsafe(withoutLimits(nullable)),
    default: field.schema.default
  }
}

const isChoice = (value: unknown) => typeof value === 'string' || typeof value === 'number'

const nullableOf = ({ type, anyOf, ...plain }: JsonSchema): JsonSchema => ({
  ...plain,
  ...(type !== undefined && { type: [type, 'null'].flat() }),
  ...(anyOf && { anyOf: [...anyOf, { type: 'null' }] }),
  ...(plain.enum && { enum: [...plain.enum, null] })
})

/** Limits values to what the column holds, gives an example, and refuses a blank required string (as in Django). */
function plainSchema (name: string, schema: TSchema, required: boolean): JsonSchema & { kind: ColumnKind } {
  const path = `userFields.${name}.schema`
  const plain = schema.type === undefined || kinds[schema.type] ? readSchema(withoutDefault(schema), path) : {}
  const kind = kindOf(plain)
  if (!kind) {
    throw new Error(
      `${path}: use Type.String, Integer, Number, Boolean, Object, Array, Literals of one type or a Union of Objects ` +
      `(${schema[Kind] ?? 'this'} has no column)`
    )
  }
  const examples = plain.enum ? plain.enum.slice(0, 1) : exampleOf(kind, plain)
  return {
    ...(examples && { examples }),
    ...(kind === 'text' && required && !plain.enum && { minLength: 1 }),
    ...plain,
    ...(kind === 'integer' && !plain.enum && withinSafeIntegers(plain)),
    kind
  }
}

const withoutDefault = ({ default: _default, ...schema }: TSchema): TSchema => schema as TSchema

function kindOf ({ type, anyOf }: JsonSchema): ColumnKind | undefined {
  if (type !== undefined || !anyOf) return kinds[String(type)]
  return anyOf.every(option => kindOf(option) === 'json') ? 'json' : undefined
}

// JavaScript represents only these exactly, and the column holds no others.
const withinSafeIntegers = ({ minimum = -Infinity, maximum = Infinity }: JsonSchema) => ({
  minimum: Math.max(Number(minimum), Number.MIN_SAFE_INTEGER),
  maximum: Math.min(Number(maximum), Number.MAX_SAFE_INTEGER)
})

/** A value to try the route with, unless a pattern or format makes one impossible to guess. */
function exampleOf (kind: ColumnKind, { pattern, format, minimum, minLength = 0, maxLength = 255 }: JsonSchema) {
  if (kind === 'boolean') return [true]
  if (kind === 'integer' && minimum !== undefined) return [minimum]
  const isFree = kind === 'text' && !pattern && !format && Number(minLength) <= 7
  return isFree ? ['example'.slice(0, Number(maxLength))] : undefined
}
