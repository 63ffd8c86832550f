/**
 * The types that follow from the options of an app, which `Register` declares. All generics are here, in user-types.ts,
 * in settings/given-options.ts and in `defineRestAuth`; the rest of the plugin sees only the base contract.
 */
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { FastifyRequest } from 'fastify'
import type { EventDetails, EventType } from '../schemas/events.js'
import type { Orm } from './db/database.js'
import type {
  Account, BaseUser, DefaultUserFields, ImportedUserOf, NewUserOf, StoredUserOf, UserChangesOf, UserOf
} from './user-types.js'

export type { Account, BaseUser, DefaultUserFields } from './user-types.js'

/**
 * Declares the app's options, from which the types of its users follow, and the database of the hooks' `tx`. A second
 * registration of the plugin is declared by the path of its routes:
 *
 *     declare module 'fastify-rest-auth' {
 *       interface Register { auth: typeof auth, '/staff': typeof staffAuth, dialect: 'postgres' }
 *     }
 */
export interface Register {}

/** Drizzle inside the transaction of a hook: for SQLite, unless `Register` declares `dialect: 'postgres'`. */
export type Tx = Register extends { dialect: 'postgres' } ? PgDatabase<PgQueryResultHKT> : Orm

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

/** Something that has happened to an account, or was tried: docs/events.md. */
export interface AuthEvent<Name extends string = 'auth'> extends EventDetails {
  id: string
  type: EventType
  outcome: 'success' | 'failure'
  at: Date
  /** The user it is about; `null` if it is about none, such as a login with an unknown address. */
  userPk: UserPk<Name> | null
  sessionId: string | null
  /** From where the request came; `null` for what the app's own code did. */
  ip: string | null
  userAgent: string | null
}

/** The key of what follows from options in their type. */
export declare const types: unique symbol

type AppTypes = Record<'user' | 'stored' | 'create' | 'import' | 'update' | 'claims', any>
interface DefaultTypes extends AppTypes {
  user: UserOf<DefaultUserFields, Account>
  stored: StoredUserOf<DefaultUserFields, Account>
  create: NewUserOf<DefaultUserFields, Account>
  import: ImportedUserOf<DefaultUserFields, Account>
  update: UserChangesOf<DefaultUserFields, Account>
  claims: Record<string, unknown>
}
/** Of options that `Register` does not have. */
interface UnknownTypes extends AppTypes {
  user: BaseUser & Record<string, unknown>
  stored: BaseUser & Record<string, unknown>
  create: Record<string, unknown>
  import: Record<string, unknown>
  update: Record<string, unknown>
  claims: Record<string, unknown>
}
/** What `Register` declares under this name: `auth`, or the path of a registration. */
export type Registered<Name extends string> =
  Register extends Record<Name, { readonly [types]?: infer T extends AppTypes }>
    ? T
    : Name extends 'auth' ? DefaultTypes : UnknownTypes

/** The user of a request, in the app whose options `Register` declares. */
export type User<Name extends string = 'auth'> = Registered<Name>['user']
/** The type of `pk`: `number` with `account.pk: 'integer'`, else `string`. */
export type UserPk<Name extends string = 'auth'> = User<Name>['pk']
/** A user as hooks, claims, mails and `app.restAuth.users` get it: without computed fields. */
export type StoredUser<Name extends string = 'auth'> = Registered<Name>['stored']
/** The input of `app.restAuth.users.create`. */
export type NewUser<Name extends string = 'auth'> = Registered<Name>['create']
/** A user in the input of `app.restAuth.users.import`. */
export type ImportedUser<Name extends string = 'auth'> = Registered<Name>['import']
/** The input of `app.restAuth.users.update`: the fields to change. */
export type UserChanges<Name extends string = 'auth'> = Registered<Name>['update']
/** The path of a registration of the plugin; editors offer those that `Register` declares. */
export type RegisteredPath = Extract<keyof Register, `/${string}`> | (string & {})
