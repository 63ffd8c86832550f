/**
 * One declaration of a user field and everything derived from it: what registration and the user endpoint accept and
 * return, the TypeScript type, and the kind of its column.
 */
import { OptionalKind, Type, type Static, type TOptional, type TSchema } from '@sinclair/typebox'
import { Normalize, WhenBlank } from './common.js'
import type { JsonSchema } from './json-schema.js'
import type { Typed } from './options/typed.js'
import type { UserFieldOptions } from './options/types.js'
import { plainSchema, type ColumnKind } from './user-field-kinds.js'
import { withoutLimits } from './without-limits.js'

export type { ColumnKind } from './user-field-kinds.js'

/** The declaration of a user field. */
export interface UserField<S extends TSchema = TSchema> extends Typed<UserFieldOptions, {
  schema: S
  normalize: (value: any) => unknown
  compute: (user: any) => unknown
}> {}
export type UserFields = Record<string, UserField>

export type IsComputed = Required<Pick<UserField, 'compute'>>
/** The fields with a column. */
export type StoredFields<F extends UserFields> = {
  [K in keyof F as F[K] extends { stored: false } | IsComputed ? never : K]: F[K]
}

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

declare const declaration: unique symbol
/** The stored fields of a declaration, which their type remembers. */
export type FieldSpecs<F extends UserFields = {}> = readonly FieldSpec[] & { readonly [declaration]?: F }
/** What a column of each stored field holds; `null`, too, until the user provides a value. */
export type ColumnValues<F extends UserFields> = {
  -readonly [K in keyof StoredFields<F>]: Static<StoredFields<F>[K]['schema']>
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
