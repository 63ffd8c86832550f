/** The tables of events and of known devices on SQLite. */
import { index, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { EventDetails, EventType } from '../../schemas/events.js'
import type { TableNames } from './table-names.js'
import { timestamp, userPkColumn, userPkReference, type Users } from './users-table-sqlite.js'

/** What has happened: see `src/events/`. The user is no reference, because the end of an account is an event, too. */
export const eventsTable = ({ tables: prefix = '', ...names }: TableNames) => sqliteTable(`${prefix}auth_events`, {
  id: text('id').primaryKey(),
  type: text('type').$type<EventType>().notNull(),
  at: timestamp('at').notNull(),
  userPk: userPkColumn(names),
  sessionId: text('session_id'),
  ip: text('ip'),
  userAgent: text('user_agent'),
  details: text('details', { mode: 'json' }).$type<EventDetails>().notNull()
}, table => [
  index(`${prefix}auth_events_user_pk_index`).on(table.userPk, table.id),
  index(`${prefix}auth_events_at_index`).on(table.at)
])

/** From where users have logged in: a digest of the user, the network and the browser. */
export const knownDevicesTable = (
  { tables: prefix = '', ...names }: TableNames, users: Users
) => sqliteTable(`${prefix}auth_known_devices`, {
  device: text('device').primaryKey(),
  userPk: userPkReference(users, names).notNull(),
  lastSeenAt: timestamp('last_seen_at').notNull()
}, table => [
  index(`${prefix}auth_known_devices_user_pk_index`).on(table.userPk),
  index(`${prefix}auth_known_devices_last_seen_at_index`).on(table.lastSeenAt)
])
