/** Sends failures in the shape of the `errors` option: problem details (RFC 9457) or that of Django REST framework. */
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { type Code, errors, manual, messageOf } from '../../schemas/errors.js'
import { redactQueryError } from '../db/errors.js'
import { namesIn } from '../lib/json-pointer.js'
import { toFailure, Failure, type FieldError } from './failure.js'

/** Messages of a field, or per member of it; then `non_field_errors` has those about the field itself. */
type Messages = string[] | { [member: string]: Messages }

function drfFields (fields: readonly FieldError[]): Record<string, Messages> {
  // Django REST framework runs a step only if the one before found no errors, so only one step is reported.
  const reached = Math.min(...fields.map(({ drf }) => drf?.step ?? 0))
  return nest(fields.filter(({ drf }) => (drf?.step ?? 0) === reached).map(({ field, drf, pointer, message }) =>
    ({ path: pointer === undefined ? [drf?.field ?? field] : namesIn(pointer), message })))
}

function nest (found: ReadonlyArray<{ path: string[], message: string }>): Record<string, Messages> {
  const names = new Set(found.map(({ path: [name = ''] }) => name))
  return Object.fromEntries([...names].map(name => {
    const here = found.filter(({ path }) => path[0] === name)
    const own = here.filter(({ path }) => path.length === 1).map(({ message }) => message)
    if (own.length === here.length) return [name, own]
    const deeper = here.filter(({ path }) => path.length > 1)
    const members = nest(deeper.map(({ path, message }) => ({ path: path.slice(1), message })))
    return [name, { ...(own.length > 0 && { non_field_errors: own }), ...members }]
  }))
}

const drfCodes = new Set<Code>(['bad_authorization_header', 'user_not_found', 'user_inactive'])

function drfBody ({ code, message, fields, tokenIn }: Failure): Record<string, unknown> {
  if (fields.length > 0) return drfFields(fields)
  if (errors[code].shownIn === 'object') return { non_field_errors: [message] }
  if (code !== 'token_not_valid' && code !== 'token_expired') {
    return drfCodes.has(code) ? { detail: message, code } : { detail: message }
  }
  if (tokenIn === 'key') return { detail: 'Invalid token.' }
  if (tokenIn === 'body') return { detail: message, code: 'token_not_valid' }
  const reason = code === 'token_expired' ? message : 'Token is invalid'
  return {
    detail: messageOf('token_not_valid'),
    code: 'token_not_valid',
    messages: [{ token_class: 'AccessToken', token_type: 'access', message: reason }]
  }
}

function problemBody ({ code, statusCode, message, fields }: Failure) {
  return {
    type: `${manual}#${code}`,
    title: STATUS_CODES[statusCode],
    status: statusCode,
    code,
    detail: message,
    ...(fields.length > 0 && { errors: fields.map(({ drf: _drf, ...error }) => error) })
  }
}

export function sendFailure (reply: FastifyReply, failure: Failure, shape: 'problem' | 'drf') {
  const drf = shape === 'drf'
  reply.code(failure.statusCode).headers(failure.headers)
    .type(drf ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(drf ? drfBody(failure) : problemBody(failure))
}

/** Logs a failure that is no fault of the client's, unless that has been done. */
export function logServerError ({ log }: FastifyRequest, { statusCode, isLogged }: Failure, error: unknown): void {
  if (statusCode >= 500 && !isLogged) log.error({ err: redactQueryError(error) }, 'request failed')
}

/**
 * The error handler of the plugin's routes; `undo` removes what the failed request has stored. Passes on errors that
 * the host's own hooks threw.
 */
export const createErrorHandler = (shape: 'problem' | 'drf', undo: (request: FastifyRequest) => Promise<void>) =>
  async function handleError (error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
    // The database may be why the request failed: what can't be taken back must not replace the answer.
    await undo(request).catch(cause => {
      request.log.error({ err: redactQueryError(cause) }, 'a session whose tokens reached nobody could not be deleted')
    })
    const answer = toFailure(error, request)
    if (!answer) throw error
    logServerError(request, answer, error)
    sendFailure(reply, answer, shape)
    return await reply
  }
