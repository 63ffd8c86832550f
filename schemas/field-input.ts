/** The schema of a user field in the body of a route, which depends on the route and on the shape of errors. */
import { Type, type TSchema } from '@sinclair/typebox'
import { WhenBlank, type ContractShape } from './common.js'
import type { FieldSpec } from './user-fields.js'

/** What a body may contain for a field. A front end written for Django knows no null where there is a default. */
export function inputOf ({ errors }: ContractShape, { input, default: value }: FieldSpec): TSchema {
  if (errors !== 'drf' || value === undefined || value === null) return input
  const { type, enum: choices } = input
  const enumOfValues = Array.isArray(choices) && { enum: choices.filter(choice => choice !== null) }
  return Type.Unsafe({ ...input, type: [type].flat()[0], ...enumOfValues })
}

/** For a field that an edit changes. */
export const emptiedByBlank = <S extends TSchema>(schema: S): S => ({ [WhenBlank]: 'empty', ...schema })
