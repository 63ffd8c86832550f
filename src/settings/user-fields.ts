/** The option `userFields`, checked at start. */
import { Type } from '@sinclair/typebox'
import { describeFields, type ComputedField, type DescribedFields } from '../../schemas/columnless-fields.js'
import { Normalize } from '../../schemas/common.js'
import type { FieldInput, FieldSpec, UserField, UserFields } from '../../schemas/user-fields.js'
import { canonicalDecimal } from '../lib/decimal.js'
import { canonicalEmail } from '../lib/email.js'
import { orRefuse, refuseOption } from '../lib/refuse-option.js'
import { createBodyValidator, createValueValidator } from '../validation/body-validator.js'
import { checkColumnless } from './columnless-fields.js'
import { isReservedColumn, isReservedName } from './reserved-field-names.js'

/** Every declaration with its defaults filled in. Throws an Error that names the first invalid option. */
export function resolveUserFields (userFields: UserFields): DescribedFields {
  const prepared = Object.entries(userFields).map(([name, field]) => {
    checkNames(name, field)
    checkColumnless(name, field)
    const normalize = normalizerOf(field)
    return [name, { ...field, ...(normalize && { normalize }) }] as const
  })
  const described = orRefuse(() => describeFields(Object.fromEntries(prepared)), message => message)
  for (const field of described.fields) checkColumn(field)
  described.computedFields.forEach(checkComputed)
  const { fields } = described
  const columns = fields.map(field => field.column.toLowerCase())
  const twice = fields.find((field, index) => columns.indexOf(field.column.toLowerCase()) < index)
  if (twice) refuseOption(`userFields.${twice.name}.column: "${twice.column}" is already the column of another field`)
  return {
    ...described,
    fields: fields.map(withCheckedDefault),
    unstoredFields: described.unstoredFields.map(withCheckedDefault)
  }
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

function checkColumn ({ name, kind, unique, input, default: value }: FieldSpec): void {
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
}

/** Finds at start what would fail on a request, such as an invalid pattern. Puts the default in normal form. */
function withCheckedDefault<F extends FieldInput> (field: F): F {
  const { name, input, default: value } = field
  const option = `userFields.${name}.schema`
  const check = orRefuse(() => {
    const check = createBodyValidator()(Type.Object({ [name]: Type.Optional(input) }))
    // The first call compiles the schema.
    check({})
    return check
  }, message => `${option}: ${message}`)
  if (value === undefined) return field
  const result = check({ [name]: value })
  if ('error' in result) refuseOption(`${option}.default: must match the schema`)
  return { ...field, default: Normalize in input ? result.value[name] ?? value : value }
}

/** Finds at start a schema of a computed field that can't be compiled. */
function checkComputed ({ name, output }: ComputedField): void {
  orRefuse(() => createValueValidator()(output), message => `userFields.${name}.schema: ${message}`)
}
