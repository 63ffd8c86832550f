/** What is wrong with the `userFields` option is told at start, in one line. */
import { Type, type TObject } from '@sinclair/typebox'
import { describeField, type FieldSpec, type UserFields } from '../../schemas/user-fields.js'
import { refuseOption } from '../lib/refuse-option.js'
import { createBodyValidator } from '../validation/body-validator.js'
import { isReservedName } from './reserved-field-names.js'

/** Every declaration worked out; the first that can't be is refused. */
export function resolveUserFields (userFields: UserFields): FieldSpec[] {
  const fields = Object.entries(userFields).map(([name, field]) => {
    if (!/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name)) { refuseOption(`userFields.${name}: use letters, digits and _ (63 at most), a letter first`) }
    if (isReservedName(name)) { refuseOption(`userFields.${name}: the name is taken by the plugin, by SQL or by JavaScript; choose another`) }
    if (field.column !== undefined && isReservedName(field.column)) { refuseOption(`userFields.${name}.column: «${field.column}» is taken; choose another`) }
    const spec = describeFieldOrRefuse(name, field)
    checkField(spec)
    return spec
  })
  const columns = fields.map(field => field.column.toLowerCase())
  const twice = fields.find((field, index) => columns.indexOf(field.column.toLowerCase()) < index)
  if (twice) refuseOption(`userFields.${twice.name}.column: «${twice.column}» is the column of another field`)
  return fields
}

function describeFieldOrRefuse (...[name, field]: Parameters<typeof describeField>): FieldSpec {
  try {
    return describeField(name, field)
  } catch (error) {
    return refuseOption((error as Error).message)
  }
}

/** What the first request would trip over is told at start: a pattern that is none, a default that fits nowhere. */
function checkField ({ name, kind, unique, output, default: value }: FieldSpec): void {
  if (unique && value !== undefined) { refuseOption(`userFields.${name}.schema.default: a default that every user gets can't be unique`) }
  if (unique && kind === 'json') refuseOption(`userFields.${name}.unique: objects and lists can't be unique`)
  // An index entry of PostgreSQL takes 2704 bytes, which are 676 characters.
  if (unique && output.maxLength > 600) refuseOption(`userFields.${name}.unique: needs a maxLength of 600 at most`)
  const check = compileOrRefuse(name, Type.Object({ [name]: Type.Optional(output) }))
  if (value !== undefined && 'error' in check({ [name]: value })) { refuseOption(`userFields.${name}.schema.default: must fit the schema`) }
}

function compileOrRefuse (name: string, schema: TObject) {
  try {
    return createBodyValidator()(schema)
  } catch (error) {
    return refuseOption(`userFields.${name}.schema: ${(error as Error).message}`)
  }
}
