/**
 * The types that follow from the options of an app. All generics are here, in user-types.ts and in `defineRestAuth`;
 * the rest of the plugin sees only the base contract.
 */
import type { JsonWebKey } from 'node:crypto'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { FastifyRequest } from 'fastify'
import type { CheckedOptions, GivenOptions } from '../schemas/options.js'
import type { GivenSocialProvider } from '../schemas/options/social.js'
import type { UserFields } from '../schemas/user-fields.js'
import type { Orm } from './db/database.js'
import type { Provider } from './providers/provider.js'
import type {
  Account, DefaultUserFields, ImportedUserOf, NewUserOf, RegistrationOf, StoredUserOf, UserChangesOf, UserOf
} from './user-types.js'

export type { BaseUser, DefaultUserFields } from './user-types.js'

/**
 * Declares the app's options, from which the types of its users follow, and the database of the hooks' `tx`:
 *
 *     declare module 'fastify-rest-auth' { interface Register { auth: typeof auth, dialect: 'postgres' } }
 */
export interface Register {}

/** Drizzle inside the transaction of a hook: for SQLite, unless `Register` declares `dialect: 'postgres'`. */
export type Tx = Register extends { dialect: 'postgres' } ? PgDatabase<PgQueryResultHKT> : Orm

type Hook<Parameters extends unknown[]> = (...parameters: Parameters) => void | Promise<void>

/** Functions that the plugin calls at these events. A `Rejection` that one throws becomes a 400 response. */
export interface HooksOf<F extends UserFields, A extends Account> {
  /** Before the user is stored, inside the transaction. An error stops the registration. */
  registering?: Hook<[input: RegistrationOf<F, A>, tx: Tx]>
  /** After the user is stored, inside the transaction. An error rolls it back. Await only queries of `tx`. */
  registered?: Hook<[user: StoredUserOf<F, A>, tx: Tx]>
  /** After a session is created by login, registration or the confirmation of an address. */
  loggedIn?: Hook<[user: StoredUserOf<F, A>, request: FastifyRequest]>
  /** After an address is confirmed by its link or by a password reset, inside the transaction. */
  emailVerified?: Hook<[user: StoredUserOf<F, A>, tx: Tx]>
  /** After the user changed their fields at `/user`, inside the transaction. */
  userUpdated?: Hook<[user: StoredUserOf<F, A>, tx: Tx]>
  /** After a new password is stored by a change or a reset, inside the transaction. */
  passwordChanged?: Hook<[user: StoredUserOf<F, A>, tx: Tx]>
}

/** The fields of the user whose password is checked, as far as they are known. */
export type PasswordOwner = Readonly<Record<string, unknown>>
/** Checks a new password: true if it is acceptable, otherwise a message for the user. */
export type PasswordValidator = (password: string, user: PasswordOwner) => true | string | Promise<true | string>
/** Whether this request may register: true, or false or a message for the user to refuse it. */
export type RegistrationGuard = (request: FastifyRequest) => boolean | string | Promise<boolean | string>

/** The mail that a function given as `mail.transport` has to send. */
export interface OutgoingMail {
  /** One address. */
  to: string
  /** `Name <address>` or an address. */
  from: string
  subject: string
  text: string
  /** Undefined for a mail that has only text. */
  html: string | undefined
  headers: Record<string, string>
}

type Mail = NonNullable<CheckedOptions['mail']>
interface MailOptions<Reader> extends Omit<Mail, 'transport' | 'variables' | 'filters' | 'tags'> {
  transport?: string | object | ((mail: OutgoingMail) => unknown)
  variables?: Record<string, string | number | boolean | object | null | undefined | ((user: Reader) => unknown)>
  filters?: Record<string, (value: any, ...parameters: any[]) => unknown>
  tags?: Record<string, (...parameters: any[]) => unknown>
}

/** The options of the plugin. The README describes each of them; durations are in seconds. */
export interface RestAuthOptions<F extends UserFields = UserFields, A extends Account = Account>
  extends Omit<GivenOptions, 'userFields' | 'account' | 'hooks' | 'mail' | 'password' | 'social' | 'tokens'> {
  account?: A & { registration?: 'open' | 'closed' | RegistrationGuard }
  userFields?: F
  password?: Omit<NonNullable<CheckedOptions['password']>, 'validators'> & { validators?: PasswordValidator[] }
  mail?: MailOptions<StoredUserOf<F, A>> | undefined
  tokens?: TokenOptionsOf<F, A>
  social?: Record<string, Omit<GivenSocialProvider, 'provider'> & { provider?: Provider }> | undefined
  hooks?: HooksOf<F, A>
}

interface TokenOptionsOf<F extends UserFields, A extends Account>
  extends Omit<NonNullable<CheckedOptions['tokens']>, 'keys' | 'claims'> {
  /** PKCS#8 PEM or a JWK, as an object or as JSON text. The first key signs and must be private; all keys verify. */
  keys?: Array<string | JsonWebKey>
  /**
   * Additional claims, computed for each access token. The plugin's own claims can't be replaced. If it throws while a
   * session is being created, that session ends.
   */
  claims?: (user: StoredUserOf<F, A>) => object | Promise<object>
}

declare const types: unique symbol
/** Options together with the types that follow from them. */
export type DefinedOptions<F extends UserFields = UserFields, A extends Account = Account> = RestAuthOptions<F, A> & {
  readonly [types]?: {
    user: UserOf<F, A>
    stored: StoredUserOf<F, A>
    create: NewUserOf<F, A>
    import: ImportedUserOf<F, A>
    update: UserChangesOf<F, A>
  }
}

type Registered = Register extends { auth: { readonly [types]?: infer T } } ? NonNullable<T> : {
  user: UserOf<DefaultUserFields, {}>
  stored: StoredUserOf<DefaultUserFields, {}>
  create: NewUserOf<DefaultUserFields, {}>
  import: ImportedUserOf<DefaultUserFields, {}>
  update: UserChangesOf<DefaultUserFields, {}>
}
/** The user of a request, in the app whose options `Register` declares. */
export type User = Registered extends { user: infer U } ? U : never
/** The type of `pk`: `number` with `account.pk: 'integer'`, else `string`. */
export type UserPk = User['pk']
/** A user as hooks, claims, mails and `app.restAuth.users` get it: without computed fields. */
export type StoredUser = Registered extends { stored: infer S } ? S : never
/** The input of `app.restAuth.users.create`. */
export type NewUser = Registered extends { create: infer N } ? N : never
/** A user in the input of `app.restAuth.users.import`. */
export type ImportedUser = Registered extends { import: infer I } ? I : never
/** The input of `app.restAuth.users.update`: the fields to change. */
export type UserChanges = Registered extends { update: infer C } ? C : never
