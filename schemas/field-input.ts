/** The schemas of a user field in the bodies of a route, which depend on the route and on the shape of errors. */
import { Type, type TSchema, type TString } from '@sinclair/typebox'
import { acceptsBlank, isBlankForNull, isDjangoText } from './blank-text.js'
import { WhenBlank, type ContractShape } from './common.js'
import type { FieldInput, FieldSpec } from './user-fields.js'

/**
 * What a body may contain for a field. A front end written for Django knows no null where there is a default, and sends
 * blank text back as it got it.
 */
export function inputOf ({ errors }: ContractShape, { input, default: value }: FieldInput): TSchema {
  if (errors !== 'drf') return input
  if (value !== undefined && value !== null) return withoutNull(input)
  const isNullable = [input.type].flat().includes('null')
  if (!isNullable || !isDjangoText(input) || acceptsBlank(input)) return input
  return Type.Unsafe({ ...input, ...withChoice(input, ''), [WhenBlank]: 'null' })
}

/** What a response contains for a field. */
export const outputOf = (shape: ContractShape, field: FieldSpec): TSchema =>
  isBlankForNull(shape, field) ? blankForNull(field.output) : field.output

/** Text that is `''` in place of null, which no format allows. */
export function blankForNull (schema: TSchema): TSchema {
  const { format: _format, ...text } = schema
  return withoutNull({ ...text, ...withChoice(schema, '') } as TSchema)
}

function withoutNull (schema: TSchema): TSchema {
  const { type, enum: choices } = schema
  const enumOfValues = Array.isArray(choices) && { enum: choices.filter(choice => choice !== null) }
  return Type.Unsafe({ ...schema, type: [type].flat()[0], ...enumOfValues })
}

const withChoice = ({ enum: choices }: TSchema, choice: string) =>
  Array.isArray(choices) && { enum: [...new Set([...choices, choice])] }

/** The same schema, also accepting null if `empty`. */
export const nullable = (schema: TString, empty: boolean) =>
  empty ? Type.Unsafe<string | null>({ ...schema, type: ['string', 'null'] }) : schema

/** For a field that an edit changes. */
export const emptiedByBlank = <S extends TSchema>(schema: S): S => ({ [WhenBlank]: 'empty', ...schema })
