/** The tables on SQLite. The rows equal those on PostgreSQL, or `tables.ts` does not compile. */
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { UserFields } from '../../schemas/user-fields.js'
import { eventsTable, knownDevicesTable } from './event-tables-sqlite.js'
import { loginFailuresTable, rateLimitsTable } from './limit-tables-sqlite.js'
import { socialAccountsTable, socialTransactionsTable } from './social-tables-sqlite.js'
import { filterOf, type TableNames, type TablesOptions } from './table-names.js'
import { timestamp, userPkReference, usersTable, type Users } from './users-table-sqlite.js'

export { usersTable }

const sessionsTable = (
  { tables: prefix = '', ...names }: TableNames, users: Users
) => sqliteTable(`${prefix}sessions`, {
  id: text('id').primaryKey(),
  userPk: userPkReference(users, names).notNull(),
  createdAt: timestamp('created_at').notNull(),
  lastSeenAt: timestamp('last_seen_at').notNull(),
  expiresAt: timestamp('expires_at').notNull(),
  authenticatedAt: timestamp('authenticated_at'),
  amr: text('amr'),
  ip: text('ip'),
  userAgent: text('user_agent'),
  graceUsesByOthers: integer('grace_uses_by_others')
}, table => [
  index(`${prefix}sessions_user_pk_index`).on(table.userPk),
  index(`${prefix}sessions_expires_at_index`).on(table.expiresAt)
])

type Sessions = ReturnType<typeof sessionsTable>

const refreshTokensTable = (prefix: string, sessions: Sessions) => sqliteTable(`${prefix}refresh_tokens`, {
  digest: text('digest').primaryKey(),
  family: text('family'),
  sessionId: text('session_id').notNull().references(() => sessions.id, { onDelete: 'cascade' }),
  createdAt: timestamp('created_at').notNull(),
  expiresAt: timestamp('expires_at').notNull(),
  spentAt: timestamp('spent_at'),
  spentBy: text('spent_by')
}, table => [
  index(`${prefix}refresh_tokens_session_id_index`).on(table.sessionId),
  index(`${prefix}refresh_tokens_family_index`).on(table.family),
  index(`${prefix}refresh_tokens_expires_at_index`).on(table.expiresAt)
])

/** The mails to send, and those sent in the last hour. `src/mail/dispatcher.ts` sends them and updates the rows. */
const outboxTable = (
  { tables: prefix = '', ...names }: TableNames, users: Users
) => sqliteTable(`${prefix}mail_outbox`, {
  id: text('id').primaryKey(),
  origin: text('origin').notNull(),
  template: text('template').notNull(),
  address: text('address'),
  userPk: userPkReference(users, names),
  variables: text('variables', { mode: 'json' }).notNull(),
  createdAt: timestamp('created_at').notNull(),
  dueAt: timestamp('due_at'),
  attempts: integer('attempts').notNull(),
  admittedAt: timestamp('admitted_at'),
  sentAt: timestamp('sent_at'),
  failedAt: timestamp('failed_at'),
  lastError: text('last_error')
}, table => [
  index(`${prefix}mail_outbox_due_at_index`).on(table.dueAt),
  index(`${prefix}mail_outbox_user_pk_index`).on(table.userPk),
  index(`${prefix}mail_outbox_sent_at_index`).on(table.sentAt),
  index(`${prefix}mail_outbox_failed_at_index`).on(table.failedAt)
])

const oneTimeTokensTable = (
  { tables: prefix = '', ...names }: TableNames, users: Users
) => sqliteTable(`${prefix}one_time_tokens`, {
  digest: text('digest').primaryKey(),
  mailId: text('mail_id').notNull(),
  purpose: text('purpose').notNull(),
  userPk: userPkReference(users, names).notNull(),
  address: text('address').notNull(),
  passwordDigest: text('password_digest').notNull(),
  createdAt: timestamp('created_at').notNull(),
  expiresAt: timestamp('expires_at').notNull()
}, table => [
  uniqueIndex(`${prefix}one_time_tokens_mail_id_unique`).on(table.mailId),
  index(`${prefix}one_time_tokens_user_pk_index`).on(table.userPk),
  index(`${prefix}one_time_tokens_expires_at_index`).on(table.expiresAt)
])

/** The last key that a user got with `account.pk: 'integer'`: one row, so that no key is given twice. */
const userPkCounterTable = (prefix: string) => sqliteTable(`${prefix}user_pk_counter`, {
  name: text('name').primaryKey(),
  last: integer('last').notNull()
})

/** What was migrated: the entries `migration:0000_accounts`, `field:gender`, … and how each was defined. */
const ledgerTable = (prefix: string) => sqliteTable(`${prefix}rest_auth_schema`, {
  entry: text('entry').primaryKey(),
  definition: text('definition').notNull()
})

/** The tables of a registration with `database: { tables }`. */
export function createTables<F extends UserFields = {}> ({ fields, ...names }: TablesOptions<F> = {}) {
  const { tables: prefix = '' } = names
  const users = usersTable(fields, names)
  const sessions = sessionsTable(names, users)
  return {
    users,
    sessions,
    refreshTokens: refreshTokensTable(prefix, sessions),
    outbox: outboxTable(names, users),
    oneTimeTokens: oneTimeTokensTable(names, users),
    socialAccounts: socialAccountsTable(names, users),
    socialTransactions: socialTransactionsTable(names, users),
    userPkCounter: userPkCounterTable(prefix),
    rateLimits: rateLimitsTable(prefix),
    loginFailures: loginFailuresTable(names, users),
    events: eventsTable(names),
    knownDevices: knownDevicesTable(names, users),
    ledger: ledgerTable(prefix)
  }
}

// Not the ledger: drizzle-kit takes what is exported here for what its migrations make.
export const {
  users, sessions, refreshTokens, outbox, oneTimeTokens, socialAccounts, socialTransactions, userPkCounter, rateLimits,
  loginFailures, events, knownDevices
} = createTables()

/** For the drizzle.config of an app on the same database: `drizzle-kit push` leaves these tables alone. */
export const tablesFilter: string[] = filterOf()
/** The same for the tables of `database: { tables }`. */
export { filterOf as tablesFilterOf }
