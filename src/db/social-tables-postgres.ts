/** The tables of social login on PostgreSQL, described in `social-tables-sqlite.ts`. */
import {
  index, text, timestamp as timestamptz, uniqueIndex, type AnyPgColumn, type PgTableFn
} from 'drizzle-orm/pg-core'

const timestamp = (name: string) => timestamptz(name, { withTimezone: true, precision: 3, mode: 'date' })

/** Defines a table, in the schema that it should be in; and what its name begins with. */
export interface Naming { define: PgTableFn, prefix: string }
/** The table of users, with or without user fields. */
export interface Users { pk: AnyPgColumn }

export const socialAccountsTable = ({ define, prefix }: Naming, users: Users) => define(`${prefix}social_accounts`, {
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

export const socialTransactionsTable = (
  { define, prefix }: Naming, users: Users
) => define(`${prefix}social_transactions`, {
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
