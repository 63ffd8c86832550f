/** Reads the token response (RFC 6749 §5.1) or the error response (§5.2) of a token endpoint. */
import { membersOf } from '../providers/claims.js'
import { networkError, ProviderError, statusError } from './provider-error.js'

export interface TokenResponse {
  accessToken: string
  idToken: string | undefined
  refreshToken: string | undefined
  /** Milliseconds since the epoch. */
  expiresAt: number | undefined
  scope: string | undefined
}

const what = 'token endpoint'

/** Checks a response with status 2xx, which may be an error response, too (GitHub). Throws a ProviderError. */
export function readTokenResponse (body: unknown, status: number | undefined, now: Date): TokenResponse {
  if (status === undefined || status < 200 || status > 299) throw statusError(what, status ?? 0)
  const {
    access_token: accessToken,
    token_type: type,
    id_token: idToken,
    refresh_token: refreshToken,
    expires_in: lifetime,
    scope,
    error
  } = membersOf(body)
  if (error !== undefined) throw fromErrorCode(error)
  if (typeof accessToken !== 'string' || !visible.test(accessToken)) {
    throw new ProviderError('provider_error', `${what}: no access token`)
  }
  // §7.1: a client must not use a token of a type that it does not know.
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw new ProviderError('provider_error', `${what}: the token type is not Bearer`)
  }
  const seconds = typeof lifetime === 'number' || typeof lifetime === 'string' ? Number(lifetime) : NaN
  return {
    accessToken,
    idToken: asString(idToken),
    refreshToken: asString(refreshToken),
    expiresAt: seconds > 0 && seconds < 1e10 ? now.getTime() + Math.floor(seconds * 1000) : undefined,
    scope: asString(scope)
  }
}

/** RFC 6749 appendix A.12; a line break would not fit into a header. */
const visible = /^[\x20-\x7E]{1,16384}$/
const asString = (value: unknown) => typeof value === 'string' ? value : undefined

export function exchangeError (
  error: unknown,
  { status, tooLarge }: { status: number | undefined, tooLarge: boolean }
): ProviderError {
  if (error instanceof ProviderError) return error
  if (status === undefined) return networkError(what, error)
  if (tooLarge) return new ProviderError('provider_error', `${what}: more than 1 MiB`)
  // simple-oauth2 throws a Boom error: with status 500 for an incomplete response, otherwise with the response.
  const { data, output } = membersOf(error)
  if (status >= 200 && status < 300) {
    return membersOf(output).statusCode === 500
      ? networkError(what, undefined)
      : new ProviderError('provider_error', `${what}: not JSON`)
  }
  const { error: code } = membersOf(membersOf(data).payload)
  return code === undefined || status < 400 || status >= 500 || status === 429
    ? statusError(what, status)
    : fromErrorCode(code)
}

/** Codes for a wrong redirect URI: of GitHub and Google, and of Facebook. */
const redirectMismatch = new Set(['redirect_uri_mismatch', '191'])
/** Wrong configuration: codes of OAuth, of GitHub, and Facebook's (unknown app, wrong secret). */
const misconfigured = new Set([
  'invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope', 'incorrect_client_credentials',
  '1', '101', ...redirectMismatch
])

/** All other codes concern the authorization code, which any client may have sent. */
function fromErrorCode (error: unknown): ProviderError {
  // Facebook sends an object.
  const { code: given = error } = membersOf(error)
  const code = typeof given === 'number' || typeof given === 'string' ? String(given) : ''
  // Only plain codes are logged: other text might repeat parts of the request.
  const reason = `${what}: ${/^([a-z]{1,30}(_[a-z]{1,30}){0,5}|\d{1,5})$/.exec(code)?.[0] ?? 'refused'}`
  return misconfigured.has(code)
    ? new ProviderError('provider_error', reason, {
      isMisconfiguration: true,
      isRedirectMismatch: redirectMismatch.has(code)
    })
    : new ProviderError('code_exchange_failed', reason)
}
