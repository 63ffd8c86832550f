/**
 * Bodies are held against the contract without coercion, every field at fault is reported, in the order of
 * the schema, and Ajv's findings become field errors with stable codes.
 *
 * As in Django REST framework strings are trimmed (passwords are not), NUL and lone surrogates are refused,
 * and in an HTML form a blank optional field counts as absent.
 */
import addFormatsModule from 'ajv-formats'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FastifyRequest, FastifySchema } from 'fastify'
import type { FieldCode } from '../schemas/errors.js'
import { Failure, failure, fieldError, type FieldError } from './errors.js'
import { canonicalEmail } from './lib/email.js'

type Properties = Record<string, { type?: string | string[], format?: string, minLength?: number }>
interface BodySchema { properties: Properties, required?: string[] }

/** What a form sent: strings only, so numbers and booleans are read from them. */
export class FormBody {
  [field: string]: unknown
}

/** A body that does not keep to the contract, as far as it could be read. */
export class InvalidBody extends Failure {
  readonly body: Record<string, unknown>

  constructor (body: Record<string, unknown>, fields: readonly FieldError[]) {
    super('validation_error', { fields })
    this.body = body
  }
}

// CommonJS under NodeNext: the function is the module, and its `default`.
const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default

function createAjv (coerceTypes: boolean): Ajv {
  const ajv = new Ajv({ allErrors: true, verbose: true, coerceTypes, strict: false, validateFormats: true })
  addFormats(ajv)
  ajv.addFormat('email', (text: string) => canonicalEmail(text) !== undefined)
  ajv.addFormat('password', true)
  return ajv
}

export type CheckBody = (body: unknown) => { value: Record<string, unknown> } | { error: Failure }

/** Makes the check of one body schema; `strict` and `form` are compiled once. */
export function createBodyValidator () {
  const [json, form] = [createAjv(false), createAjv(true)]
  return (schema: object): CheckBody => {
    const described = schema as BodySchema
    const [checkJson, checkForm] = [json.compile(schema), form.compile(schema)]
    return body => {
      const type = pythonType(body)
      if (type !== 'dict') return { error: failure('not_an_object', { type }) }
      const isForm = body instanceof FormBody
      const value = normalise(described, body as Record<string, unknown> | null, isForm)
      const found = fieldErrors(described, value, isForm ? checkForm : checkJson)
      return found.length > 0 ? { error: new InvalidBody(value, found) } : { value }
    }
  }
}

/** Fastify's validator compiler, for bodies; no other part of our requests has a schema. */
export const createValidatorCompiler = (validator: ReturnType<typeof createBodyValidator>) =>
  ({ schema }: { schema: FastifySchema }) => validator(schema)

/**
 * The body of a route with `attachValidation`, and what was wrong with it: a handler that knows more (is the
 * address taken? is the password weak?) adds to the list, so that all is reported together.
 */
export function readBody<T> (request: FastifyRequest): { body: Partial<T>, invalid: FieldError[] } {
  const { validationError } = request
  if (!validationError) return { body: request.body as T, invalid: [] }
  if (!(validationError instanceof InvalidBody)) throw validationError
  const faulty = new Set(validationError.fields.map(({ field }) => field))
  const sound = Object.entries(validationError.body).filter(([field]) => !faulty.has(field))
  return { body: Object.fromEntries(sound) as Partial<T>, invalid: [...validationError.fields] }
}

/** Puts field errors in the order of the schema. */
export function inOrder (schema: object, found: readonly FieldError[]): FieldError[] {
  const order = Object.keys((schema as BodySchema).properties)
  return [...found].sort((a, b) => order.indexOf(a.field) - order.indexOf(b.field))
}

/** The name that Python gives to what arrived: it stands in the message. */
function pythonType (body: unknown): string {
  if (body === null || body === undefined) return 'dict'
  if (Array.isArray(body)) return 'list'
  if (typeof body === 'number') return Number.isInteger(body) ? 'int' : 'float'
  return { string: 'str', boolean: 'bool' }[typeof body as string] ?? 'dict'
}

/** Only what the schema names, trimmed: the rest goes no further. */
function normalise ({ properties, required = [] }: BodySchema, body: Record<string, unknown> | null, isForm: boolean) {
  const value: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(properties)) {
    if (!body || !Object.hasOwn(body, name)) continue
    const given = body[name]
    const trimmed = typeof given === 'string' && schema.format !== 'password' ? given.trim() : given
    const isOptional = !required.includes(name)
    // Where blank is allowed, a format says nothing about it.
    const blankIsAbsent = isForm || (schema.format !== undefined && !schema.minLength && includesString(schema.type))
    if (trimmed === '' && isOptional && blankIsAbsent) continue
    value[name] = trimmed
  }
  return value
}

const includesString = (type: string | string[] = []) => type === 'string' || type.includes('string')

function fieldErrors (schema: BodySchema, value: Record<string, unknown>, validate: ValidateFunction): FieldError[] {
  const found: FieldError[] = []
  for (const [field, given] of Object.entries(value)) found.push(...textErrors(field, given))
  if (!validate(value)) {
    const byField = new Map<string, ErrorObject[]>()
    for (const error of validate.errors ?? []) {
      const field = error.keyword === 'required' && error.instancePath === '' ? String(error.params.missingProperty) : fieldOf(error)
      byField.set(field, [...byField.get(field) ?? [], error])
    }
    for (const [field, errors] of byField) {
      if (found.some(error => error.field === field && error.code === 'null_characters_not_allowed')) continue
      found.push(translate(field, errors))
    }
  }
  return inOrder(schema, found)
}

const fieldOf = ({ instancePath }: ErrorObject) => instancePath.split('/')[1]?.replaceAll('~1', '/').replaceAll('~0', '~') ?? ''

/** Characters that no database and no other program agrees on, wherever in the value they stand. */
function textErrors (field: string, value: unknown): FieldError[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) => [...textErrors(field, key), ...textErrors(field, inner)]).slice(0, 1)
  }
  if (typeof value !== 'string') return []
  if (value.includes('\0')) return [fieldError(field, 'null_characters_not_allowed')]
  const surrogate = /\p{Surrogate}/u.exec(value)?.[0]
  return surrogate ? [fieldError(field, 'surrogate_characters_not_allowed', { codePoint: surrogate.charCodeAt(0).toString(16).toUpperCase() })] : []
}

// What says most about a value comes first: one message a field.
const rank = ['required', 'type', 'minLength', 'enum', 'const', 'maxLength', 'format', 'pattern', 'minimum', 'maximum']

const typeNames: Record<string, string> = { string: 'string', integer: 'integer', number: 'number', boolean: 'boolean', object: 'dictionary', array: 'list' }

function translate (field: string, errors: ErrorObject[]): FieldError {
  const place = (error: ErrorObject) => (rank.indexOf(error.keyword) + rank.length + 1) % (rank.length + 1)
  const [error] = [...errors].sort((a, b) => place(a) - place(b))
  // Inside an object or a list the field as a whole is at fault.
  if (!error || error.instancePath.split('/').length > 2) return fieldError(field, 'invalid')
  return fieldError(field, codeOf(field, error), {
    limit: error.params.limit,
    value: String(error.data).slice(0, 50),
    type: typeNames[[error.params.type].flat()[0]] ?? 'value'
  })
}

function codeOf (field: string, { keyword, data, params }: ErrorObject): FieldCode {
  switch (keyword) {
    case 'required': return 'required'
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
