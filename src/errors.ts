/**
 * A failure is thrown with `failure(code)` and answered here, in the shape that the `errors` option names:
 * problem details (RFC 9457) or Django REST framework's.
 */
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { errors, manual, messageOf, type AnswerCode, type Code, type FieldCode } from '../schemas/errors.js'
import { withoutValues } from './db/errors.js'
import { isUnavailable } from './db/errors.js'
import { HasherBusy } from './lib/password-hash.js'

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

  constructor (code: AnswerCode, { message = messageOf(code), fields = [], headers = {}, tokenIn = 'header' }: Partial<Pick<Failure, 'message' | 'fields' | 'headers' | 'tokenIn'>> = {}) {
    super(message)
    this.code = code
    this.fields = fields
    this.statusCode = errors[code][0]
    this.tokenIn = tokenIn
    this.headers = { ...(this.statusCode === 401 && { 'www-authenticate': challengeOf(code) }), ...headers }
  }
}

/** RFC 6750 §3: the challenge says what went wrong, but for a request that tried nothing. */
const challengeOf = (code: AnswerCode) => code === 'not_authenticated' ? 'Bearer realm="api"' : 'Bearer realm="api", error="invalid_token"'

/** For hooks of the host: an answer 400 `rejected` with this sentence, beside `field` if one is named. */
export class Rejection extends Error {
  readonly field: string | undefined

  constructor (message: string, field?: string) {
    super(message)
    this.field = field
  }
}

export const fieldError = (field: string, code: FieldCode, values: Record<string, string | number> = {}, drf?: FieldError['drf']): FieldError =>
  ({ field, code, message: messageOf(code, values), ...(drf !== undefined && { drf }) })

/** A failure to throw. `values` fill the placeholders of the message. */
export const failure = (code: AnswerCode, values: Record<string, string | number> = {}): Failure =>
  new Failure(code, { message: messageOf(code, values) })

/** Throws when any field is at fault. */
export function refuse (fields: readonly FieldError[]): void {
  if (fields.length > 0) throw new Failure('validation_error', { fields })
}

const ofFastify: Record<string, AnswerCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type'
}

/** Any error as a failure of ours; undefined for one that belongs to the host (its own hooks threw it). */
export function asFailure (error: unknown, request: FastifyRequest): Failure | undefined {
  if (error instanceof Failure) return error
  if (error instanceof Rejection) {
    return error.field === undefined
      ? new Failure('rejected', { message: error.message })
      : new Failure('validation_error', { fields: [{ field: error.field, code: 'value_not_allowed', message: error.message }] })
  }
  const passing = asPassing(error)
  if (passing) return passing
  // A hook of the host may throw anything.
  const { code = '', statusCode = 500 } = Object(error) as Partial<FastifyError>
  const isFastifys = String(code).startsWith('FST_ERR_')
  if (statusCode === 500 || (statusCode > 500 && isFastifys)) return new Failure('internal_error')
  if (!isFastifys) return undefined
  return failure(ofFastify[code] ?? 'bad_request', { type: request.headers['content-type'] ?? '' })
}

/** A fault that passes: try again in a second. */
function asPassing (error: unknown): Failure | undefined {
  const code = error instanceof HasherBusy ? 'server_busy' : isUnavailable(error) ? 'service_unavailable' : undefined
  return code && new Failure(code, { headers: { 'retry-after': '1' } })
}

/** What the host's code gets to see, and may answer or log: never the values of a query. */
export function asThrown (error: unknown): unknown {
  const safe = withoutValues(error)
  return safe === error ? error : Object.assign(asPassing(error) ?? new Failure('internal_error'), { cause: safe })
}

/** The error handler of our routes. */
export const createErrorHandler = (shape: 'problem' | 'drf') => function handleError (error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const answer = asFailure(error, request)
  if (!answer) throw error
  if (answer.statusCode >= 500 && !answer.isLogged) request.log.error({ err: withoutValues(error) }, 'request failed')
  sendFailure(reply, answer, shape)
}

export function sendFailure (reply: FastifyReply, failure: Failure, shape: 'problem' | 'drf') {
  const drf = shape === 'drf'
  reply.code(failure.statusCode).headers(failure.headers)
    .type(drf ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(drf ? drfBody(failure) : problemBody(failure))
}

function problemBody ({ code, statusCode, message, fields }: Failure) {
  return {
    type: `${manual}#${code}`,
    title: STATUS_CODES[statusCode],
    status: statusCode,
    code,
    detail: message,
    ...(fields.length > 0 && { errors: fields.map(({ field, code, message }) => ({ field, code, message })) })
  }
}

function drfBody ({ code, message, fields, tokenIn }: Failure): Record<string, unknown> {
  if (fields.length > 0) return drfFields(fields)
  if (errors[code][2] === 'object') return { non_field_errors: [message] }
  if (code !== 'token_not_valid' && code !== 'token_expired') return drfCodes.has(code) ? { detail: message, code } : { detail: message }
  if (tokenIn === 'body') return { detail: message, code: 'token_not_valid' }
  const reason = code === 'token_expired' ? message : 'Token is invalid'
  return {
    detail: messageOf('token_not_valid'),
    code: 'token_not_valid',
    messages: [{ token_class: 'AccessToken', token_type: 'access', message: reason }]
  }
}

const drfCodes = new Set<Code>(['bad_authorization_header', 'user_not_found', 'user_inactive'])

function drfFields (fields: readonly FieldError[]) {
  const answer: Record<string, string[]> = {}
  // Never mixed: a later step runs only where the one before found nothing.
  const reached = Math.min(...fields.map(({ drf }) => drf?.step ?? 0))
  for (const { field, drf, message } of fields) if ((drf?.step ?? 0) === reached) (answer[drf?.field ?? field] ??= []).push(message)
  return answer
}
