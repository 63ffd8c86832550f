/** Fails to compile where the two types are not one: `same<A, B>(true)`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
export declare function same<A, B> (yes: Same<A, B>): void

/** What `users.create` takes besides the fields, in an app whose keys are text. */
export interface Brought {
  pk?: string
  email_verified?: boolean
  is_active?: boolean
  password_hash?: string
  created_at?: Date | string
  last_login?: Date | string
  password?: string
}
export type Flat<T> = { [K in keyof T]: T[K] }
