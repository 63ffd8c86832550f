/** The errors that routes throw. Their codes are those of the table in schemas/errors.ts. */
import type { FastifyError, FastifyRequest } from 'fastify'
import { errors, messageOf, type AnswerCode, type FieldCode } from '../../schemas/errors.js'
import { redactQueryError, isUnavailable } from '../db/errors.js'
import { QueueFull } from '../lib/fair-queue.js'

export interface FieldError {
  field: string
  code: FieldCode
  message: string
  /** JSON Pointer (RFC 6901) to the member of the field that is wrong, such as `/address/zip`. */
  pointer?: string
  /** Set if Django REST framework finds it in a later step, once all fields are valid: which step and which field. */
  drf?: { field: string, step: 1 | 2 | 3 }
}

/** An error response: its code and message, and for invalid input which fields are wrong and why. */
export class Failure extends Error {
  readonly code: AnswerCode
  readonly fields: readonly FieldError[]
  readonly headers: Record<string, string>
  readonly statusCode: number
  /** Where the invalid token was sent, or that it is a key: Django REST framework gives fewer details about both. */
  readonly tokenIn: 'header' | 'body' | 'key'
  readonly isLogged: boolean = false
  declare readonly status: number
  declare readonly expose: boolean

  constructor (
    code: AnswerCode,
    {
      message = messageOf(code),
      fields = [],
      headers = {},
      tokenIn = 'header'
    }: Partial<Pick<Failure, 'message' | 'fields' | 'headers' | 'tokenIn'>> = {}
  ) {
    super(message)
    this.code = code
    this.fields = fields
    this.statusCode = errors[code].status
    this.tokenIn = tokenIn
    this.headers = { ...(this.statusCode === 401 && { 'www-authenticate': challengeFor(code) }), ...headers }
    // NestJS and others look for these two members of http-errors, and would answer 500 without them. http-errors also
    // writes them. They are not enumerable, so logs do not show the status twice.
    const hidden = { writable: true, configurable: true }
    Object.defineProperties(this, {
      status: { ...hidden, value: this.statusCode },
      expose: { ...hidden, value: this.statusCode < 500 }
    })
  }
}

/** RFC 6750 §3: the challenge names the error, except for a request without credentials. */
const challengeFor = (code: AnswerCode) =>
  code === 'not_authenticated' ? 'Bearer realm="api"' : 'Bearer realm="api", error="invalid_token"'

/** For the host's hooks: 400 `rejected` with this message, or `validation_error` with the message beside `field`. */
export class Rejection extends Error {
  readonly field: string | undefined

  constructor (message: string, field?: string) {
    super(message)
    this.field = field
  }
}

/** A field error with the message of its code; `values` fill the placeholders of the message. */
export const fieldError = (
  field: string,
  code: FieldCode,
  values: Record<string, string | number> = {},
  drf?: FieldError['drf']
): FieldError => ({ field, code, message: messageOf(code, values), ...(drf !== undefined && { drf }) })

export const failure = (code: AnswerCode, values: Record<string, string | number> = {}): Failure =>
  new Failure(code, { message: messageOf(code, values) })

export function throwIfInvalid (fields: readonly FieldError[]): void {
  if (fields.length > 0) throw new Failure('validation_error', { fields })
}

type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** Returns `values`, or throws a `validation_error`; an Error names a missing value that the checks overlooked. */
export function validOrThrow<T extends object> (values: T, fields: readonly FieldError[]): T & Present<T> {
  throwIfInvalid(fields)
  if (!isComplete(values)) throw new Error(`a missing value has no field error: ${Object.keys(values).join(', ')}`)
  return values
}

const isComplete = <T extends object>(values: T): values is T & Present<T> =>
  Object.values(values).every(value => value !== undefined)

const fastifyCodes: Record<string, AnswerCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type'
}

/** Converts any error to a failure; undefined for one that the host's own hooks threw, which the host handles. */
export function toFailure (error: unknown, request: FastifyRequest): Failure | undefined {
  if (error instanceof Failure) return error
  if (error instanceof Rejection) {
    return error.field === undefined
      ? new Failure('rejected', { message: error.message })
      : new Failure('validation_error', {
        fields: [{ field: error.field, code: 'value_not_allowed', message: error.message }]
      })
  }
  const transient = toTransientFailure(error)
  if (transient) return transient
  // A hook of the host may throw anything, even undefined.
  const { code = '', statusCode = 500 }: Partial<FastifyError> = Object(error)
  const isFastifys = String(code).startsWith('FST_ERR_')
  if (statusCode === 500 || (statusCode > 500 && isFastifys)) return new Failure('internal_error')
  if (!isFastifys) return undefined
  return failure(fastifyCodes[code] ?? 'bad_request', { type: request.headers['content-type'] ?? '' })
}

/** 503 and `Retry-After: 1` for errors that a retry may not meet. */
function toTransientFailure (error: unknown): Failure | undefined {
  // The host's `handlerTimeout` throws this error. As a 500 it would look like a fault of the plugin.
  const isLate = Object(error).code === 'FST_ERR_HANDLER_TIMEOUT'
  const code = error instanceof QueueFull
    ? 'server_busy'
    : isLate || isUnavailable(error) ? 'service_unavailable' : undefined
  return code && new Failure(code, { headers: { 'retry-after': '1' } })
}

/**
 * Removes the values of a database query from an error, because the host may log it or send it to a client. If a retry
 * may help, the error is a failure of status 503.
 */
export function redactForHost (error: unknown): unknown {
  const safe = redactQueryError(error)
  const transient = toTransientFailure(error)
  return safe === error
    ? transient ?? error
    : Object.assign(transient ?? new Failure('internal_error'), { cause: safe })
}
