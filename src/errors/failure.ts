/** What a route may throw: `failure(code)`, by the table of codes in schemas/errors.ts. */
import type { FastifyError, FastifyRequest } from 'fastify'
import { errors, messageOf, type AnswerCode, type FieldCode } from '../../schemas/errors.js'
import { redactQueryError, isUnavailable } from '../db/errors.js'
import { HasherBusy } from '../lib/password-hash.js'

export interface FieldError {
  field: string
  code: FieldCode
  message: string
  /** Found by Django REST framework once all fields are right: where it puts it, and in which of its further steps. */
  drf?: { field: string, step: 1 | 2 | 3 }
}

/** What went wrong, by its code; with fields, which of them and why. */
export class Failure extends Error {
  readonly code: AnswerCode
  readonly fields: readonly FieldError[]
  readonly headers: Record<string, string>
  readonly statusCode: number
  /** Where the token came from that is at fault: of one in a body Django REST framework says less. */
  readonly tokenIn: 'header' | 'body'
  /** Whether whoever threw it has told the log why. */
  readonly isLogged: boolean = false

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
  }
}

/** RFC 6750 §3: the challenge says what went wrong, but for a request that tried nothing. */
const challengeFor = (code: AnswerCode) =>
  code === 'not_authenticated' ? 'Bearer realm="api"' : 'Bearer realm="api", error="invalid_token"'

/** For hooks of the host: an answer 400 `rejected` with this sentence, beside `field` if one is named. */
export class Rejection extends Error {
  readonly field: string | undefined

  constructor (message: string, field?: string) {
    super(message)
    this.field = field
  }
}

export const fieldError = (
  field: string,
  code: FieldCode,
  values: Record<string, string | number> = {},
  drf?: FieldError['drf']
): FieldError => ({ field, code, message: messageOf(code, values), ...(drf !== undefined && { drf }) })

/** A failure to throw. `values` fill the placeholders of the message. */
export const failure = (code: AnswerCode, values: Record<string, string | number> = {}): Failure =>
  new Failure(code, { message: messageOf(code, values) })

/** Throws when any field is at fault. */
export function throwIfInvalid (fields: readonly FieldError[]): void {
  if (fields.length > 0) throw new Failure('validation_error', { fields })
}

const ofFastify: Record<string, AnswerCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type'
}

/** Any error as a failure of ours; undefined for one that belongs to the host (its own hooks threw it). */
export function toFailure (error: unknown, request: FastifyRequest): Failure | undefined {
  if (error instanceof Failure) return error
  if (error instanceof Rejection) {
    return error.field === undefined
      ? new Failure('rejected', { message: error.message })
      : new Failure('validation_error', {
        fields: [{ field: error.field, code: 'value_not_allowed', message: error.message }]
      })
  }
  const passing = toTransientFailure(error)
  if (passing) return passing
  // A hook of the host may throw anything.
  const { code = '', statusCode = 500 } = Object(error) as Partial<FastifyError>
  const isFastifys = String(code).startsWith('FST_ERR_')
  if (statusCode === 500 || (statusCode > 500 && isFastifys)) return new Failure('internal_error')
  if (!isFastifys) return undefined
  return failure(ofFastify[code] ?? 'bad_request', { type: request.headers['content-type'] ?? '' })
}

/** A fault that passes: try again in a second. */
function toTransientFailure (error: unknown): Failure | undefined {
  const code = error instanceof HasherBusy ? 'server_busy' : isUnavailable(error) ? 'service_unavailable' : undefined
  return code && new Failure(code, { headers: { 'retry-after': '1' } })
}

/** What the host's code gets to see, and may answer or log: never the values of a query. */
export function redactForHost (error: unknown): unknown {
  const safe = redactQueryError(error)
  return safe === error
    ? error
    : Object.assign(toTransientFailure(error) ?? new Failure('internal_error'), { cause: safe })
}
