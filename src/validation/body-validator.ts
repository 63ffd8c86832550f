/**
 * Bodies are held against the contract without coercion, every field at fault is reported, in the order of
 * the schema, and Ajv's findings become field errors with stable codes.
 *
 * As in Django REST framework strings are trimmed (passwords are not), NUL and lone surrogates are refused,
 * and in an HTML form a blank optional field counts as absent.
 */
import { Ajv, type ValidateFunction } from 'ajv'
import addFormatsModule from 'ajv-formats'
import type { FastifyRequest, FastifySchema } from 'fastify'
import { Failure, failure, type FieldError } from '../errors/failure.js'
import { canonicalEmail } from '../lib/email.js'
import { normalizeUsername } from '../lib/username.js'
import { fieldErrors } from './field-errors.js'

interface Property { type?: string | string[], format?: string, minLength?: number }
interface BodySchema { properties: Record<string, Property>, required?: string[] }

/** What a form sent: strings only, so numbers and booleans are read from them. */
export class FormBody {
  readonly fields: URLSearchParams

  constructor (fields: URLSearchParams) {
    this.fields = fields
  }

  /** As HTML has it: a list is a repeated field, a box that is ticked says `on`, and one that is not says nothing. */
  read (name: string, { type }: Property, isRequired: boolean): unknown {
    const values = this.fields.getAll(name)
    if (values.length === 0 && !isRequired) return undefined
    const [kind] = [type].flat()
    if (kind === 'array') return values
    if (kind === 'boolean' && values.length === 0) return 'false'
    // Of a field sent twice the last value counts, as in Django.
    return kind === 'boolean' && values.at(-1) === 'on' ? 'true' : values.at(-1)
  }
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

// A misspelt format would be a check that nobody makes: the only thing Ajv warns of here.
function unknownFormat (warning: string): never { throw new Error(warning.replace(' ignored in schema', '')) }

function createAjv (coerceTypes: boolean): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    coerceTypes,
    strict: false,
    validateFormats: true,
    validateSchema: false,
    logger: { log () {}, warn: unknownFormat, error () {} }
  })
  addFormats(ajv)
  ajv.addFormat('email', (text: string) => canonicalEmail(text) !== undefined)
  ajv.addFormat('password', true)
  return ajv
}

// Its own meta-schema costs each Ajv more to compile than all of our schemas, so one judges for all.
const metaSchema = createAjv(false)

export type CheckBody = (body: unknown) => { value: Record<string, unknown> } | { error: Failure }

/** Makes the check of one body schema, for JSON and for forms. */
export function createBodyValidator () {
  const [json, form] = [createAjv(false), createAjv(true)]
  return (schema: object): CheckBody => {
    const described = schema as BodySchema
    metaSchema.validateSchema(schema, true)
    const checkJson = json.compile(schema)
    // Most apps never see a form.
    let checkForm: ValidateFunction | undefined
    return body => {
      const type = pythonType(body)
      if (type !== 'dict') return { error: failure('not_an_object', { type }) }
      const isForm = body instanceof FormBody
      const read = isForm
        ? (name: string, property: Property, isRequired: boolean) => body.read(name, property, isRequired)
        : (name: string) => ownValue(body, name)
      const value = normalise(described, read, isForm)
      const found = fieldErrors(described, value, isForm ? checkForm ??= form.compile(schema) : checkJson)
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

/** The name that Python gives to what arrived: it stands in the message. */
function pythonType (body: unknown): string {
  if (body === null || body === undefined) return 'dict'
  if (Array.isArray(body)) return 'list'
  if (typeof body === 'number') return Number.isInteger(body) ? 'int' : 'float'
  return { string: 'str', boolean: 'bool' }[typeof body as string] ?? 'dict'
}

/** Only what the schema names, trimmed: the rest goes no further. */
function normalise ({ properties, required = [] }: BodySchema, read: (name: string, schema: Property, isRequired: boolean) => unknown, isForm: boolean) {
  const value: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(properties)) {
    const isRequired = required.includes(name)
    const given = read(name, schema, isRequired)
    if (given === undefined) continue
    const trimmed = typeof given === 'string' && schema.format !== 'password' ? clean(name, given) : given
    // Where blank is allowed, a format says nothing about it.
    const blankIsAbsent = isForm || (schema.format !== undefined && !schema.minLength && includesString(schema.type))
    if (trimmed === '' && !isRequired && blankIsAbsent) continue
    value[name] = trimmed
  }
  return value
}

const ownValue = (body: unknown, name: string): unknown =>
  Object.hasOwn(Object(body), name) ? (body as Record<string, unknown>)[name] : undefined

// A username is judged as it will be stored: NFKC makes `(` of `⑴`, and 18 letters of one Arabic ligature.
const clean = (name: string, given: string) => name === 'username' ? normalizeUsername(given) : given.trim()

const includesString = (type: string | string[] = []) => type === 'string' || type.includes('string')
