/** The tables of social login on SQLite. */
import { index, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { TableNames } from './table-names.js'
import { timestamp, userPkReference, type Users } from './users-table-sqlite.js'

/** Which user logs in with which account of a provider; (issuer, subject) identifies it permanently. */
export const socialAccountsTable = (
  { tables: prefix = '', ...names }: TableNames, users: Users
) => sqliteTable(`${prefix}social_accounts`, {
  id: text('id').primaryKey(),
  userPk: userPkReference(users, names).notNull(),
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
export const socialTransactionsTable = (
  { tables: prefix = '', ...names }: TableNames, users: Users
) => sqliteTable(`${prefix}social_transactions`, {
  digest: text('digest').primaryKey(),
  purpose: text('purpose').notNull(),
  origin: text('origin').notNull(),
  provider: text('provider').notNull(),
  browser: text('browser'),
  userPk: userPkReference(users, names),
  next: text('next'),
  createdAt: timestamp('created_at').notNull(),
  expiresAt: timestamp('expires_at').notNull()
}, table => [
  index(`${prefix}social_transactions_expires_at_index`).on(table.expiresAt),
  index(`${prefix}social_transactions_user_pk_index`).on(table.userPk)
])
