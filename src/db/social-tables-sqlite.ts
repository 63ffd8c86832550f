/** The tables of social login on SQLite. */
import { index, integer, sqliteTable, text, uniqueIndex, type AnySQLiteColumn } from 'drizzle-orm/sqlite-core'

const timestamp = (name: string) => integer(name, { mode: 'timestamp_ms' })

/** The table of users, with or without user fields. */
export interface Users { pk: AnySQLiteColumn }

/** Which user logs in with which account of a provider; (issuer, subject) identifies it permanently. */
export const socialAccountsTable = (prefix: string, users: Users) => sqliteTable(`${prefix}social_accounts`, {
  id: text('id').primaryKey(),
  userPk: text('user_pk').notNull().references(() => users.pk, { onDelete: 'cascade' }),
  provider: text('provider').notNull(),
  issuer: text('issuer').notNull(),
  subject: text('subject').notNull(),
  createdAt: timestamp('created_at').notNull(),
  lastLogin: timestamp('last_login').notNull(),
  tokens: text('tokens')
}, table => [
  uniqueIndex(`${prefix}social_accounts_identity_unique`).on(table.issuer, table.subject),
  index(`${prefix}social_accounts_user_pk_index`).on(table.userPk)
])

/** Social logins under way, each usable once: a redirect, a login that is still to be fetched, or a used ID token. */
export const socialTransactionsTable = (prefix: string, users: Users) => sqliteTable(`${prefix}social_transactions`, {
  digest: text('digest').primaryKey(),
  purpose: text('purpose').notNull(),
  origin: text('origin').notNull(),
  provider: text('provider').notNull(),
  browser: text('browser'),
  userPk: text('user_pk').references(() => users.pk, { onDelete: 'cascade' }),
  next: text('next'),
  createdAt: timestamp('created_at').notNull(),
  expiresAt: timestamp('expires_at').notNull()
}, table => [
  index(`${prefix}social_transactions_expires_at_index`).on(table.expiresAt),
  index(`${prefix}social_transactions_user_pk_index`).on(table.userPk)
])
