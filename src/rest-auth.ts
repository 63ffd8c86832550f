/** What the plugin adds to the app: `app.authenticate`, `request.user` and `app.restAuth`. */
import type {
  AccessClaims, AnyReply, AnyRequest, Authenticate, ImportReport, LoginAnswer, QueuedMail, Session, SocialAccount
} from './api-types.js'
import type { Failure } from './errors/failure.js'
import type { ProviderTokens } from './oauth/types.js'
import type { MailState } from './store/outbox.js'
import type {
  AuthEvent, ImportedUser, NewUser, RegisteredPath, StoredUser, Tx, User, UserChanges, UserPk
} from './types.js'

/** The API for the app's own code, at `app.restAuth`; `Name` is that of its options in `Register`. */
export interface RestAuth<Name extends string = 'auth'> {
  authenticate: Authenticate
  /** The claims in the access token of a request that `authenticate` accepted; `null` without one. */
  claims: (request: AnyRequest) => AccessClaims<Name> | null
  users: {
    /**
     * Stores a user like a registration, but without hooks and mails. Throws a `Failure` with the code
     * `validation_error` and the invalid `fields`, or a TypeError for an unknown field.
     */
    create: (input: NewUser<Name>) => Promise<StoredUser<Name>>
    /**
     * Stores users of another system, who keep their key, their dates and the hash of their password, and log in with
     * it. User fields may be missing: the user's `missing_fields` then name those that are required. A user with an
     * invalid or taken value is skipped, so you can run an import again. Throws a TypeError for an unknown field.
     */
    import: (users: Iterable<ImportedUser<Name>> | AsyncIterable<ImportedUser<Name>>) => Promise<ImportReport>
    /**
     * Users in ascending order of `pk`, at most `limit` (1 to 1000, default 100). To read on, pass the `pk` of the last
     * one as `after`. `search` is a part of the address or the username, in any case.
     */
    list: (
      options?: { after?: UserPk<Name> | undefined, limit?: number, search?: string }
    ) => Promise<Array<StoredUser<Name>>>
    /** Finds a user by exactly one identifier; undefined if there is none. */
    find: (by: { pk: UserPk<Name> } | { email: string } | { username: string }) => Promise<StoredUser<Name> | undefined>
    /**
     * Changes fields; undefined if there is no such user. A new `email` becomes unverified unless `email_verified` is
     * given. Throws like `create`.
     */
    update: (pk: UserPk<Name>, changes: UserChanges<Name>) => Promise<StoredUser<Name> | undefined>
    /**
     * Allows a deactivated user to log in again, and one whose password is locked after many wrong ones; undefined if
     * there is no such user.
     */
    activate: (pk: UserPk<Name>) => Promise<StoredUser<Name> | undefined>
    /** Ends all sessions of the user and prevents new ones; undefined if there is no such user. */
    deactivate: (pk: UserPk<Name>) => Promise<StoredUser<Name> | undefined>
    /** Deletes the user and their sessions; false if there is no such user. */
    delete: (pk: UserPk<Name>) => Promise<boolean>
  }
  passwords: {
    /**
     * Whether it is the password of this user; false for a deactivated user, and for one that does not exist, in the
     * same time. Throws a `Failure` of status 503 if the server is busy.
     */
    verify: (user: { pk: UserPk<Name> }, password: string) => Promise<boolean>
  }
  sessions: {
    /**
     * Logs a user in whom your code has authenticated, and returns the response of a login: send it, or with
     * `tokens.cookies`, which it sets, redirect. `amr` says how the user proved who they are (RFC 8176). Runs the hook
     * `loggedIn`. Throws a `Failure` with the code `user_not_found`, `user_inactive`, or `email_not_verified` if
     * verification is mandatory.
     */
    open: (
      user: { pk: UserPk<Name> }, request: AnyRequest, reply: AnyReply, options?: { amr?: readonly string[] }
    ) => Promise<LoginAnswer>
    /** The sessions of a user, newest first. Expired ones are listed until they are deleted. */
    list: (userPk: UserPk<Name>) => Promise<Session[]>
    /** Ends a session; false if there is none with this ID. */
    end: (id: string) => Promise<boolean>
    endAll: (userPk: UserPk<Name>) => Promise<void>
  }
  events: {
    /**
     * What the option `audit` has stored, newest first: at most `limit` events (1 to 1000, default 100) of the user, or
     * of all. To read on, pass the `id` of the last one as `after`. Throws an Error without the option.
     */
    list: (
      options?: { userPk?: UserPk<Name> | undefined, after?: string | undefined, limit?: number }
    ) => Promise<Array<AuthEvent<Name>>>
  }
  socialAccounts: {
    /** The linked accounts of a user, oldest first. */
    list: (userPk: UserPk<Name>) => Promise<SocialAccount[]>
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
      template: string, user: { pk: UserPk<Name> }, values?: Record<string, unknown>, options?: { tx?: Tx }
    ) => Promise<string>
    /** The mails in the outbox, oldest first. */
    list: (filter?: { state?: MailState }) => Promise<Array<QueuedMail<Name>>>
    /** Gives all failed mails, or the one with this ID, eight more attempts. Returns the number of mails. */
    retry: (id?: string) => Promise<number>
    /** Sends the mails that are due; resolves once each that was queued before is handed over or has failed. */
    flush: () => Promise<void>
  }
  /**
   * Sends a `Failure` as the plugin's own routes do, for an error handler of your own or a filter of NestJS: the body
   * in the format of the `errors` option, and the headers. One of status 500 or above is logged. Throws what is no
   * `Failure`, which Fastify then answers.
   */
  sendFailure: (reply: AnyReply, failure: Failure) => void
  /** The OpenAPI 3.1 document of the routes. */
  openapi: () => Record<string, unknown>
  /**
   * Deletes expired rows: sessions that ended more than a day ago, sent mails and their tokens after an hour, failed
   * mails after 30 days, social logins and limits that are over, events after `audit.retention`, and devices that were
   * not used for 400 days. The plugin does so every ten minutes. Returns how many rows of each kind it has deleted.
   */
  sweep: () => Promise<Record<
    'sessions' | 'oneTimeTokens' | 'socialTransactions' | 'mails' | 'limits' | 'events' | 'knownDevices', number
  >>
  /** Updates the tables and the columns of the user fields. Returns the SQL statements that were run. */
  migrate: () => Promise<string[]>
  /**
   * The API of another registration of the plugin in this app. `path` is the path of its routes, such as `/staff`.
   * Throws an Error if no registration has it. The types follow from the options that `Register` declares for the path.
   */
  under: <Path extends RegisteredPath>(path: Path) => RestAuth<Path>
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
