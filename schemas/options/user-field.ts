/** The option `userFields`: the declaration of one field. */
import { Type } from '@sinclair/typebox'
import { Choice, closed, Func } from './builders.js'

export const UserFieldOption = Type.Object({
  schema: Type.Object({}, {
    title: 'a TypeBox schema such as Type.String()',
    description: 'TypeBox schema of the value: a string, integer, number, boolean, literals of one of these, object, ' +
      'array, or a union of objects.'
  }),
  registration: Type.Optional(Choice(['required', 'optional', 'hidden'], {
    description: 'Whether registration includes the field: `required`, `optional` or `hidden`. ' +
      'Default: `required`, or `optional` for a `Type.Optional` schema.'
  })),
  userDetails: Type.Optional(Choice(['editable', 'read-only', 'hidden'], {
    default: 'editable',
    description: 'What users may do with their own value at `/user`: `editable`, `read-only` or `hidden`.'
  })),
  unique: Type.Optional(Type.Boolean({ default: false, description: 'No two users may have the same value.' })),
  normalize: Type.Optional(Func(
    '`(value) => value`: gives a value the form that is validated, compared and stored. If it throws, the value is ' +
    'refused.'
  )),
  column: Type.Optional(Type.String({
    pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$',
    title: 'a name such as phone_number',
    description: 'Name of the database column. Default: the name of the field.'
  })),
  stored: Type.Optional(Type.Boolean({
    default: true,
    description: '`false`: registration asks for the value and passes it to `hooks.registering`; the plugin does not ' +
      'store it.'
  })),
  compute: Type.Optional(Func(
    '`(user) => value`: computes the value for each response that shows the user. Read-only, without a column.'
  )),
  eager: Type.Optional(Type.Boolean({
    default: false, description: '`true`: `request.user` has the computed value, too.'
  }))
}, closed)
