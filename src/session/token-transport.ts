/**
 * Tokens travel in bodies and the Authorization header or, with `tokens.cookies`, in cookies that no script can read.
 * If a request has an Authorization header, its cookies are ignored: they can't make up for an invalid header.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { IssuedToken, TokenBody } from './issued-tokens.js'

export interface TokenTransport {
  /**
   * The token that authenticates a request. Throws if there are several, and `csrf_failed` for a token from a cookie in
   * a request that may be forged.
   */
  readAccessToken: (request: FastifyRequest) => string | undefined
  /** The refresh token from the body, else from the cookie, if any. Throws if there are two cookies. */
  readRefreshToken: (request: FastifyRequest, body: { refresh?: string | null }) => string | undefined
  /** Every value in which a logout may name its session: tokens of any kind, however the client has sent them. */
  presentedTokens: (request: FastifyRequest, body: { refresh?: string | null }) => string[]
  /** The refresh token or key in the cookie that a new session is about to overwrite. */
  replacedToken: (request: FastifyRequest) => string | undefined
  /** Sends tokens to the client whose request this replies to. Returns what goes into the response body. */
  send: (reply: FastifyReply, tokens: IssuedToken[]) => TokenBody
  /** The token of a trusted device: from the header `Device-Token`, or a cookie. */
  readDeviceToken: (request: FastifyRequest) => string | undefined
  sendDeviceToken: (reply: FastifyReply, token: string) => void
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
