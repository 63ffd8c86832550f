/** Reads the provider's authorization response (RFC 6749 §4.1.2): the query of the callback, or the form it posts. */
import type { FastifyRequest } from 'fastify'
import { failure, type Failure } from '../errors/failure.js'
import { logProviderError, ProviderError } from '../oauth/provider-error.js'
import type { SocialClient } from '../oauth/types.js'
import { FormBody } from '../validation/form-body.js'

/** A parameter that is sent twice becomes a list. */
export type CallbackQuery = Record<string, string | string[] | undefined>

/** `iss` is RFC 9207; `user` is Apple's; Facebook sends some errors as a number in `error_code`, without `error`. */
const parameters = ['state', 'code', 'iss', 'error', 'error_code', 'user'] as const

/** The user's decision (OpenID Connect Core §3.1.2.6); the last two are codes of Apple and LinkedIn. */
const userDenied = new Set([
  'access_denied', 'login_required', 'consent_required', 'interaction_required', 'account_selection_required',
  'user_cancelled_authorize', 'user_cancelled_login'
])
const transientErrors = new Set(['server_error', 'temporarily_unavailable'])

/** The code to exchange. Throws `state_invalid`, or the provider's `error`, which is logged unless the user denied. */
export async function parseCallback (
  client: SocialClient,
  { query, log }: FastifyRequest<{ Querystring: CallbackQuery }>
): Promise<{ code: string, extras: { user?: string } }> {
  const { code, iss, error_code: number, error = number, user } = withoutRepetition(query)
  if (!await client.isIssuer(iss)) throw failure('state_invalid')
  if (error !== undefined) {
    const problem = fromErrorCode(error)
    if (problem instanceof ProviderError) logProviderError(log, client.settings.name, problem)
    throw problem
  }
  if (!code) throw failure('state_invalid')
  return { code, extras: { ...(user !== undefined && { user }) } }
}

/** Repeated parameters make a response invalid (RFC 6749 §3.1). */
function withoutRepetition (query: CallbackQuery) {
  const given: { [Name in (typeof parameters)[number]]?: string } = {}
  for (const name of parameters) {
    const value = query[name]
    if (Array.isArray(value)) throw failure('state_invalid')
    if (value !== undefined) given[name] = value
  }
  return given
}

/** All other codes (`invalid_scope`, `redirect_uri_mismatch`) mean that the app is configured wrongly. */
function fromErrorCode (error: string): Failure {
  if (userDenied.has(error)) return failure('provider_denied')
  const reason = `redirect: ${/^(?:[a-z_]{1,60}|\d{1,10})$/.exec(error)?.[0] ?? 'refused'}`
  return transientErrors.has(error)
    ? new ProviderError('provider_unavailable', reason)
    : new ProviderError('provider_error', reason, { isMisconfiguration: true })
}

/** The response's parameters out of a posted form (OAuth 2.0 Form Post Response Mode §2). */
export function callbackFields (body: unknown): URLSearchParams {
  const fields = body instanceof FormBody ? [...body.fields] : []
  return new URLSearchParams(fields.filter(([name]) => parameters.some(known => known === name)))
}
