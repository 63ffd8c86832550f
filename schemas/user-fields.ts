/**
 * One declaration of a user field and everything derived from it: what registration and the user endpoint accept and
 * return, the TypeScript type, and the kind of its column.
 */
import { Kind, OptionalKind, Type, type Static, type TOptional, type TSchema } from '@sinclair/typebox'
import { WhenBlank } from './common.js'
import { withoutLimits } from './without-limits.js'

export interface UserField<S extends TSchema = TSchema> {
  /** TypeBox: a string, integer, number, boolean, union of string literals, object or array. */
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
  /** The literals a text column is limited to by CHECK. */
  choices?: readonly string[]
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
  const choices = choicesOf(field.schema)
  const kind = choices ? 'text' : kinds[String(field.schema.type)]
  if (!kind) {
    throw new Error(
      `userFields.${name}.schema: use Type.String, Integer, Number, Boolean, Object, Array or a Union of string ` +
      `Literals (${field.schema[Kind] ?? 'this'} has no column)`
    )
  }
  const registration = field.registration ?? (optional ? 'optional' : 'required')
  const required = registration === 'required'
  const plain = plainSchema(field.schema, choices, kind, required)
  const nullable = { ...plain, type: [plain.type, 'null'], ...(choices && { enum: [...choices, null] }) }
  return {
    name,
    column: field.column ?? name,
    kind,
    ...(choices && { choices }),
    unique: field.unique ?? false,
    registration,
    userDetails: field.userDetails ?? 'editable',
    required,
    // Two users may both have no value, but not both the value ''.
    input: required ? plain : Type.Unsafe({ ...nullable, ...(field.unique && { [WhenBlank]: 'null' }) }),
    output: Type.Unsafe(withoutLimits(nullable)),
    default: field.schema.default
  }
}

function choicesOf (schema: TSchema): string[] | undefined {
  const values: unknown[] =
    schema.enum ??
    schema.anyOf?.map((option: TSchema) => option.const) ??
    (schema.const !== undefined ? [schema.const] : [])
  return values.length > 0 && values.every(value => typeof value === 'string') ? values : undefined
}

interface JsonSchema { properties?: Record<string, JsonSchema>, items?: JsonSchema, [keyword: string]: unknown }

/** Drops TypeBox's own keywords, limits the length of strings, and refuses a blank required one (as in Django). */
function plainSchema (schema: TSchema, choices: string[] | undefined, kind: ColumnKind, required: boolean): TSchema {
  const plain: JsonSchema = JSON.parse(JSON.stringify(schema))
  const { anyOf: _anyOf, const: _const, default: _default, ...rest } = plain
  if (choices) return Type.Unsafe({ examples: [choices[0]], ...rest, type: 'string', enum: choices })
  // JavaScript represents only these exactly, and the column holds no others.
  if (kind === 'integer') return Type.Unsafe(withinSafeIntegers(rest))
  if (kind === 'boolean') return Type.Unsafe({ examples: [true], ...rest })
  if (kind !== 'text') return Type.Unsafe(withoutExtraKeys(rest))
  return Type.Unsafe({ maxLength: 255, ...(required && { minLength: 1 }), ...exampleOfText(rest), ...rest })
}

/** Forbids keys that an object does not declare: they would be stored, but never returned. */
function withoutExtraKeys (schema: JsonSchema): JsonSchema {
  const properties = Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, withoutExtraKeys(inner)])
  return {
    ...(schema.properties !== undefined && { additionalProperties: false }),
    ...schema,
    ...(properties.length > 0 && { properties: Object.fromEntries(properties) }),
    ...(schema.items !== undefined && { items: withoutExtraKeys(schema.items) })
  }
}

const withinSafeIntegers = ({ minimum = -Infinity, maximum = Infinity, ...rest }: Record<string, unknown>) => ({
  ...(isFinite(Number(minimum)) && { examples: [minimum] }),
  ...rest,
  minimum: Math.max(Number(minimum), Number.MIN_SAFE_INTEGER),
  maximum: Math.min(Number(maximum), Number.MAX_SAFE_INTEGER)
})

/** A value to try the route with, unless a pattern or format makes one impossible to guess. */
const exampleOfText = ({ pattern, format, minLength = 0, maxLength = 255 }: Record<string, unknown>) =>
  pattern || format || Number(minLength) > 7 ? {} : { examples: ['example'.slice(0, Number(maxLength))] }
