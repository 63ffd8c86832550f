/** Which field codes validation against the contract can return for a body, derived from the keywords of its schema. */
import type { TSchema } from '@sinclair/typebox'
import { contractFieldCodes, type FieldCode } from './errors.js'
import { everySchema, type JsonSchema } from './json-schema.js'

// A violation of any other keyword is reported as `invalid`.
const namedKeywords = new Set([
  'type', 'format', 'minLength', 'maxLength', 'enum', 'minimum', 'maximum', 'description', 'title', 'examples',
  'default', 'deprecated', '$comment'
])

const canReport: Record<typeof contractFieldCodes[number], (schema: JsonSchema, name: string) => boolean> = {
  required: ({ required, dependentRequired }) => [required ?? []].flat().length > 0 || dependentRequired !== undefined,
  null: ({ type, anyOf = [] }) => ![type, ...anyOf.map(({ type }) => type)].flat().includes('null'),
  blank: ({ minLength = 0 }) => Number(minLength) > 0,
  invalid: ({ type, format = 'password', ...rest }, name) =>
    [type].flat().some(one => one === 'object' || one === 'array') || !['email', 'password'].includes(String(format)) ||
    Object.keys(rest).some(keyword => !namedKeywords.has(keyword) && !(keyword === 'pattern' && name === 'username')),
  invalid_type: () => true,
  invalid_choice: schema => 'enum' in schema,
  invalid_email: ({ format }) => format === 'email',
  invalid_username: (schema, name) => name === 'username' && 'pattern' in schema,
  max_length: schema => 'maxLength' in schema,
  min_length: ({ minLength = 0 }) => Number(minLength) > 1,
  max_value: schema => 'maximum' in schema,
  min_value: schema => 'minimum' in schema,
  null_characters_not_allowed: () => true,
  surrogate_characters_not_allowed: () => true
}

/** The field codes that validation alone can return for `body`, about its fields and about the members of those. */
export function contractCodesOf (body: TSchema): FieldCode[] {
  const fields = Object.entries<JsonSchema>(body.properties)
  const schemas = fields.flatMap(([name, field]) => everySchema(field).map(schema => [schema, name] as const))
  return contractFieldCodes.filter(
    code =>
      (code === 'required' && body.required?.length > 0) ||
      schemas.some(([schema, name]) => canReport[code](schema, name))
  )
}
