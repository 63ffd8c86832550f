/**
 * One declaration of a user field and everything derived from it: what registration and the user endpoint accept and
 * return, the TypeScript type, and the kind of its column.
 */
import { OptionalKind, Type, type Static, type TOptional, type TSchema } from '@sinclair/typebox'
import { Normalize, WhenBlank } from './common.js'
import type { JsonSchema } from './json-schema.js'
import { plainSchema, type ColumnKind } from './user-field-kinds.js'
import { withoutLimits } from './without-limits.js'

export type { ColumnKind } from './user-field-kinds.js'

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
  /** Gives a value the form that is validated, compared and stored. An error that it throws refuses the value. */
  normalize?: (value: any) => unknown
  /** False: registration asks for the value and passes it to `hooks.registering`, but it is not stored. */
  stored?: boolean
  /** Computes the value for each response that shows the user, from the stored user. It has no column. */
  compute?: (user: any) => unknown
  /** Whether a computed value is in `request.user`, too. Default false. */
  eager?: boolean
}
export type UserFields = Record<string, UserField>

type MayBeEmpty<F extends UserField> =
  F['schema'] extends TOptional<TSchema> ? true : F['registration'] extends 'optional' | 'hidden' ? true : false
/** The TypeScript type of a field's value; includes `null` unless registration requires the field. */
export type FieldValue<F extends UserField> =
  MayBeEmpty<F> extends true ? Static<F['schema']> | null : Static<F['schema']>

/** What a request may contain for a field. */
export interface FieldInput {
  name: string
  registration: 'required' | 'optional' | 'hidden'
  /** Whether registration must include the field. */
  required: boolean
  /** The schema of the value in request bodies. */
  input: TSchema
  default: unknown
}

/** The declaration of a stored field, with every default filled in. */
export interface FieldSpec extends FieldInput {
  column: string
  kind: ColumnKind
  /** The literals a column of text or numbers is limited to by CHECK. */
  choices?: ReadonlyArray<string | number>
  unique: boolean
  userDetails: 'editable' | 'read-only' | 'hidden'
  /**
   * The schema of the value in responses: `null` until the user provides it, and without the limits of `input`, which
   * values from before a limit may break.
   */
  output: TSchema
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

/** Resolves the declaration of a stored field; throws an Error that says what to change if it fits no column. */
export function describeField (name: string, field: UserField): FieldSpec {
  const { kind, plain, ...given } = describeInput(name, field)
  const choices = plain.enum?.filter(isChoice)
  return {
    ...given,
    column: field.column ?? name,
    kind,
    ...(choices && choices.length > 0 && { choices }),
    unique: field.unique ?? false,
    userDetails: field.userDetails ?? 'editable',
    output: Type.Unsafe(withoutLimits(nullableOf(plain)))
  }
}

interface DescribedInput extends FieldInput { kind: ColumnKind, plain: JsonSchema }

/** What requests may contain for a field, with its kind and its schema as plain JSON. */
export function describeInput (name: string, { schema, unique, normalize, ...field }: UserField): DescribedInput {
  const registration = field.registration ?? (isOptional(schema) ? 'optional' : 'required')
  const isNullable = registration !== 'required'
  const required = !isNullable && schema.default === undefined
  const { kind, ...plain } = plainSchema(name, schema, { required })
  return {
    name,
    kind,
    plain,
    registration,
    required,
    input: Type.Unsafe({
      ...(isNullable ? nullableOf(plain) : plain),
      // Two users may both have no value, but not both the value ''.
      ...(isNullable && unique && { [WhenBlank]: 'null' }),
      ...(normalize && { [Normalize]: normalize })
    }),
    default: schema.default
  }
}

export const isOptional = (schema: TSchema): boolean => schema[OptionalKind] === 'Optional'

const isChoice = (value: unknown) => typeof value === 'string' || typeof value === 'number'

/** The same schema, also accepting null. */
export const nullableOf = ({ type, anyOf, ...plain }: JsonSchema): JsonSchema => ({
  ...plain,
  ...(type !== undefined && { type: [type, 'null'].flat() }),
  ...(anyOf && { anyOf: [...anyOf, { type: 'null' }] }),
  ...(plain.enum && { enum: [...plain.enum, null] })
})
