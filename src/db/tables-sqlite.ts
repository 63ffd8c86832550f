/** The tables on SQLite. The rows equal those on PostgreSQL, or `tables.ts` does not compile. */
import { getTableName } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { FieldSpec } from '../../schemas/user-fields.js'
import { columnOf } from './user-columns-sqlite.js'

const timestamp = (name: string) => integer(name, { mode: 'timestamp_ms' })

const userColumns = () => ({
  pk: text('pk').primaryKey(),
  email: text('email'),
  username: text('username'),
  usernameKey: text('username_key'),
  emailVerified: integer('email_verified', { mode: 'boolean' }).notNull().default(false),
  passwordHash: text('password_hash'),
  isActive: integer('is_active', { mode: 'boolean' }).notNull(),
  createdAt: timestamp('created_at').notNull(),
  lastLogin: timestamp('last_login')
})

export const usersTable = (fields: readonly FieldSpec[] = []) => sqliteTable('users', {
  ...userColumns(),
  ...Object.fromEntries(fields.map(field => [field.name, columnOf[field.kind](field.column)])) as {}
}, table => [
  uniqueIndex('users_email_unique').on(table.email),
  uniqueIndex('users_username_key_unique').on(table.usernameKey)
])

export const users = usersTable()

export const sessions = sqliteTable('sessions', {
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

export const refreshTokens = sqliteTable('refresh_tokens', {
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

/** The mails to send, and those sent in the last hour. `src/mail/dispatcher.ts` sends them and updates the rows. */
export const outbox = sqliteTable('mail_outbox', {
  id: text('id').primaryKey(),
  origin: text('origin').notNull(),
  template: text('template').notNull(),
  address: text('address'),
  userPk: text('user_pk').references(() => users.pk, { onDelete: 'cascade' }),
  variables: text('variables', { mode: 'json' }).notNull(),
  createdAt: timestamp('created_at').notNull(),
  dueAt: timestamp('due_at'),
  attempts: integer('attempts').notNull(),
  admittedAt: timestamp('admitted_at'),
  sentAt: timestamp('sent_at'),
  failedAt: timestamp('failed_at'),
  lastError: text('last_error')
}, table => [index('mail_outbox_due_at_index').on(table.dueAt), index('mail_outbox_user_pk_index').on(table.userPk)])

export const oneTimeTokens = sqliteTable(
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

/** Which user logs in with which account of a provider; (issuer, subject) identifies it permanently. */
export const socialAccounts = sqliteTable(
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

/** Social logins under way, each usable once: a redirect, a login that is still to be fetched, or a used ID token. */
export const socialTransactions = sqliteTable(
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

/** The last key that a user got with `account.pk: 'integer'`: one row, so that no key is given twice. */
export const userPkCounter = sqliteTable('user_pk_counter', {
  name: text('name').primaryKey(),
  last: integer('last').notNull()
})

/** For the drizzle.config of an app on the same database: `drizzle-kit push` leaves these tables alone. */
export const tablesFilter: string[] = [
  ...[
    users, sessions, refreshTokens, outbox, oneTimeTokens, socialAccounts, socialTransactions, userPkCounter
  ].map(getTableName),
  'rest_auth_schema'
].map(name => `!${name}`)
