/**
 * How tokens travel, in one place: by the body of the answer and the Authorization header, or (`tokens.cookies`)
 * by cookies that no script can read.
 *
 * A request with an Authorization header has no cookies, as far as this is concerned: what is wrong with the
 * header is never made good by them.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { failure } from '../errors/failure.js'
import { type CheckCsrf, isUnsafe } from '../http/csrf.js'
import { cookieValues, setCookie } from '../lib/cookies.js'
import type { CookieSettings } from '../settings/cookies.js'

type Expirations = Omit<TokenPair, 'access' | 'refresh'>

export interface TokenTransport {
  /**
   * The access token of a request, if any; throws where there is more than one, and `csrf_failed` where it is a
   * cookie's and the request may be a forgery.
   */
  readAccessToken: (request: FastifyRequest) => string | undefined
  /** The refresh token of a request, if any: that of the body, else the cookie's; throws where there are two cookies. */
  readRefreshToken: (request: FastifyRequest, body: { refresh?: string | null }) => string | undefined
  /** The refresh token of the session that a new one takes the cookies from. */
  replacedRefreshToken: (request: FastifyRequest) => string | undefined
  /** Sends tokens on their way; answers with what is to be the body, or a part of it. */
  send: (reply: FastifyReply, tokens: TokenPair) => Expirations & Partial<TokenPair>
  /** Takes the cookies back. */
  clear: (reply: FastifyReply) => void
  /** Throws `csrf_failed` for an unsafe request that may be a forgery, whatever it wants: a login, too (login CSRF). */
  checkCsrf: (request: FastifyRequest) => void
  /** The headers of a request that decide the answer. */
  vary: string
}

/** RFC 6750 §2.1: the header only. Undefined where it has another scheme, as in Django REST framework. */
function bearerToken ({ headers }: FastifyRequest): string | undefined {
  const [scheme = '', token, ...rest] = (headers.authorization ?? '').trim().split(' ')
  // RFC 9110 §11.1: the scheme is case-insensitive.
  if (scheme.toLowerCase() !== 'bearer') return undefined
  if (!token || rest.length > 0) throw failure('bad_authorization_header')
  return token
}

const isBearer = ({ headers }: FastifyRequest): boolean => /^\s*bearer(\s|$)/i.test(headers.authorization ?? '')

const bearerTransport: TokenTransport = {
  readAccessToken: bearerToken,
  readRefreshToken: (_request, { refresh }) => refresh || undefined,
  replacedRefreshToken: () => undefined,
  send: (_reply, tokens) => tokens,
  clear: () => {},
  checkCsrf: () => {},
  vary: 'Authorization'
}

/** `cookies` undefined: tokens travel in bodies and headers; `checkCsrf` undefined: the app answers for forgeries. */
export function createTokenTransport (cookies: CookieSettings | undefined, checkCsrf: CheckCsrf | undefined, clock: () => Date): TokenTransport {
  if (!cookies) return bearerTransport

  /** Two of one name: one was planted from a neighbouring host or path, and nothing tells which (RFC 6265bis §8.6). */
  function cookieOf ({ headers }: FastifyRequest, name: string): string | undefined {
    const values = headers.authorization === undefined ? cookieValues(headers.cookie, name) : []
    if (values.length > 1) throw failure('token_not_valid')
    return values[0]
  }

  const secondsUntil = (expiration: string) => Math.floor((Date.parse(expiration) - clock().getTime()) / 1000)

  return {
    readAccessToken (request) {
      if (request.headers.authorization !== undefined) return bearerToken(request)
      if (cookieValues(request.headers.cookie, cookies.access).length === 0) return undefined
      this.checkCsrf(request)
      return cookieOf(request, cookies.access)
    },

    readRefreshToken: (request, { refresh }) => refresh || cookieOf(request, cookies.refresh) || undefined,

    replacedRefreshToken ({ headers }) {
      const values = cookieValues(headers.cookie, cookies.refresh)
      return values.length === 1 ? values[0] : undefined
    },

    send (reply, { access, refresh, ...expirations }) {
      reply.header('set-cookie', [
        setCookie(cookies.access, access, secondsUntil(expirations.access_expiration), cookies),
        setCookie(cookies.refresh, refresh, secondsUntil(expirations.refresh_expiration), cookies)
      ])
      return expirations
    },

    clear (reply) {
      reply.header('set-cookie', [cookies.access, cookies.refresh].map(name => setCookie(name, '', 0, cookies)))
    },

    checkCsrf (request) {
      // Basic and Negotiate a browser adds by itself, to what other sites send, too.
      if (isUnsafe(request) && !isBearer(request)) checkCsrf?.(request)
    },

    vary: 'Authorization, Cookie, Origin, Sec-Fetch-Site'
  }
}
export interface TokenPair {
  access: string
  refresh: string
  access_expiration: string
  refresh_expiration: string
}
