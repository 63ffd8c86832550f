/** The tables on PostgreSQL, described in `tables-sqlite.ts`. The rows are equal, or `tables.ts` does not compile. */
import { bigint, index, integer, jsonb, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { UserFields } from '../../schemas/user-fields.js'
import { eventsTable, knownDevicesTable } from './event-tables-postgres.js'
import { loginFailuresTable, rateLimitsTable } from './limit-tables-postgres.js'
import { socialAccountsTable, socialTransactionsTable } from './social-tables-postgres.js'
import { filterOf, type TablesOptions } from './table-names.js'
import {
  defineIn, timestamp, userPkReference, usersTable, type Naming, type Users
} from './users-table-postgres.js'

export { usersTable }

const sessionsTable = ({ define, prefix, ...names }: Naming, users: Users) => define(`${prefix}sessions`, {
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

const refreshTokensTable = ({ define, prefix }: Naming, sessions: Sessions) => define(`${prefix}refresh_tokens`, {
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

const outboxTable = ({ define, prefix, ...names }: Naming, users: Users) => define(`${prefix}mail_outbox`, {
  id: text('id').primaryKey(),
  origin: text('origin').notNull(),
  template: text('template').notNull(),
  address: text('address'),
  userPk: userPkReference(users, names),
  variables: jsonb('variables').notNull(),
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

const oneTimeTokensTable = ({ define, prefix, ...names }: Naming, users: Users) => define(`${prefix}one_time_tokens`, {
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

const userPkCounterTable = ({ define, prefix }: Naming) => define(`${prefix}user_pk_counter`, {
  name: text('name').primaryKey(),
  last: bigint('last', { mode: 'number' }).notNull()
})

const ledgerTable = ({ define, prefix }: Naming) => define(`${prefix}rest_auth_schema`, {
  entry: text('entry').primaryKey(),
  definition: text('definition').notNull()
})

/** The tables of a registration with `database: { tables }`. */
export function createTables<F extends UserFields = {}> ({ fields, ...names }: TablesOptions<F> = {}) {
  const naming: Naming = { define: defineIn(names), prefix: names.tables ?? '', table: names.table }
  const users = usersTable(fields, names)
  const sessions = sessionsTable(naming, users)
  return {
    users,
    sessions,
    refreshTokens: refreshTokensTable(naming, sessions),
    outbox: outboxTable(naming, users),
    oneTimeTokens: oneTimeTokensTable(naming, users),
    socialAccounts: socialAccountsTable(naming, users),
    socialTransactions: socialTransactionsTable(naming, users),
    userPkCounter: userPkCounterTable(naming),
    rateLimits: rateLimitsTable(naming),
    loginFailures: loginFailuresTable(naming, users),
    events: eventsTable(naming),
    knownDevices: knownDevicesTable(naming, users),
    ledger: ledgerTable(naming)
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
