/** Turns Ajv's errors, and problems that Ajv does not look for, into field errors with stable codes. */
import type { ErrorObject, ValidateFunction } from 'ajv'
import type { FieldCode } from '../../schemas/errors.js'
import { fieldError, type FieldError } from '../errors/failure.js'

interface WithProperties { properties?: object }

/** All errors in the fields of a body, in the order of the schema. */
export function fieldErrors (
  schema: WithProperties,
  value: Record<string, unknown>,
  validate: ValidateFunction
): FieldError[] {
  const found: FieldError[] = []
  for (const [field, given] of Object.entries(value)) found.push(...textErrors(field, given))
  if (!validate(value)) {
    const byField = new Map<string, ErrorObject[]>()
    for (const error of validate.errors ?? []) {
      const field =
        error.keyword === 'required' && error.instancePath === ''
          ? String(error.params.missingProperty)
          : fieldOf(error)
      byField.set(field, [...byField.get(field) ?? [], error])
    }
    for (const [field, errors] of byField) {
      if (found.some(error => error.field === field && error.code === 'null_characters_not_allowed')) continue
      found.push(translate(field, errors))
    }
  }
  // In a form, Ajv coerces `Infinity` and `1e309` to numbers.
  const infinite = Object.keys(value).filter(
    field => infinities.has(value[field]) && !found.some(error => error.field === field)
  )
  found.push(...infinite.map(field => fieldError(field, 'invalid_type', { type: 'number' })))
  return inOrder(schema, found)
}

const infinities = new Set<unknown>([Infinity, -Infinity])
const fieldOf = ({ instancePath }: ErrorObject) =>
  instancePath.split('/')[1]?.replaceAll('~1', '/').replaceAll('~0', '~') ?? ''

/** Characters that databases and other programs treat differently, at any depth of the value. */
function textErrors (field: string, value: unknown): FieldError[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .flatMap(([key, inner]) => [...textErrors(field, key), ...textErrors(field, inner)])
      .slice(0, 1)
  }
  if (typeof value !== 'string') return []
  if (value.includes('\0')) return [fieldError(field, 'null_characters_not_allowed')]
  const surrogate = /\p{Surrogate}/u.exec(value)?.[0]
  return surrogate
    ? [
        fieldError(field, 'surrogate_characters_not_allowed', {
          codePoint: surrogate.charCodeAt(0).toString(16).toUpperCase()
        })
      ]
    : []
}

// Each field gets one message: that of the most telling keyword, which comes first here.
const rank = ['required', 'type', 'minLength', 'enum', 'const', 'maxLength', 'format', 'pattern', 'minimum', 'maximum']

const typeNames: Record<string, string> = {
  string: 'string',
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  object: 'dictionary',
  array: 'list'
}

function translate (field: string, errors: ErrorObject[]): FieldError {
  const place = (error: ErrorObject) => (rank.indexOf(error.keyword) + rank.length + 1) % (rank.length + 1)
  const [error] = [...errors].sort((a, b) => place(a) - place(b))
  // An error inside an object or a list is reported for the field as a whole.
  if (!error || error.instancePath.split('/').length > 2) return fieldError(field, 'invalid')
  return fieldError(field, codeOf(field, error), {
    limit: error.params.limit,
    // Not String(): it would call a `toString` that the client sent.
    value: typeof error.data === 'string' ? error.data.slice(0, 50) : '',
    type: typeNames[[error.params.type].flat()[0]] ?? 'value'
  })
}

function codeOf (field: string, { keyword, data, params, instancePath }: ErrorObject): FieldCode {
  switch (keyword) {
    case 'required': return instancePath === '' ? 'required' : 'invalid'
    case 'type': return data === null ? 'null' : 'invalid_type'
    case 'minLength': return data === '' ? 'blank' : 'min_length'
    case 'maxLength': return 'max_length'
    case 'enum': case 'const': return 'invalid_choice'
    case 'minimum': return 'min_value'
    case 'maximum': return 'max_value'
    case 'format': return params.format === 'email' ? 'invalid_email' : 'invalid'
    case 'pattern': return field === 'username' ? 'invalid_username' : 'invalid'
    default: return 'invalid'
  }
}

/** Sorts field errors in the order of the schema. */
export function inOrder (schema: WithProperties, found: readonly FieldError[]): FieldError[] {
  const order = Object.keys(schema.properties ?? {})
  return [...found].sort((a, b) => order.indexOf(a.field) - order.indexOf(b.field))
}
