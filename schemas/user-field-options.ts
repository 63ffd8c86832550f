/** The option `userFields`: what an app declares of each field of its own. */
import { Type, type TSchema } from '@sinclair/typebox'

export const UserFieldOption = Type.Object({
  schema: Type.Unsafe<TSchema>(
    Type.Object({}, { title: 'a TypeBox schema such as Type.String()', description: 'TypeBox schema of the value.' })
  ),
  registration: Type.Optional(Type.Union([Type.Literal('required'), Type.Literal('optional'), Type.Literal('hidden')], {
    description:
      'Whether registration asks for it: `required`, `optional`, `hidden`. Default `required`; `optional` for `Type.Optional`.'
  })),
  userDetails: Type.Optional(Type.Union([Type.Literal('editable'), Type.Literal('read-only'), Type.Literal('hidden')], {
    default: 'editable', description: 'What its owner may do with it at `/user`: `editable`, `read-only`, `hidden`.'
  })),
  unique: Type.Optional(Type.Boolean({ default: false, description: 'Whether no two users share a value.' })),
  column: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$',
      title: 'a name such as phone_number',
      description: "The column's name. Default: the field's."
    })
  )
}, { additionalProperties: false })
