/** The tables on PostgreSQL, described in `tables-sqlite.ts`. The rows are equal, or `tables.ts` does not compile. */
import { getTableName } from 'drizzle-orm'
import {
  bigint, boolean, doublePrecision, index, integer, jsonb, numeric, pgTable, text, timestamp as timestamptz,
  uniqueIndex
} from 'drizzle-orm/pg-core'
import type { FieldSpec } from '../../schemas/user-fields.js'

const timestamp = (name: string) => timestamptz(name, { withTimezone: true, precision: 3, mode: 'date' })

const userColumns = () => ({
  pk: text('pk').primaryKey(),
  email: text('email'),
  username: text('username'),
  usernameKey: text('username_key'),
  emailVerified: boolean('email_verified').notNull().default(false),
  passwordHash: text('password_hash'),
  isActive: boolean('is_active').notNull(),
  createdAt: timestamp('created_at').notNull(),
  lastLogin: timestamp('last_login')
})

const columnOf = {
  text: (name: string) => text(name),
  decimal: (name: string) => numeric(name),
  integer: (name: string) => bigint(name, { mode: 'number' }),
  real: (name: string) => doublePrecision(name),
  boolean: (name: string) => boolean(name),
  json: (name: string) => jsonb(name)
}

export const usersTable = (fields: readonly FieldSpec[] = []) => pgTable('users', {
  ...userColumns(),
  ...Object.fromEntries(fields.map(field => [field.name, columnOf[field.kind](field.column)])) as {}
}, table => [
  uniqueIndex('users_email_unique').on(table.email),
  uniqueIndex('users_username_key_unique').on(table.usernameKey)
])

export const users = usersTable()

export const sessions = pgTable('sessions', {
  id: text('id').primaryKey(),
  userPk: text('user_pk').notNull().references(() => users.pk, { onDelete: 'cascade' }),
  createdAt: timestamp('created_at').notNull(),
  lastSeenAt: timestamp('last_seen_at').notNull(),
  expiresAt: timestamp('expires_at').notNull(),
  authenticatedAt: timestamp('authenticated_at'),
  amr: text('amr'),
  ip: text('ip'),
  userAgent: text('user_agent'),
  graceUsesByOthers: integer('grace_uses_by_others')
}, table => [index('sessions_user_pk_index').on(table.userPk)])

export const refreshTokens = pgTable('refresh_tokens', {
  digest: text('digest').primaryKey(),
  family: text('family'),
  sessionId: text('session_id').notNull().references(() => sessions.id, { onDelete: 'cascade' }),
  createdAt: timestamp('created_at').notNull(),
  expiresAt: timestamp('expires_at').notNull(),
  spentAt: timestamp('spent_at'),
  spentBy: text('spent_by')
}, table => [
  index('refresh_tokens_session_id_index').on(table.sessionId),
  index('refresh_tokens_family_index').on(table.family)
])

export const outbox = pgTable('mail_outbox', {
  id: text('id').primaryKey(),
  origin: text('origin').notNull(),
  template: text('template').notNull(),
  address: text('address'),
  userPk: text('user_pk').references(() => users.pk, { onDelete: 'cascade' }),
  variables: jsonb('variables').notNull(),
  createdAt: timestamp('created_at').notNull(),
  dueAt: timestamp('due_at'),
  attempts: integer('attempts').notNull(),
  admittedAt: timestamp('admitted_at'),
  sentAt: timestamp('sent_at'),
  failedAt: timestamp('failed_at'),
  lastError: text('last_error')
}, table => [index('mail_outbox_due_at_index').on(table.dueAt), index('mail_outbox_user_pk_index').on(table.userPk)])

export const oneTimeTokens = pgTable(
  'one_time_tokens',
  {
    digest: text('digest').primaryKey(),
    mailId: text('mail_id').notNull(),
    purpose: text('purpose').notNull(),
    userPk: text('user_pk').notNull().references(() => users.pk, { onDelete: 'cascade' }),
    address: text('address').notNull(),
    passwordDigest: text('password_digest').notNull(),
    createdAt: timestamp('created_at').notNull(),
    expiresAt: timestamp('expires_at').notNull()
  },
  table => [
    uniqueIndex('one_time_tokens_mail_id_unique').on(table.mailId),
    index('one_time_tokens_user_pk_index').on(table.userPk)
  ]
)

export const socialAccounts = pgTable(
  'social_accounts',
  {
    id: text('id').primaryKey(),
    userPk: text('user_pk').notNull().references(() => users.pk, { onDelete: 'cascade' }),
    provider: text('provider').notNull(),
    issuer: text('issuer').notNull(),
    subject: text('subject').notNull(),
    createdAt: timestamp('created_at').notNull(),
    lastLogin: timestamp('last_login').notNull(),
    tokens: text('tokens')
  },
  table => [
    uniqueIndex('social_accounts_identity_unique').on(table.issuer, table.subject),
    index('social_accounts_user_pk_index').on(table.userPk)
  ]
)

export const socialTransactions = pgTable(
  'social_transactions',
  {
    digest: text('digest').primaryKey(),
    purpose: text('purpose').notNull(),
    origin: text('origin').notNull(),
    provider: text('provider').notNull(),
    browser: text('browser'),
    userPk: text('user_pk').references(() => users.pk, { onDelete: 'cascade' }),
    next: text('next'),
    createdAt: timestamp('created_at').notNull(),
    expiresAt: timestamp('expires_at').notNull()
  },
  table => [
    index('social_transactions_expires_at_index').on(table.expiresAt),
    index('social_transactions_user_pk_index').on(table.userPk)
  ]
)

export const userPkCounter = pgTable('user_pk_counter', {
  name: text('name').primaryKey(),
  last: bigint('last', { mode: 'number' }).notNull()
})

/** For the drizzle.config of an app on the same database: `drizzle-kit push` leaves these tables alone. */
export const tablesFilter: string[] = [
  ...[
    users, sessions, refreshTokens, outbox, oneTimeTokens, socialAccounts, socialTransactions, userPkCounter
  ].map(getTableName),
  'rest_auth_schema'
].map(name => `!${name}`)
