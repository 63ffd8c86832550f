/** What a token endpoint says: tokens (RFC 6749 §5.1), or whose fault it is that there are none (§5.2). */
import { networkError, ProviderError, statusError } from './provider-error.js'

export interface TokenResponse {
  accessToken: string
  idToken: string | undefined
  refreshToken: string | undefined
  /** Milliseconds since 1970. */
  expiresAt: number | undefined
  scope: string | undefined
}

const what = 'token endpoint'

/** Checks an answer of status 2xx. GitHub tells errors in one, too. */
export function readTokenAnswer (answer: unknown, status: number | undefined, now: Date): TokenResponse {
  if (status === undefined || status < 200 || status > 299) throw statusError(what, status ?? 0)
  const {
    access_token: accessToken,
    token_type: type,
    id_token: idToken,
    refresh_token: refreshToken,
    expires_in: lasts,
    scope,
    error
  } = Object(answer) as Record<string, unknown>
  if (error !== undefined) throw refusal(error)
  if (typeof accessToken !== 'string' || !visible.test(accessToken)) { throw new ProviderError('provider_error', `${what}: no access token`) }
  // §7.1: of any other type we would not know how to use it.
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') { throw new ProviderError('provider_error', `${what}: the token type is not Bearer`) }
  const seconds = typeof lasts === 'number' || typeof lasts === 'string' ? Number(lasts) : NaN
  return {
    accessToken,
    idToken: asString(idToken),
    refreshToken: asString(refreshToken),
    expiresAt: seconds > 0 && seconds < 1e10 ? now.getTime() + Math.floor(seconds * 1000) : undefined,
    scope: asString(scope)
  }
}

/** RFC 6749 appendix A.12: what goes into a header holds no line break. */
const visible = /^[\x20-\x7E]{1,16384}$/
const asString = (value: unknown) => typeof value === 'string' ? value : undefined

/** What an exchange that threw is, by what was seen of the answer, if there was one. */
export function exchangeError (error: unknown, { status, tooLarge }: { status: number | undefined, tooLarge: boolean }): ProviderError {
  if (error instanceof ProviderError) return error
  if (status === undefined) return networkError(what, error)
  if (tooLarge) return new ProviderError('provider_error', `${what}: more than 1 MiB`)
  // A Boom: 500 where the answer broke off, else the answer itself.
  const { data, output } = Object(error) as { data?: { payload?: unknown }, output?: { statusCode?: number } }
  if (status >= 200 && status < 300) {
    return output?.statusCode === 500
      ? networkError(what, undefined)
      : new ProviderError('provider_error', `${what}: no JSON`)
  }
  const { error: refused } = Object(data?.payload) as { error?: unknown }
  return refused === undefined || status < 400 || status >= 500 || status === 429
    ? statusError(what, status)
    : refusal(refused)
}

/** The app's own fault, for its people to mend: OAuth's codes, GitHub's, and Facebook's numbers (an unknown app or secret, a redirect not listed). */
const misconfigured = new Set([
  'invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope', 'redirect_uri_mismatch',
  'incorrect_client_credentials', '1', '101', '191'
])

/** Everything else is about the code, which anybody may have sent. */
function refusal (error: unknown): ProviderError {
  // Facebook's is an object; not every one of JSON can be made a string.
  const { code: given = error } = Object(error) as { code?: unknown }
  const code = typeof given === 'number' || typeof given === 'string' ? String(given) : ''
  // Whatever else stands there might be a part of what was sent.
  const reason = `${what}: ${/^([a-z]{1,30}(_[a-z]{1,30}){0,5}|\d{1,5})$/.exec(code)?.[0] ?? 'refused'}`
  return misconfigured.has(code)
    ? new ProviderError('provider_error', reason, { isMisconfiguration: true })
    : new ProviderError('code_exchange_failed', reason)
}
