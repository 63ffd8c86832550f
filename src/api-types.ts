/** The public types of what `app.authenticate` and the functions of `app.restAuth` take and return. */
import type { FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify'
import type { CheckedAuthentication } from '../schemas/options/authenticate.js'
import type { MailRow, SessionRow, SocialAccountRow } from './db/tables.js'
import type { Failure } from './errors/failure.js'
import type { MailState } from './store/outbox.js'
import type { Registered, UserPk } from './types.js'

export interface Session extends Omit<SessionRow, 'userPk' | 'graceUsesByOthers' | 'amr'> {
  /** How the user proved who they are (RFC 8176), such as `pwd`; empty if that is not known. */
  amr: string[]
}

/** The response of a login. With `tokens.cookies` the tokens may be in cookies alone. */
export interface LoginAnswer {
  access?: string
  /** ISO 8601, as all times here. */
  access_expiration?: string
  refresh?: string
  refresh_expiration?: string
  /** With `tokens.format: 'opaque'`, in place of the other two tokens. */
  key?: string
  key_expiration?: string
  /** The user as `GET /user` shows them. */
  user: Record<string, unknown>
}

/** What `users.import` has done. */
export interface ImportReport {
  /** The number of users stored. */
  stored: number
  /** Those that were not: their place in the input, from 0, and the `Failure` that names the invalid fields. */
  skipped: Array<{ index: number, reason: Failure }>
}

/** A provider's account that a user can log in with. */
export type SocialAccount = Omit<SocialAccountRow, 'userPk' | 'tokens'>

/** A mail in the outbox. Sent ones are deleted after an hour or `account.resendInterval`, failed ones are kept. */
export interface QueuedMail<Name extends string = 'auth'>
  extends Omit<MailRow, 'origin' | 'variables' | 'admittedAt' | 'userPk'> {
  userPk: UserPk<Name> | null
  state: MailState
}

// Of any server, such as HTTP/2.
export type AnyRequest = FastifyRequest<RouteGenericInterface, any, any>
export type AnyReply = FastifyReply<RouteGenericInterface, any, any, any, any, any, any, any>
/** An `onRequest` hook of Fastify. Throws a `Failure` of status 401 if it rejects the request. */
export type AuthenticateHook = (request: AnyRequest) => Promise<void>

/** The options of `app.authenticate(options)`. `maxAge` can't be combined with `stateless`, which reads no session. */
export type AuthenticateOptions = Pick<CheckedAuthentication, 'optional'> &
  (
    | {
      stateless?: false
      /** Maximum seconds since the last authentication; otherwise 401 `reauthentication_required` (RFC 9470). */
      maxAge?: number
    }
    | {
      /** Checks only the JWT, without a query: an ended session is accepted until its access token expires. */
      stateless: true
      maxAge?: never
    }
  )

export interface Authenticate {
  /**
   * Returns an `onRequest` hook. `request.user` is `null` if `optional` is set and the request has no token, and always
   * with `stateless`, which does not load the user; use `app.restAuth.claims(request)` there. Throws an Error for an
   * invalid option.
   */
  (options: AuthenticateOptions): AuthenticateHook
  /** An `onRequest` hook. Sets `request.user`, or returns 401 if the request has no access token of a live session. */
  (request: AnyRequest): Promise<void>
}

/** The claims of an access token: those of RFC 9068 and the session's ID. */
interface TokenClaims {
  iss: string
  aud: string
  /** The user's `pk`, as text. */
  sub: string
  /** The ID of the session. */
  sid: string
  jti: string
  /** Seconds since 1970. */
  iat: number
  /** Seconds since 1970. */
  exp: number
  /** When the user last proved who they are, in seconds since 1970; undefined if a link in a mail logged them in. */
  auth_time?: number
  /** How they did (RFC 8176), such as `pwd`; undefined if that is not known, as after a login with a provider. */
  amr?: string[]
}
/** What a value becomes as JSON, such as a date a text. */
type Json<T> = T extends { toJSON: () => infer Text }
  ? Text
  : T extends object ? { -readonly [Key in keyof T]: Json<T[Key]> } : T

/** The claims of an access token: those of RFC 9068, the session's ID, and those of `tokens.claims`. */
export type AccessClaims<Name extends string = 'auth'> = TokenClaims & Json<Registered<Name>['claims']>
