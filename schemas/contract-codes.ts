/** Which field codes validation against the contract can return for a body, derived from the keywords of its schema. */
import type { TSchema } from '@sinclair/typebox'
import { contractFieldCodes, type FieldCode } from './errors.js'

interface Property { type?: string | string[], format?: string, minLength?: number, [keyword: string]: unknown }

// A violation of any other keyword is reported as `invalid`.
const namedKeywords = new Set([
  'type', 'format', 'minLength', 'maxLength', 'enum', 'const', 'minimum', 'maximum', 'description', 'title',
  'examples', 'default'
])

const canReport: Record<typeof contractFieldCodes[number], (property: Property, name: string) => boolean> = {
  required: property => 'required' in property,
  null: ({ type }) => ![type].flat().includes('null'),
  blank: ({ minLength = 0 }) => minLength > 0,
  invalid: ({ type, format = 'password', ...rest }, name) =>
    [type].flat().some(one => one === 'object' || one === 'array') || !['email', 'password'].includes(format) ||
    Object.keys(rest).some(keyword => !namedKeywords.has(keyword) && !(keyword === 'pattern' && name === 'username')),
  invalid_type: () => true,
  invalid_choice: property => 'enum' in property || 'const' in property,
  invalid_email: ({ format }) => format === 'email',
  invalid_username: (property, name) => name === 'username' && 'pattern' in property,
  max_length: property => 'maxLength' in property,
  min_length: ({ minLength = 0 }) => minLength > 1,
  max_value: property => 'maximum' in property,
  min_value: property => 'minimum' in property,
  null_characters_not_allowed: () => true,
  surrogate_characters_not_allowed: () => true
}

/** The field codes that validation alone can return for `body`. */
export function contractCodesOf (body: TSchema): FieldCode[] {
  const properties = Object.entries<Property>(body.properties)
  return contractFieldCodes.filter(
    code =>
      (code === 'required' && body.required?.length > 0) ||
      properties.some(([name, property]) => canReport[code](property, name))
  )
}
