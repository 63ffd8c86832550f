/** Tokens in cookies: all of them, or only the refresh token; with `apps: 'body'` for pages in browsers alone. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { failure } from '../errors/failure.js'
import { isUnsafe, type CheckCsrf } from '../http/csrf.js'
import { hasOneScope, otherScopes } from '../lib/cookie-scopes.js'
import { cookieValues, countCookies, deleteTwin, readCookie, setCookie } from '../lib/cookies.js'
import { authenticatingCookie, type CookieSettings } from '../settings/cookies.js'
import { maxPresented, tokensInHeader, type AuthorizationHeader } from './authorization-header.js'
import { createDeviceInCookie } from './device-transport.js'
import { bodyOf, type IssuedToken, type TokenBody } from './issued-tokens.js'
import type { TokenTransport } from './token-transport.js'

interface CookieTransportOptions {
  header: AuthorizationHeader
  cookies: CookieSettings
  /** Undefined: the app itself protects against CSRF. */
  csrfCheck: CheckCsrf | undefined
  publicUrl: string | undefined
  clock: () => Date
}

export function createCookieTransport (
  { header, cookies, csrfCheck, publicUrl, clock }: CookieTransportOptions
): TokenTransport {
  const { access, refresh, key } = cookies.names
  const authenticating = authenticatingCookie(cookies)
  const names = [access, refresh, key].filter(name => name !== undefined)
  // If the access token travels in the header, the header says nothing of the refresh cookie that comes with it.
  const headerReplacesCookies = authenticating !== undefined
  const isApp = (request: FastifyRequest) => cookies.apps === 'body' && isNoPage(request)

  function readAccessToken (request: FastifyRequest): string | undefined {
    if (authenticating === undefined || request.headers.authorization !== undefined) return header.readToken(request)
    if (countCookies(request, authenticating) === 0) return undefined
    checkCsrf(request)
    return cookieOf(request, authenticating)
  }

  function readRefreshToken (request: FastifyRequest, body: { refresh?: string | null }): string | undefined {
    if (body.refresh) return body.refresh
    if (refresh === undefined || (headerReplacesCookies && !header.isMissing(request))) return undefined
    if (countCookies(request, refresh) > 0) csrfCheck?.(request)
    return cookieOf(request, refresh)
  }

  function presentedTokens (request: FastifyRequest, body: { refresh?: string | null }): string[] {
    const inCookie = (name: string | undefined) =>
      name === undefined || (headerReplacesCookies && header.isOurs(request))
        ? []
        : cookieValues(request, name).slice(0, maxPresented)
    const refreshTokens = body.refresh ? [body.refresh] : inCookie(refresh)
    return [...tokensInHeader(request), ...inCookie(authenticating), ...refreshTokens]
  }

  function replacedToken (request: FastifyRequest): string | undefined {
    const name = refresh ?? key
    return name === undefined ? undefined : readCookie(request, name)
  }

  function send (reply: FastifyReply, tokens: IssuedToken[]): TokenBody {
    if (isApp(reply.request)) return bodyOf(tokens)
    for (const { name, value, expiresAt, cookieExpiresAt = expiresAt } of tokens) {
      const cookie = cookies.names[name]
      if (cookie !== undefined) setCookie(reply, cookie, value, secondsUntil(cookieExpiresAt), cookies)
    }
    return bodyOf(tokens, ({ name }) => cookies.names[name] === undefined)
  }

  const secondsUntil = (expiration: Date) => Math.floor((expiration.getTime() - clock().getTime()) / 1000)

  function clear (reply: FastifyReply): void {
    if (isApp(reply.request)) return
    for (const name of names) setCookie(reply, name, '', 0, cookies)
  }

  function clearOtherScopes (request: FastifyRequest, reply: FastifyReply, count: 1 | 2): void {
    const ambiguous = names.filter(name => !hasOneScope(name) && countCookies(request, name) >= count)
    for (const name of ambiguous) {
      for (const scope of otherScopes(request, cookies, publicUrl)) {
        setCookie(reply, name, '', 0, { ...cookies, ...scope })
      }
    }
    clearTwins(request, reply, count)
  }

  /**
   * A browser keeps a cookie with Partitioned beside one without, and sends both: those from before the option was
   * changed. Where it is off, only two cookies of a name can be a sign of it.
   */
  function clearTwins (request: FastifyRequest, reply: FastifyReply, count: 1 | 2): void {
    if (!cookies.secure) return
    const twins = names.filter(name => countCookies(request, name) >= (cookies.partitioned ? count : 2))
    for (const name of twins) deleteTwin(reply, name, { ...cookies, partitioned: !cookies.partitioned })
  }

  function checkCsrf (request: FastifyRequest): void {
    // Only our schemes are exempt: a browser adds Basic and Negotiate credentials to cross-site requests by itself. An
    // app neither sends cookies nor gets any.
    const hasOnlyHeader = header.isOurs(request) && (headerReplacesCookies || request.headers.cookie === undefined)
    if (isUnsafe(request) && !hasOnlyHeader && !isApp(request)) csrfCheck?.(request)
  }

  const vary = 'Authorization, Cookie, Origin, Sec-Fetch-Site'
  return {
    readAccessToken,
    readRefreshToken,
    presentedTokens,
    replacedToken,
    send,
    ...createDeviceInCookie(`${refresh ?? key}-device`, cookies, isApp),
    clear,
    clearOtherScopes,
    checkCsrf,
    vary
  }
}

/**
 * Whether no page in a browser can have sent this. Browsers add Sec-Fetch-Site to every request to https and localhost,
 * and Origin to every POST, and no script can remove either (Fetch §2.2.2, "forbidden request-header").
 */
const isNoPage = ({ headers }: FastifyRequest): boolean =>
  headers['sec-fetch-site'] === undefined && headers.origin === undefined && headers.cookie === undefined

/** Throws if it was sent twice: a neighbouring host or path planted one, nothing shows which (RFC 6265bis §8.6). */
function cookieOf (request: FastifyRequest, name: string): string | undefined {
  if (countCookies(request, name) > 1) throw failure('token_not_valid')
  return readCookie(request, name)
}
