/** The tables of social login on PostgreSQL, described in `social-tables-sqlite.ts`. */
import { index, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { timestamp, userPkReference, type Naming, type Users } from './users-table-postgres.js'

export const socialAccountsTable = (
  { define, prefix, ...names }: Naming, users: Users
) => define(`${prefix}social_accounts`, {
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

export const socialTransactionsTable = (
  { define, prefix, ...names }: Naming, users: Users
) => define(`${prefix}social_transactions`, {
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
