/** The option `userFields`, checked at start. */
import { Type } from '@sinclair/typebox'
import { Normalize } from '../../schemas/common.js'
import { describeField, type FieldSpec, type UserField, type UserFields } from '../../schemas/user-fields.js'
import { canonicalDecimal } from '../lib/decimal.js'
import { canonicalEmail } from '../lib/email.js'
import { orRefuse, refuseOption } from '../lib/refuse-option.js'
import { createBodyValidator } from '../validation/body-validator.js'
import { isReservedColumn, isReservedName } from './reserved-field-names.js'

/** Every declaration with its defaults filled in. Throws an Error that names the first invalid option. */
export function resolveUserFields (userFields: UserFields): FieldSpec[] {
  const fields = Object.entries(userFields).map(([name, field]) => {
    checkNames(name, field)
    const normalize = normalizerOf(field)
    const described = { ...field, ...(normalize && { normalize }) }
    const spec = orRefuse(() => describeField(name, described), message => message)
    return { ...spec, default: checkField(spec) }
  })
  const columns = fields.map(field => field.column.toLowerCase())
  const twice = fields.find((field, index) => columns.indexOf(field.column.toLowerCase()) < index)
  if (twice) refuseOption(`userFields.${twice.name}.column: "${twice.column}" is already the column of another field`)
  return fields
}

/** The app's own function, and what makes equal values equal text: the database compares text byte by byte. */
function normalizerOf ({ schema: { format }, unique, normalize }: UserField): UserField['normalize'] {
  const own = (change: (text: string) => string) => (value: unknown) => {
    const normal = normalize ? normalize(value) : value
    return typeof normal === 'string' ? change(normal) : normal
  }
  if (format === 'decimal') return own(canonicalDecimal)
  if (format === 'email' && unique) return own(text => canonicalEmail(text) ?? text)
  return normalize
}

function checkNames (name: string, { column = name }: UserField): void {
  const option = `userFields.${name}`
  if (!/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name)) {
    refuseOption(
      `${option}: the name must start with a letter and contain only letters, digits and _ (63 characters at most)`
    )
  }
  if (isReservedName(name)) {
    refuseOption(`${option}: the name is reserved by the plugin or JavaScript; choose another`)
  }
  if (isReservedColumn(column)) {
    refuseOption(`${option}.column: the name "${column}" is reserved; choose another`)
  }
}

/** Finds at start what would fail on a request, such as an invalid pattern. Returns the default in normal form. */
function checkField ({ name, kind, unique, input, default: value }: FieldSpec): unknown {
  const option = `userFields.${name}`
  if (unique && value !== undefined) {
    refuseOption(`${option}.schema.default: a unique field can't have a default, which all users would share`)
  }
  if (unique && kind === 'json') refuseOption(`${option}.unique: objects and lists can't be unique`)
  // An index entry of PostgreSQL holds at most 2704 bytes, which is 676 characters of 4 bytes.
  if (unique && input.maxLength > 600) refuseOption(`${option}.unique: requires a maxLength of at most 600`)
  if (kind === 'decimal' && input.maxLength > 1000) {
    refuseOption(`${option}.schema.maxLength: a decimal has at most 1000 characters`)
  }
  const check = orRefuse(
    () => createBodyValidator()(Type.Object({ [name]: Type.Optional(input) })),
    message => `${option}.schema: ${message}`
  )
  if (value === undefined) return undefined
  const result = check({ [name]: value })
  if ('error' in result) refuseOption(`${option}.schema.default: must match the schema`)
  return Normalize in input ? result.value[name] ?? value : value
}
