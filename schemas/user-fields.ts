/**
 * One declaration of a user field and all that follows from it: what registration and the user endpoint
 * accept, what they answer, the TypeScript type, and the kind of column it is stored in.
 */
import { Kind, OptionalKind, Type, type Static, type TOptional, type TSchema } from '@sinclair/typebox'

export interface UserField<S extends TSchema = TSchema> {
  /** TypeBox: a string, integer, number, boolean, union of string literals, object or array. */
  schema: S
  /** Whether registration asks for it. Default `required`, or `optional` for a `Type.Optional` schema. */
  registration?: 'required' | 'optional' | 'hidden'
  /** What its owner may do with it at `/user`. Default `editable`. */
  userDetails?: 'editable' | 'read-only' | 'hidden'
  /** No two users share a value: a unique index. */
  unique?: boolean
  /** The column's name, where it should differ from the field's. */
  column?: string
}
export type UserFields = Record<string, UserField>

type MayBeEmpty<F extends UserField> =
  F['schema'] extends TOptional<TSchema> ? true : F['registration'] extends 'optional' | 'hidden' ? true : false
/** The TypeScript type of one field's value; `null` where registration does not insist on it. */
export type FieldValue<F extends UserField> =
  MayBeEmpty<F> extends true ? Static<F['schema']> | null : Static<F['schema']>

export type ColumnKind = 'text' | 'integer' | 'real' | 'boolean' | 'json'

/** A declaration, worked out: every default filled in. */
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
  /** What a body may hold. */
  input: TSchema
  /** What an answer holds: `null` for a user who has not given it yet. */
  output: TSchema
  default: unknown
}

/** Whether a user may turn out to lack it: one who was made by a provider that can't give it. */
export const mayBeMissing = (field: FieldSpec): boolean => field.required && field.default === undefined

/** Whether its owner gives it where it is missing, and never again. */
export const isWriteOnce = (field: FieldSpec): boolean => mayBeMissing(field) && field.userDetails !== 'editable'

/** As in Django: two names that their owner may fill in later. */
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

/** Works a declaration out; throws an Error that says what to change when the schema fits no column. */
export function describeField (name: string, field: UserField): FieldSpec {
  const optional = field.schema[OptionalKind] === 'Optional'
  const choices = choicesOf(field.schema)
  const kind = choices ? 'text' : kinds[String(field.schema.type)]
  if (!kind) {
    throw new Error(
      `userFields.${name}.schema: use Type.String, Integer, Number, Boolean, Object, Array or a Union of string Literals (${field.schema[Kind] ?? 'this'} has no column)`
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
    input: required ? plain : Type.Unsafe(nullable),
    output: Type.Unsafe(nullable),
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

/** Without TypeBox's own marks; every string bounded, and a required one not blank (as in Django). */
function plainSchema (schema: TSchema, choices: string[] | undefined, kind: ColumnKind, required: boolean): TSchema {
  const {
    anyOf: _anyOf,
    const: _const,
    default: _default,
    ...rest
  } = JSON.parse(JSON.stringify(schema)) as Record<string, unknown>
  if (choices) return Type.Unsafe({ examples: [choices[0]], ...rest, type: 'string', enum: choices })
  // What JavaScript counts exactly, which is also what the column holds.
  if (kind === 'integer') return Type.Unsafe(withinSafeIntegers(rest))
  if (kind === 'boolean') return Type.Unsafe({ examples: [true], ...rest })
  if (kind !== 'text') return Type.Unsafe(closed(rest))
  return Type.Unsafe({ maxLength: 255, ...(required && { minLength: 1 }), ...exampleOfText(rest), ...rest })
}

/** An object takes no keys that it does not name: they would be stored, and never answered. */
function closed (schema: Record<string, unknown>): Record<string, unknown> {
  const properties = Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, closed(inner)])
  return {
    ...(schema.properties !== undefined && { additionalProperties: false }),
    ...schema,
    ...(properties.length > 0 && { properties: Object.fromEntries(properties) }),
    ...(schema.items !== undefined && { items: closed(schema.items as Record<string, unknown>) })
  }
}

const withinSafeIntegers = ({ minimum = -Infinity, maximum = Infinity, ...rest }: Record<string, unknown>) => ({
  ...(isFinite(Number(minimum)) && { examples: [minimum] }),
  ...rest,
  minimum: Math.max(Number(minimum), Number.MIN_SAFE_INTEGER),
  maximum: Math.min(Number(maximum), Number.MAX_SAFE_INTEGER)
})

/** Something to try the route with; what a pattern or a format asks for, only the app can tell. */
const exampleOfText = ({ pattern, format, minLength = 0, maxLength = 255 }: Record<string, unknown>) =>
  pattern || format || Number(minLength) > 7 ? {} : { examples: ['example'.slice(0, Number(maxLength))] }
