/** The types of an app's user and of its input, derived from the options `userFields` and `account`. */
import type { ComputedValue } from '../schemas/columnless-fields.js'
import type { Typed } from '../schemas/options/typed.js'
import type { AccountOptions, UserFieldOptions } from '../schemas/options/types.js'
import type {
  FieldValue, IsComputed, StoredFields, UserField, UserFields, defaultUserFields
} from '../schemas/user-fields.js'

export type DefaultUserFields = typeof defaultUserFields
/** The options of `account` that decide what a user has; one that may be anything counts as its default. */
export type Account = Required<Pick<AccountOptions, 'username' | 'email' | 'pk'>>

/** What every user has, with any options. */
export interface BaseUser {
  /** A UUIDv7, or with `account.pk: 'integer'` a number. Imported users keep their own IDs. */
  pk: string | number
  /** In canonical form: lower case, the domain in punycode. `null` only with `account.email: 'optional'`. */
  email: string | null
  /** Whether the user has proved that they can read mail sent to `email`. */
  email_verified: boolean
  /** Whether the user may log in. */
  is_active: boolean
  created_at: Date
  /** `null` before the first login. */
  last_login: Date | null
  /**
   * Fields that are `null`, although their types may exclude it: required ones that the user has not provided yet, and
   * those whose stored value no longer has the declared type.
   */
  missing_fields?: string[]
}

type UsernameOf<A extends Account> = A['username'] extends 'required'
  ? { username: string }
  : A['username'] extends 'optional'
    ? { username: string | null }
    : {}
type PkOf<A extends Account> = { pk: A['pk'] extends 'integer' ? number : string }
type EmailOf<A extends Account> = A['email'] extends 'optional' ? { email: string | null } : { email: string }
type Flat<T> = { [K in keyof T]: T[K] }

type Unstored<F extends UserFields> = { [K in keyof F as F[K] extends { stored: false } ? K : never]: F[K] }
type Eager<F extends UserFields> = { [K in keyof F as F[K] extends { eager: true } ? K : never]: F[K] }
type Values<F extends UserFields> = { -readonly [K in keyof F]: FieldValue<F[K]> }

/** A user of an app with these options, as stored. */
export type StoredUserOf<F extends UserFields, A extends Account> = Flat<
  Omit<BaseUser, 'pk' | 'email'> & PkOf<A> & EmailOf<A> & UsernameOf<A> & Values<StoredFields<F>>
>
/** The user of a request, who has the eager computed fields, too. */
export type UserOf<F extends UserFields, A extends Account> = Flat<
  StoredUserOf<F, A> & { -readonly [K in keyof Eager<F>]: ComputedValue<Eager<F>[K]> }
>

/**
 * What TypeScript does not check by itself in a value that it infers a type from: that the keys of a field are known,
 * and that `compute` takes the stored user and returns what its schema says. Editors offer the keys of `UserField`.
 */
export type CheckedFields<F extends UserFields, A extends Account> = {
  [Name in keyof F]: OfferedKeys & { [Key in Exclude<keyof F[Name], keyof UserField>]?: UnknownOption<Key> } &
    (F[Name] extends IsComputed ? { compute: Compute<F[Name], StoredUserOf<F, A>> } : unknown)
}
interface OfferedKeys extends Typed<UserFieldOptions, { schema: unknown, normalize: unknown, compute: unknown }> {}
declare const unknownOption: unique symbol
/** Nothing is of this type; its name is for the error of the compiler. */
interface UnknownOption<Name> { readonly [unknownOption]: Name }
type Compute<F extends UserField, User> = (user: User) => Computed<F> | Promise<Computed<F>>
/** An optional value may be missing. */
type Computed<F extends UserField> = null extends ComputedValue<F> ? ComputedValue<F> | undefined : ComputedValue<F>

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

/** What a user may bring along from another system. */
interface History<A extends Account> {
  /** Default: a new one. */
  pk?: PkOf<A>['pk']
  email_verified?: boolean
  /** Whether the user may log in. Default: true. */
  is_active?: boolean
  /**
   * The hash of a password: of Django (`pbkdf2_sha256$…`, `scrypt$…`, `argon2$…`, `bcrypt_sha256$$…`), a PHC string of
   * argon2 or scrypt, bcrypt (`$2a$…`, `$2b$…`, `$2y$…`), or scrypt of better-auth (`salt:key`). Django's unusable
   * passwords (`!…`) count as none.
   */
  password_hash?: string
  /** A Date or ISO 8601. Default: now. */
  created_at?: Date | string
  /** A Date or ISO 8601. Default: never. */
  last_login?: Date | string
}
type Nullable<T> = { [K in keyof T]: T[K] | null }

/** The input of `users.create`. A user without a password can't log in by password. */
export type NewUserOf<F extends UserFields, A extends Account> = Flat<
  IdentityInput<A> & FieldInput<StoredFields<F>> & History<A> & { password?: string }
>
/** The input of `users.import`. Null means that the other system does not know the value. */
export type ImportedUserOf<F extends UserFields, A extends Account> = Flat<
  IdentityInput<A> & Partial<Nullable<Values<StoredFields<F>> & History<A>>>
>
/** The input of `users.update`: the fields to change. */
export type UserChangesOf<F extends UserFields, A extends Account> = Partial<
  Flat<IdentityInput<A> & { email_verified: boolean } & Values<StoredFields<F>>>
>
/**
 * The input of the hook `registering`: the registration without its password. A value that is not stored may be
 * missing, even if registration requires it: a social login has no form that could ask for it.
 */
export type RegistrationOf<F extends UserFields, A extends Account> = Flat<
  IdentityInput<A> & FieldInput<RegistrationFields<StoredFields<F>>> & Partial<Values<Unstored<F>>>
>
