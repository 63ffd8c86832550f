/**
 * Tokens travel in bodies and the Authorization header or, with `tokens.cookies`, in cookies that no script can read.
 * If a request has an Authorization header, its cookies are ignored: they can't make up for an invalid header.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { failure } from '../errors/failure.js'
import { type CheckCsrf, isUnsafe } from '../http/csrf.js'
import { hasOneScope, otherScopes } from '../lib/cookie-scopes.js'
import { cookieValues, countCookies, readCookie, setCookie } from '../lib/cookies.js'
import type { CookieSettings } from '../settings/cookies.js'
import type { TokenPair } from './token-pair.js'

type Expirations = Omit<TokenPair, 'access' | 'refresh'>

export interface TokenTransport {
  /** Throws if there are several, and `csrf_failed` for a token from a cookie in a request that may be forged. */
  readAccessToken: (request: FastifyRequest) => string | undefined
  /** The refresh token from the body, else from the cookie, if any. Throws if there are two cookies. */
  readRefreshToken: (request: FastifyRequest, body: { refresh?: string | null }) => string | undefined
  /** Every value in which a logout may name its session: tokens of either kind, however the client has sent them. */
  presentedTokens: (request: FastifyRequest, body: { refresh?: string | null }) => string[]
  /** The refresh token in the cookies that a new session is about to overwrite. */
  replacedRefreshToken: (request: FastifyRequest) => string | undefined
  /** Sends a token pair. Returns what goes into the response body. */
  send: (reply: FastifyReply, tokens: TokenPair) => Expirations & Partial<TokenPair>
  clear: (reply: FastifyReply) => void
  /**
   * Deletes the cookies of our names that have another domain or path, such as one that the options named earlier, if
   * the request has at least `count` of a name: one before we set a cookie, because it would be the second.
   */
  clearOtherScopes: (request: FastifyRequest, reply: FastifyReply, count: 1 | 2) => void
  /** Throws `csrf_failed` for an unsafe request that may be forged. That includes a login (login CSRF). */
  checkCsrf: (request: FastifyRequest) => void
  vary: string
}

/** RFC 6750 §2.1: the header only. Undefined for another scheme, as in Django REST framework. */
function bearerToken ({ headers }: FastifyRequest): string | undefined {
  const [scheme = '', token, ...rest] = (headers.authorization ?? '').trim().split(' ')
  // RFC 9110 §11.1: the scheme is case-insensitive.
  if (scheme.toLowerCase() !== 'bearer') return undefined
  if (!token || rest.length > 0) throw failure('bad_authorization_header')
  return token
}

const isBearer = ({ headers }: FastifyRequest): boolean => /^\s*bearer(\s|$)/i.test(headers.authorization ?? '')

/** At most: each is looked up. */
const maxPresented = 4

/** Also without `Bearer`, or behind another scheme: a logout must not report success without looking at a token. */
const tokensInHeader = ({ headers }: FastifyRequest): string[] =>
  (headers.authorization?.match(/[\w-]+(?:\.[\w-]+)*/g) ?? [])
    .filter(part => part.length >= minTokenLength).slice(-maxPresented)
// 256 bits in base64url; an access token is longer.
const minTokenLength = 43

const bearerTransport: TokenTransport = {
  readAccessToken: bearerToken,
  readRefreshToken: (_request, { refresh }) => refresh || undefined,
  presentedTokens: (request, { refresh }) => [...tokensInHeader(request), ...refresh ? [refresh] : []],
  replacedRefreshToken: () => undefined,
  send: (_reply, tokens) => tokens,
  clear: () => {},
  clearOtherScopes: () => {},
  checkCsrf: () => {},
  vary: 'Authorization'
}

interface TransportOptions {
  /** Undefined: no cookies. */
  cookies: CookieSettings | undefined
  /** Undefined: the app itself protects against CSRF. */
  csrfCheck: CheckCsrf | undefined
  publicUrl: string | undefined
  clock: () => Date
}

export const createTokenTransport = ({ cookies, ...options }: TransportOptions): TokenTransport =>
  cookies ? cookieTransport({ cookies, ...options }) : bearerTransport

function cookieTransport (
  { cookies, csrfCheck, publicUrl, clock }: TransportOptions & { cookies: CookieSettings }
): TokenTransport {
  function readAccessToken (request: FastifyRequest): string | undefined {
    if (request.headers.authorization !== undefined) return bearerToken(request)
    if (countCookies(request, cookies.access) === 0) return undefined
    checkCsrf(request)
    return cookieOf(request, cookies.access)
  }

  const readRefreshToken: TokenTransport['readRefreshToken'] = (request, { refresh }) =>
    refresh || cookieOf(request, cookies.refresh) || undefined

  function presentedTokens (request: FastifyRequest, { refresh }: { refresh?: string | null }): string[] {
    const inCookie = (name: string) => isBearer(request) ? [] : cookieValues(request, name).slice(0, maxPresented)
    const refreshTokens = refresh ? [refresh] : inCookie(cookies.refresh)
    return [...tokensInHeader(request), ...inCookie(cookies.access), ...refreshTokens]
  }

  const replacedRefreshToken = (request: FastifyRequest) => readCookie(request, cookies.refresh)

  function send (reply: FastifyReply, { access, refresh, ...expirations }: TokenPair): Expirations {
    setCookie(reply, cookies.access, access, secondsUntil(expirations.access_expiration), cookies)
    setCookie(reply, cookies.refresh, refresh, secondsUntil(expirations.refresh_expiration), cookies)
    return expirations
  }

  const secondsUntil = (expiration: string) => Math.floor((Date.parse(expiration) - clock().getTime()) / 1000)

  function clear (reply: FastifyReply): void {
    for (const name of [cookies.access, cookies.refresh]) setCookie(reply, name, '', 0, cookies)
  }

  function clearOtherScopes (request: FastifyRequest, reply: FastifyReply, count: 1 | 2): void {
    const names = [cookies.access, cookies.refresh].filter(name => !hasOneScope(name))
    for (const name of names.filter(name => countCookies(request, name) >= count)) {
      for (const scope of otherScopes(request, cookies, publicUrl)) {
        setCookie(reply, name, '', 0, { ...cookies, ...scope })
      }
    }
  }

  function checkCsrf (request: FastifyRequest): void {
    // Only Bearer is exempt: a browser adds Basic and Negotiate credentials to cross-site requests by itself.
    if (isUnsafe(request) && !isBearer(request)) csrfCheck?.(request)
  }

  const vary = 'Authorization, Cookie, Origin, Sec-Fetch-Site'
  return {
    readAccessToken,
    readRefreshToken,
    presentedTokens,
    replacedRefreshToken,
    send,
    clear,
    clearOtherScopes,
    checkCsrf,
    vary
  }
}

/** Throws if it was sent twice: a neighbouring host or path planted one, nothing shows which (RFC 6265bis §8.6). */
function cookieOf (request: FastifyRequest, name: string): string | undefined {
  if (request.headers.authorization !== undefined) return undefined
  if (countCookies(request, name) > 1) throw failure('token_not_valid')
  return readCookie(request, name)
}
