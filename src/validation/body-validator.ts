/**
 * Checks bodies without coercing JSON. As in Django REST framework, strings are trimmed (except passwords), and NUL and
 * lone surrogates are rejected. What a blank string means is in blank.ts.
 */
import type { ValidateFunction } from 'ajv'
import type { FastifyRequest } from 'fastify'
import { Failure, failure, type FieldError } from '../errors/failure.js'
import { normalizeUsername } from '../lib/username.js'
import { createAjv, limitsFirst } from './ajv.js'
import { blankValue } from './blank.js'
import { fieldErrors, inOrder } from './field-errors.js'
import { FormBody, type Property, type Reading } from './form-body.js'
import { normalized } from './normalizers.js'

interface BodySchema { $id?: string, properties: Record<string, Property>, required?: string[] | undefined }

/** An invalid body: its field errors, and the fields as far as they could be read. */
export class InvalidBody extends Failure {
  readonly body: Record<string, unknown>

  constructor (body: Record<string, unknown>, fields: readonly FieldError[]) {
    super('validation_error', { fields })
    this.body = body
  }
}

// Compiling the meta-schema takes Ajv longer than all schemas of the contract, so one instance checks them all.
const metaSchema = createAjv(false)

export type CheckBody = (body: unknown) => { value: Record<string, unknown> } | { error: Failure }

/** Compiles a body schema into a check for JSON and for forms. Throws an Error for an invalid schema. */
export function createBodyValidator () {
  const [json, form] = [createAjv(false), createAjv(true)]
  // Ajv would keep the schema under its name, and refuse a second one of that name.
  return ({ $id: _name, ...schema }: BodySchema, isPartial = false): CheckBody => {
    metaSchema.validateSchema(schema, true)
    // Compiled on first use: an app starts in half the time, and most never receive a form.
    let checkJson: ValidateFunction | undefined
    let checkForm: ValidateFunction | undefined
    return body => {
      const type = pythonType(body)
      if (type !== 'dict') return { error: failure('not_an_object', { type }) }
      const isForm = body instanceof FormBody
      const read: ReadField = isForm ? body.read.bind(body) : name => ownValue(body, name)
      const { value, refusals } = normalise(schema, read, { isForm, isPartial })
      const invalid = fieldErrors(schema, value, isForm
        ? checkForm ??= form.compile(limitsFirst(schema))
        : checkJson ??= json.compile(limitsFirst(schema)))
      const others = refusals.filter(({ field }) => !invalid.some(error => error.field === field))
      const found = inOrder(schema, [...invalid, ...others])
      return found.length > 0 ? { error: new InvalidBody(value, found) } : { value }
    }
  }
}

/** Compiles schemas into checks of values that nobody sends, such as stored ones: nothing is trimmed or coerced. */
export function createValueValidator () {
  // A column can hold Infinity, which JSON can't.
  const ajv = createAjv(false, true)
  return (schema: object) => {
    const check = ajv.compile(schema)
    return (value: unknown): boolean => check(value)
  }
}

/** Fastify's validator compiler. Only bodies have schemas here, no other part of a request does. */
export const createValidatorCompiler = (validator: ReturnType<typeof createBodyValidator>) =>
  ({ schema, method }: { schema: BodySchema, method: string }) => validator(schema, method === 'PATCH')

export interface ReadBody<T> {
  body: Partial<T>
  invalid: FieldError[]
}

/** With `attachValidation` the handler can add errors before it throws, so that the client gets all at once. */
export function readBody<T> (request: FastifyRequest): ReadBody<T> {
  const { validationError } = request
  // Fastify validated the body against the route's schema, of which T is the type.
  if (!validationError) return { body: request.body as T, invalid: [] }
  if (!(validationError instanceof InvalidBody)) throw validationError
  const faulty = new Set(validationError.fields.map(({ field }) => field))
  const valid = Object.entries(validationError.body).filter(([field]) => !faulty.has(field))
  // Likewise: each field that is left is valid.
  return { body: Object.fromEntries(valid) as Partial<T>, invalid: [...validationError.fields] }
}

const pythonNames: Record<string, string> = { string: 'str', boolean: 'bool' }

/** The name of the body's type in Python, which the message of Django REST framework contains. */
function pythonType (body: unknown): string {
  if (body === null || body === undefined) return 'dict'
  if (Array.isArray(body)) return 'list'
  if (typeof body === 'number') return Number.isInteger(body) ? 'int' : 'float'
  return pythonNames[typeof body] ?? 'dict'
}

type ReadField = (name: string, schema: Property, reading: Reading) => unknown
interface Kind { isForm: boolean, isPartial: boolean }

/** Only the fields that the schema names, trimmed and in normal form; and those whose `normalize` refuses the value. */
function normalise ({ properties, required = [] }: BodySchema, read: ReadField, { isForm, isPartial }: Kind) {
  const value: Record<string, unknown> = {}
  const refusals: FieldError[] = []
  for (const [name, schema] of Object.entries(properties)) {
    const isRequired = required.includes(name)
    const given = read(name, schema, { isRequired, isPartial })
    const trimmed = typeof given === 'string' && schema.format !== 'password' ? clean(name, given) : given
    const { value: normal, refusal } = normalized(name, schema, trimmed, isForm)
    if (refusal) refusals.push(refusal)
    const meant = normal === '' ? blankValue(schema, isRequired, isForm) : normal
    if (meant !== undefined) value[name] = meant
  }
  return { value, refusals }
}

function ownValue (body: unknown, name: string): unknown {
  const fields: Record<string, unknown> = Object(body)
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

// A username is checked in its stored form: NFKC turns `⑴` into `(1)`, and one Arabic ligature into 18 letters.
const clean = (name: string, given: string) => name === 'username' ? normalizeUsername(given) : given.trim()
