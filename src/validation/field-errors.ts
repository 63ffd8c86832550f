/** Turns Ajv's errors, and problems that Ajv does not look for, into field errors with stable codes. */
import type { ErrorObject, ValidateFunction } from 'ajv'
import type { FieldCode } from '../../schemas/errors.js'
import { typeNames } from '../../schemas/json-schema.js'
import { fieldError, type FieldError } from '../errors/failure.js'
import { namesIn, pointerTo } from '../lib/json-pointer.js'
import { byMember } from './member-errors.js'

interface WithProperties { properties?: object }

export function fieldErrors (
  schema: WithProperties,
  value: Record<string, unknown>,
  validate: ValidateFunction
): FieldError[] {
  const found = Object.entries(value).flatMap(([field, given]) => textErrors([field], given))
  if (!validate(value)) {
    for (const [field, errors] of byField(validate.errors ?? [])) {
      if (found.some(error => error.field === field && error.code === 'null_characters_not_allowed')) continue
      for (const [pointer, error] of byMember(errors)) found.push(translate(field, pointer, error))
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

function byField (errors: readonly ErrorObject[]): Map<string, ErrorObject[]> {
  const grouped = new Map<string, ErrorObject[]>()
  for (const error of errors) {
    const [field = String(error.params.missingProperty)] = namesIn(error.instancePath)
    const known = grouped.get(field)
    if (known) known.push(error)
    else grouped.set(field, [error])
  }
  return grouped
}

/** Characters that databases and other programs treat differently, at any depth of the value: the first of them. */
function textErrors (path: readonly string[], value: unknown): FieldError[] {
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      const found = [...textErrors([...path, key], key), ...textErrors([...path, key], inner)]
      if (found.length > 0) return found.slice(0, 1)
    }
    return []
  }
  if (typeof value !== 'string') return []
  const at = (error: FieldError) => path.length > 1 ? { ...error, pointer: pointerTo(path) } : error
  const [field = ''] = path
  if (value.includes('\0')) return [at(fieldError(field, 'null_characters_not_allowed'))]
  const surrogate = /\p{Surrogate}/u.exec(value)?.[0]
  if (surrogate === undefined) return []
  const codePoint = surrogate.charCodeAt(0).toString(16).toUpperCase()
  return [at(fieldError(field, 'surrogate_characters_not_allowed', { codePoint }))]
}

function translate (field: string, pointer: string, error: ErrorObject): FieldError {
  const { data, params } = error
  // Not String() of an object: it would call a `toString` that the client sent.
  const value = ['string', 'number', 'boolean'].includes(typeof data) ? String(data).slice(0, 50) : ''
  const type = typeNames[[params.type].flat()[0]] ?? 'value'
  const found = fieldError(field, codeOf(field, error), { limit: params.limit, value, type })
  return namesIn(pointer).length > 1 ? { ...found, pointer } : found
}

function codeOf (field: string, { keyword, data, params }: ErrorObject): FieldCode {
  switch (keyword) {
    case 'required': case 'dependentRequired': return 'required'
    case 'type': case 'anyOf': return data === null ? 'null' : keyword === 'type' ? 'invalid_type' : 'invalid'
    case 'minLength': return data === '' ? 'blank' : 'min_length'
    case 'maxLength': return 'max_length'
    case 'enum': return 'invalid_choice'
    case 'minimum': return 'min_value'
    case 'maximum': return 'max_value'
    case 'format': return params.format === 'email' ? 'invalid_email' : 'invalid'
    case 'pattern': return field === 'username' ? 'invalid_username' : 'invalid'
    default: return 'invalid'
  }
}

export function inOrder (schema: WithProperties, found: readonly FieldError[]): FieldError[] {
  const order = Object.keys(schema.properties ?? {})
  return [...found].sort((a, b) => order.indexOf(a.field) - order.indexOf(b.field))
}
