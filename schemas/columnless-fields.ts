/** User fields without a column: those that only registration asks for, and those that are computed for responses. */
import { Type, type Static, type TOptional, type TSchema } from '@sinclair/typebox'
import { plainSchema } from './user-field-kinds.js'
import {
  describeField, describeInput, isOptional, nullableOf, type FieldInput, type FieldSpec, type FieldSpecs,
  type UserField, type UserFields
} from './user-fields.js'

/** The type of a computed value; an optional one may be missing, and is then `null` in responses. */
export type ComputedValue<F extends UserField> =
  F['schema'] extends TOptional<TSchema> ? Static<F['schema']> | null : Static<F['schema']>

/** The declaration of a computed field. */
export interface ComputedField {
  name: string
  /** The schema of the value in responses. */
  output: TSchema
  compute: (user: any) => unknown
  /** Whether the value is in `request.user`, too. */
  eager: boolean
}

/** All fields of an app, by whether they have a column. */
export interface DescribedFields {
  fields: FieldSpec[]
  /** Asked for at registration, and not stored. */
  unstoredFields: FieldInput[]
  computedFields: ComputedField[]
}

/** Resolves declarations; throws an Error that says what to change if a schema can't be used. */
export function describeFields<const F extends UserFields> (
  userFields: F
): DescribedFields & { fields: FieldSpecs<F> } {
  const described: DescribedFields = { fields: [], unstoredFields: [], computedFields: [] }
  for (const [name, field] of Object.entries(userFields)) {
    if (field.compute) described.computedFields.push(describeComputed(name, field, field.compute))
    else if (field.stored === false) described.unstoredFields.push(describeUnstored(name, field))
    else described.fields.push(describeField(name, field))
  }
  return described
}

function describeUnstored (name: string, field: UserField): FieldInput {
  const { kind: _kind, plain: _plain, ...input } = describeInput(name, field)
  return input
}

function describeComputed (
  name: string, { schema, eager = false }: UserField, compute: ComputedField['compute']
): ComputedField {
  const { kind: _kind, ...plain } = plainSchema(name, schema, { required: false, limitsStrings: false })
  const output = isOptional(schema) ? nullableOf(plain) : plain
  return { name, output: Type.Unsafe({ ...output, readOnly: true }), compute, eager }
}
