/** The option `userFields`, checked at start. */
import { Type } from '@sinclair/typebox'
import { describeField, type FieldSpec, type UserField, type UserFields } from '../../schemas/user-fields.js'
import { orRefuse, refuseOption } from '../lib/refuse-option.js'
import { createBodyValidator } from '../validation/body-validator.js'
import { isReservedName } from './reserved-field-names.js'

/** Every declaration with its defaults filled in. Throws an Error that names the first invalid option. */
export function resolveUserFields (userFields: UserFields): FieldSpec[] {
  const fields = Object.entries(userFields).map(([name, field]) => {
    checkNames(name, field)
    const spec = orRefuse(() => describeField(name, field), message => message)
    checkField(spec)
    return spec
  })
  const columns = fields.map(field => field.column.toLowerCase())
  const twice = fields.find((field, index) => columns.indexOf(field.column.toLowerCase()) < index)
  if (twice) refuseOption(`userFields.${twice.name}.column: "${twice.column}" is already the column of another field`)
  return fields
}

function checkNames (name: string, { column }: UserField): void {
  const option = `userFields.${name}`
  if (!/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name)) {
    refuseOption(
      `${option}: the name must start with a letter and contain only letters, digits and _ (63 characters at most)`
    )
  }
  if (isReservedName(name)) {
    refuseOption(`${option}: the name is reserved by the plugin, SQL or JavaScript; choose another`)
  }
  if (column !== undefined && isReservedName(column)) {
    refuseOption(`${option}.column: the name "${column}" is reserved; choose another`)
  }
}

/** Finds at start what would otherwise fail on the first request, such as an invalid pattern or default. */
function checkField ({ name, kind, unique, input, default: value }: FieldSpec): void {
  const option = `userFields.${name}`
  if (unique && value !== undefined) {
    refuseOption(`${option}.schema.default: a unique field can't have a default, which all users would share`)
  }
  if (unique && kind === 'json') refuseOption(`${option}.unique: objects and lists can't be unique`)
  // An index entry of PostgreSQL holds at most 2704 bytes, which is 676 characters of 4 bytes.
  if (unique && input.maxLength > 600) refuseOption(`${option}.unique: requires a maxLength of at most 600`)
  const check = orRefuse(
    () => createBodyValidator()(Type.Object({ [name]: Type.Optional(input) })),
    message => `${option}.schema: ${message}`
  )
  if (value !== undefined && 'error' in check({ [name]: value })) {
    refuseOption(`${option}.schema.default: must match the schema`)
  }
}
