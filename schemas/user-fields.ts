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
}
export type UserFields = Record<string, UserField>

type MayBeEmpty<F extends UserField> =
  F['schema'] extends TOptional<TSchema> ? true : F['registration'] extends 'optional' | 'hidden' ? true : false
/** The TypeScript type of a field's value; includes `null` unless registration requires the field. */
export type FieldValue<F extends UserField> =
  MayBeEmpty<F> extends true ? Static<F['schema']> | null : Static<F['schema']>

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
  /** Whether registration must include the field. */
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

/** Resolves a declaration; throws an Error that says what to change if the schema fits no column. */
export function describeField (name: string, { normalize, ...field }: UserField): FieldSpec {
  const optional = field.schema[OptionalKind] === 'Optional'
  const registration = field.registration ?? (optional ? 'optional' : 'required')
  const isNullable = registration !== 'required'
  const required = !isNullable && field.schema.default === undefined
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
    input: Type.Unsafe({
      ...(isNullable ? nullable : plain),
      // Two users may both have no value, but not both the value ''.
      ...(isNullable && field.unique && { [WhenBlank]: 'null' }),
      ...(normalize && { [Normalize]: normalize })
    }),
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
