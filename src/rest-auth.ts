/** What the plugin gives to the app: `app.authenticate`, `request.user`, `app.restAuth`. */
import type { FastifyRequest } from 'fastify'
import type { CheckedAuthentication } from '../schemas/options/authenticate.js'
import type { MailRow, SessionRow, SocialAccountRow } from './db/tables.js'
import type { ProviderTokens } from './oauth/types.js'
import type { MailState } from './store/outbox.js'
import type { NewUser, Tx, User, UserChanges } from './types.js'

export type Session = Omit<SessionRow, 'userPk'>

/** An account at a provider that its user can log in with. */
export type SocialAccount = Omit<SocialAccountRow, 'userPk' | 'tokens'>

/** A row of the outbox. What was sent is forgotten after an hour, what failed is kept. */
export interface QueuedMail extends Omit<MailRow, 'origin' | 'variables' | 'admittedAt'> {
  state: MailState
}

export type AuthenticateHook = (request: FastifyRequest) => Promise<void>

/** What `app.authenticate(options)` lets in. A session's age is only known to who looks it up. */
export type AuthenticateOptions = Pick<CheckedAuthentication, 'optional'> &
  (
    | {
      stateless?: false
      /** Seconds since the password was last given; else 401 `reauthentication_required` (RFC 9470). */ maxAge?: number
    }
    | {
      /** Signature and claims only, without a query: a session that has ended counts until its token expires. */ stateless: true
      maxAge?: never
    }
  )

export interface Authenticate {
  /**
   * A hook of another kind. `request.user` is `null` where it is `optional` and no token was sent, and, as nobody looked
   * the user up, always where it is `stateless`: `app.restAuth.claims(request)` has what the token says. Throws an Error
   * that names the option at fault.
   */
  (options: AuthenticateOptions): AuthenticateHook
  /** An `onRequest` hook: 401 unless a live session's access token is sent; sets `request.user`. */
  (request: FastifyRequest): Promise<void>
}

/** The claims of an access token: those of RFC 9068, the session's id, and those of `tokens.claims`. */
export interface AccessClaims {
  iss: string
  aud: string
  /** The user's `pk`. */
  sub: string
  sid: string
  jti: string
  /** Seconds since 1970. */
  iat: number
  exp: number
  [name: string]: unknown
}

/** The programmatic side, at `app.restAuth`. */
export interface RestAuth {
  authenticate: Authenticate
  /** What the token of an authenticated request says; `null` where there was none. */
  claims: (request: FastifyRequest) => AccessClaims | null
  users: {
    /** Stores a user as registration would, without its hooks. Throws a `Failure` with the fields at fault. */
    create: (input: NewUser) => Promise<User>
    /** By one of its identifiers; undefined when there is none. */
    find: (by: { pk: string } | { email: string } | { username: string }) => Promise<User | undefined>
    update: (pk: string, changes: UserChanges) => Promise<User | undefined>
    /** Lets the user in again. */
    activate: (pk: string) => Promise<User | undefined>
    /** Ends every session and refuses new ones. */
    deactivate: (pk: string) => Promise<User | undefined>
    /** Deletes the user and its sessions; false when there was none. */
    delete: (pk: string) => Promise<boolean>
  }
  sessions: {
    /** Newest first. */
    list: (userPk: string) => Promise<Session[]>
    end: (id: string) => Promise<boolean>
    endAll: (userPk: string) => Promise<void>
  }
  socialAccounts: {
    /** Oldest first. */
    list: (userPk: string) => Promise<SocialAccount[]>
    /** The provider's tokens as of the last login; undefined where `storeTokens` did not keep any, or the `secret` is gone that they were encrypted with. */
    tokens: (id: string) => Promise<ProviderTokens | undefined>
    /** False when there was none. Does not ask whether the user has another way in. */
    disconnect: (id: string) => Promise<boolean>
  }
  mail: {
    /**
     * Queues a mail of the app's own: a template of `mail.templates`, or a built-in one, for a user. The values end in the
     * database until it is sent, so give no secrets. With a hook's `tx` it is queued in that transaction. Answers with its id.
     */
    send: (
      template: string,
      user: { pk: string },
      values?: Record<string, unknown>,
      options?: { tx?: Tx }
    ) => Promise<string>
    /** Oldest first. */
    list: (filter?: { state?: MailState }) => Promise<QueuedMail[]>
    /** Gives what was given up (or the one of that id) eight more tries; answers with how many. */
    retry: (id?: string) => Promise<number>
    /** Sends what is due now, and resolves when each is sent or postponed. */
    flush: () => Promise<void>
  }
  /** The OpenAPI 3.1 document of the routes. */
  openapi: () => Record<string, unknown>
  /** Brings the database up to date; answers with the SQL that was run. */
  migrate: () => Promise<string[]>
  /** The same for another registration of the plugin in this app, by its prefix. */
  under: (prefix: string) => RestAuth | undefined
}

// Re-exported, because the compiler would leave an import of nothing out of the .d.ts, and the augmentation with it.
export type {} from '@fastify/jwt'

declare module '@fastify/jwt' {
  // @fastify/jwt declares the type of `request.user`; declared here again it would clash.
  interface FastifyJWT { user: User }
}

declare module 'fastify' {
  interface FastifyInstance {
    authenticate: RestAuth['authenticate']
    restAuth: RestAuth
  }
}
