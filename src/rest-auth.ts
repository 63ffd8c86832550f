/** What the plugin adds to the app: `app.authenticate`, `request.user` and `app.restAuth`. */
import type {
  AccessClaims, AnyReply, AnyRequest, Authenticate, ImportReport, LoginAnswer, QueuedMail, Session, SocialAccount
} from './api-types.js'
import type { ProviderTokens } from './oauth/types.js'
import type { MailState } from './store/outbox.js'
import type { ImportedUser, NewUser, StoredUser, Tx, User, UserChanges, UserPk } from './types.js'

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
    /**
     * Stores users of another system, who keep their key, their dates and the hash of their password, and log in with
     * it. User fields may be missing: the user's `missing_fields` then name those that are required. A user with an
     * invalid or taken value is skipped, so you can run an import again. Throws a TypeError for an unknown field.
     */
    import: (users: Iterable<ImportedUser> | AsyncIterable<ImportedUser>) => Promise<ImportReport>
    /**
     * Users in ascending order of `pk`, at most `limit` (1 to 1000, default 100). To read on, pass the `pk` of the last
     * one as `after`. `search` is a part of the address or the username, in any case.
     */
    list: (options?: { after?: UserPk | undefined, limit?: number, search?: string }) => Promise<StoredUser[]>
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
  passwords: {
    /**
     * Whether it is the password of this user; false for a deactivated user, and for one that does not exist, in the
     * same time. Throws a `Failure` of status 503 if the server is busy.
     */
    verify: (user: { pk: UserPk }, password: string) => Promise<boolean>
  }
  sessions: {
    /**
     * Logs a user in whom your code has authenticated, and returns the response of a login: send it, or with
     * `tokens.cookies`, which it sets, redirect. `amr` says how the user proved who they are (RFC 8176). Runs the hook
     * `loggedIn`. Throws a `Failure` with the code `user_not_found`, `user_inactive`, or `email_not_verified` if
     * verification is mandatory.
     */
    open: (
      user: { pk: UserPk }, request: AnyRequest, reply: AnyReply, options?: { amr?: readonly string[] }
    ) => Promise<LoginAnswer>
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
