/** Blank text: which schemas accept it, and where responses have it in place of null, as Django REST framework does. */
import type { ContractShape } from './common.js'
import type { JsonSchema } from './json-schema.js'
import type { FieldSpec } from './user-fields.js'

const has = ({ type }: JsonSchema, kind: string) => [type].flat().includes(kind)

/** Whether the schema accepts `''`. */
export function acceptsBlank (schema: JsonSchema): boolean {
  const { format, minLength, pattern, enum: choices } = schema
  return has(schema, 'string') && format === undefined && !minLength &&
    (!Array.isArray(choices) || choices.includes('')) &&
    (typeof pattern !== 'string' || new RegExp(pattern, 'u').test(''))
}

// In Django these are types of their own, which have NULL.
const noText = ['date', 'time', 'date-time', 'iso-time', 'iso-date-time', 'duration', 'uuid', 'ipv4', 'ipv6', 'decimal']

/** Whether Django would store the value as text, in which nothing is `''`. */
export const isDjangoText = (schema: JsonSchema): boolean =>
  has(schema, 'string') && !noText.includes(String(schema.format))

/**
 * Whether responses have `''` in place of null: for text, if errors are Django REST framework's. There, too, unique
 * text is null, because only one user could have `''`.
 */
export const isBlankForNull = ({ errors }: Pick<ContractShape, 'errors'>, { unique, output }: FieldSpec): boolean =>
  errors === 'drf' && !unique && isDjangoText(output)
