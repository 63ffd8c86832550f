/** The types that queries are written against: those of the SQLite tables, which the PostgreSQL tables must equal. */
import type { InferInsertModel, InferSelectModel } from 'drizzle-orm'
import type * as postgres from './tables-postgres.js'
import type * as sqlite from './tables-sqlite.js'

export type Tables = ReturnType<typeof sqlite.createTables<{}>>
export type UserRow = InferSelectModel<Tables['users']>
export type NewUserRow = InferInsertModel<Tables['users']>
export type SessionRow = InferSelectModel<Tables['sessions']>
export type RefreshTokenRow = InferSelectModel<Tables['refreshTokens']>
export type MailRow = InferSelectModel<Tables['outbox']>
export type OneTimeTokenRow = InferSelectModel<Tables['oneTimeTokens']>
export type SocialAccountRow = InferSelectModel<Tables['socialAccounts']>
export type LoginFailuresRow = InferSelectModel<Tables['loginFailures']>
export type RateLimitRow = InferSelectModel<Tables['rateLimits']>
export type EventRow = InferSelectModel<Tables['events']>
export type SocialTransactionRow = InferSelectModel<Tables['socialTransactions']>

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
type Rows<T extends Record<keyof Tables, any>> = {
  [Name in keyof Tables]: [InferSelectModel<T[Name]>, InferInsertModel<T[Name]>]
}
/** Does not compile if a row differs between the databases. */
export const rowsAreEqual: Equal<Rows<Tables>, Rows<ReturnType<typeof postgres.createTables<{}>>>> = true
