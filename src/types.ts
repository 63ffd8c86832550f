/**
 * The generic rim: the type of a user follows from the options. Inside, features see the base contract only;
 * here, and in `defineRestAuth`, are all the generics there are.
 */
import type { JsonWebKey } from 'node:crypto'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { FastifyRequest } from 'fastify'
import type { CheckedOptions, GivenOptions } from '../schemas/options.js'
import type { GivenSocialProvider } from '../schemas/options/social.js'
import type { FieldValue, UserFields, defaultUserFields } from '../schemas/user-fields.js'
import type { Orm } from './db/database.js'
import type { Provider } from './providers/provider.js'

/**
 * Tells the compiler which options the app runs with, and on which database the hooks' `tx` is:
 *
 *     declare module 'fastify-rest-auth' { interface Register { auth: typeof auth, dialect: 'postgres' } }
 */
export interface Register {}

export type DefaultUserFields = typeof defaultUserFields
type Account = NonNullable<CheckedOptions['account']>

/** What every user has, whatever the options. */
export interface BaseUser {
  /** UUIDv7; imported users keep theirs. */
  pk: string
  /** In canonical form: lower case, the domain in punycode. */
  email: string | null
  /** Whether the user has proven to read the mail of that address. */
  email_verified: boolean
  is_active: boolean
  created_at: Date
  last_login: Date | null
  /** Required fields that are still `null`, whatever their type says: of a user whom a provider of `social` has made. */
  missing_fields?: string[]
}

type UsernameOf<A extends Account> = A['username'] extends 'required'
  ? { username: string }
  : A['username'] extends 'optional'
    ? { username: string | null }
    : {}
type EmailOf<A extends Account> = A['email'] extends 'optional' ? { email: string | null } : { email: string }
type Flat<T> = { [K in keyof T]: T[K] }

/** A user of an app with these options. */
export type UserOf<F extends UserFields, A extends Account> = Flat<
  Omit<BaseUser, 'email'> & EmailOf<A> & UsernameOf<A> & { -readonly [K in keyof F]: FieldValue<F[K]> }
>

type OptionalKeys<F extends UserFields> = { [K in keyof F]: null extends FieldValue<F[K]> ? K : never }[keyof F]
type FieldInput<F extends UserFields> = Flat<
  { -readonly [K in Exclude<keyof F, OptionalKeys<F>>]: FieldValue<F[K]> } & {
    -readonly [K in OptionalKeys<F>]?: FieldValue<F[K]>
  }
>
type RegistrationFields<F extends UserFields> = {
  [K in keyof F as F[K] extends { registration: 'hidden' } ? never : K]: F[K]
}
type IdentityInput<A extends Account> = (A['email'] extends 'optional' ? { email?: string } : { email: string }) &
  (A['username'] extends 'required'
    ? { username: string }
    : A['username'] extends 'optional'
      ? { username?: string }
      : {})

/** What `users.create` takes; without a password nobody can log in by password. */
export type NewUserOf<F extends UserFields, A extends Account> = Flat<
  IdentityInput<A> & FieldInput<F> & { email_verified?: boolean; password?: string }
>
export type UserChangesOf<F extends UserFields, A extends Account> = Partial<
  Flat<IdentityInput<A> & { email_verified: boolean } & { -readonly [K in keyof F]: FieldValue<F[K]> }>
>
/** What the hook `registering` sees: all that was sent, but the password. */
export type RegistrationOf<F extends UserFields, A extends Account> = Flat<
  IdentityInput<A> & FieldInput<RegistrationFields<F>>
>

/** Drizzle inside the transaction of a hook. */
export type Tx = Register extends { dialect: 'postgres' } ? PgDatabase<PgQueryResultHKT> : Orm

type Hook<Parameters extends unknown[]> = (...parameters: Parameters) => void | Promise<void>

export interface HooksOf<F extends UserFields, A extends Account> {
  /** Before the user is stored, inside the transaction: a throw stops the registration. */
  registering?: Hook<[input: RegistrationOf<F, A>, tx: Tx]>
  /** After the user is stored, inside the transaction: a throw rolls the user back. Await nothing but `tx`. */
  registered?: Hook<[user: UserOf<F, A>, tx: Tx]>
  /** After a session has opened, by login, registration or the confirmation of an address. */
  loggedIn?: Hook<[user: UserOf<F, A>, request: FastifyRequest]>
  /** After an address was confirmed, by its link or by a password reset, inside the transaction. */
  emailVerified?: Hook<[user: UserOf<F, A>, tx: Tx]>
  /** After `/user` was written, inside the transaction. */
  userUpdated?: Hook<[user: UserOf<F, A>, tx: Tx]>
  /** After a new password was stored, inside the transaction. */
  passwordChanged?: Hook<[user: UserOf<F, A>, tx: Tx]>
}

/** What a validator knows of the user whose password it judges. */
export type PasswordOwner = Readonly<Record<string, unknown>>
export type PasswordValidator = (password: string, user: PasswordOwner) => true | string | Promise<true | string>
/** Whether this request may register: true, false, or a sentence that says why not. */
export type RegistrationGuard = (request: FastifyRequest) => boolean | string | Promise<boolean | string>

/** A mail, as a function that sends it is given it. */
export interface OutgoingMail {
  to: string
  /** `Name <address>`. */
  from: string
  subject: string
  text: string
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

export interface RestAuthOptions<F extends UserFields = UserFields, A extends Account = Account>
  extends Omit<GivenOptions, 'userFields' | 'account' | 'hooks' | 'mail' | 'password' | 'social' | 'tokens'> {
  account?: A & { registration?: 'open' | 'closed' | RegistrationGuard }
  userFields?: F
  password?: Omit<NonNullable<CheckedOptions['password']>, 'validators'> & { validators?: PasswordValidator[] }
  mail?: MailOptions<UserOf<F, A>> | undefined
  tokens?: TokenOptionsOf<F, A>
  social?: Record<string, Omit<GivenSocialProvider, 'provider'> & { provider?: Provider }> | undefined
  hooks?: HooksOf<F, A>
}

interface TokenOptionsOf<F extends UserFields, A extends Account> extends Omit<NonNullable<CheckedOptions['tokens']>, 'keys' | 'claims'> {
  /** PKCS#8 PEM or JWK, which may be its JSON text. The first signs and is private, all verify. */
  keys?: Array<string | JsonWebKey>
  /** Claims of your own (names of ours are refused), computed each time an access token is made. A throw ends a session that is just opening. */
  claims?: (user: UserOf<F, A>) => object | Promise<object>
}

declare const types: unique symbol
/** Options that know the types that follow from them. */
export type DefinedOptions<F extends UserFields = UserFields, A extends Account = Account> = RestAuthOptions<F, A> & {
  readonly [types]?: { user: UserOf<F, A>, create: NewUserOf<F, A>, update: UserChangesOf<F, A> }
}

type Registered = Register extends { auth: { readonly [types]?: infer T } } ? NonNullable<T> : {
  user: UserOf<DefaultUserFields, {}>
  create: NewUserOf<DefaultUserFields, {}>
  update: UserChangesOf<DefaultUserFields, {}>
}
/** A user of this app, as `Register` declares it. */
export type User = Registered extends { user: infer U } ? U : never
export type NewUser = Registered extends { create: infer N } ? N : never
export type UserChanges = Registered extends { update: infer C } ? C : never
