/** The public types of what the plugin adds to the app: `app.authenticate`, `request.user` and `app.restAuth`. */
import type { FastifyRequest, RouteGenericInterface } from 'fastify'
import type { CheckedAuthentication } from '../schemas/options/authenticate.js'
import type { MailRow, SessionRow, SocialAccountRow } from './db/tables.js'
import type { ProviderTokens } from './oauth/types.js'
import type { MailState } from './store/outbox.js'
import type { NewUser, StoredUser, Tx, User, UserChanges, UserPk } from './types.js'

export type Session = Omit<SessionRow, 'userPk' | 'graceUsesByOthers'>

/** A provider's account that a user can log in with. */
export type SocialAccount = Omit<SocialAccountRow, 'userPk' | 'tokens'>

/** A mail in the outbox. Sent ones are deleted after an hour or `account.resendInterval`, failed ones are kept. */
export interface QueuedMail extends Omit<MailRow, 'origin' | 'variables' | 'admittedAt' | 'userPk'> {
  userPk: UserPk | null
  state: MailState
}

// Of any server, such as HTTP/2.
type AnyRequest = FastifyRequest<RouteGenericInterface, any, any>
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

/** The claims of an access token: those of RFC 9068, the session's ID, and those of `tokens.claims`. */
export interface AccessClaims {
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
  [name: string]: unknown
}

/** The API for the app's own code, at `app.restAuth`. */
export interface RestAuth {
  authenticate: Authenticate
  /** The claims in the access token of a request that `authenticate` accepted; `null` without one. */
  claims: (request: AnyRequest) => AccessClaims | null
  users: {
    /**
     * Stores a user like a registration, but without hooks and mails. Throws a `Failure` with the code
     * `validation_error` and the invalid `fields`, or a TypeError for an unknown field.
     */
    create: (input: NewUser) => Promise<StoredUser>
    /** Finds a user by exactly one identifier; undefined if there is none. */
    find: (by: { pk: UserPk } | { email: string } | { username: string }) => Promise<StoredUser | undefined>
    /**
     * Changes fields; undefined if there is no such user. A new `email` becomes unverified unless `email_verified` is
     * given. Throws like `create`.
     */
    update: (pk: UserPk, changes: UserChanges) => Promise<StoredUser | undefined>
    /** Allows a deactivated user to log in again; undefined if there is no such user. */
    activate: (pk: UserPk) => Promise<StoredUser | undefined>
    /** Ends all sessions of the user and prevents new ones; undefined if there is no such user. */
    deactivate: (pk: UserPk) => Promise<StoredUser | undefined>
    /** Deletes the user and their sessions; false if there is no such user. */
    delete: (pk: UserPk) => Promise<boolean>
  }
  sessions: {
    /** The sessions of a user, newest first. Expired ones are listed until they are deleted. */
    list: (userPk: UserPk) => Promise<Session[]>
    /** Ends a session; false if there is none with this ID. */
    end: (id: string) => Promise<boolean>
    endAll: (userPk: UserPk) => Promise<void>
  }
  socialAccounts: {
    /** The linked accounts of a user, oldest first. */
    list: (userPk: UserPk) => Promise<SocialAccount[]>
    /**
     * The provider's tokens as of the last login; undefined if `storeTokens` did not keep any, or if the `secret` that
     * encrypted them is no longer configured.
     */
    tokens: (id: string) => Promise<ProviderTokens | undefined>
    /** Unlinks an account, even if it is the user's only way to log in; false if there is none with this ID. */
    disconnect: (id: string) => Promise<boolean>
  }
  mail: {
    /**
     * Queues a mail to a user, from a template of `mail.templates` or a built-in one, and returns its ID. Until it is
     * sent, `values` are stored in the database, so they must not contain secrets. With the `tx` of a hook, the mail is
     * queued in that transaction. Throws a TypeError for an unknown template or a user without an address.
     */
    send: (
      template: string, user: { pk: UserPk }, values?: Record<string, unknown>, options?: { tx?: Tx }
    ) => Promise<string>
    /** The mails in the outbox, oldest first. */
    list: (filter?: { state?: MailState }) => Promise<QueuedMail[]>
    /** Gives all failed mails, or the one with this ID, eight more attempts. Returns the number of mails. */
    retry: (id?: string) => Promise<number>
    /** Sends the mails that are due; resolves once each that was queued before is handed over or has failed. */
    flush: () => Promise<void>
  }
  /** The OpenAPI 3.1 document of the routes. */
  openapi: () => Record<string, unknown>
  /** Updates the tables and the columns of the user fields. Returns the SQL statements that were run. */
  migrate: () => Promise<string[]>
  /** The API of another registration of the plugin in this app, by the path of its routes. Throws if there is none. */
  under: (path: string) => RestAuth
}

// A re-export, because the compiler would drop an unused import from the .d.ts, and with it the augmentation below.
export type {} from '@fastify/jwt'

declare module '@fastify/jwt' {
  // @fastify/jwt declares the type of `request.user`, and a second declaration would conflict.
  interface FastifyJWT { user: User }
}

declare module 'fastify' {
  interface FastifyInstance {
    authenticate: RestAuth['authenticate']
    restAuth: RestAuth
  }
}
