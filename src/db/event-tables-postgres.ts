/** The tables of events and of known devices on PostgreSQL, described in `event-tables-sqlite.ts`. */
import { index, jsonb, text } from 'drizzle-orm/pg-core'
import type { EventDetails, EventType } from '../../schemas/events.js'
import { timestamp, userPkColumn, userPkReference, type Naming, type Users } from './users-table-postgres.js'

export const eventsTable = ({ define, prefix, ...names }: Naming) => define(`${prefix}auth_events`, {
  id: text('id').primaryKey(),
  type: text('type').$type<EventType>().notNull(),
  at: timestamp('at').notNull(),
  userPk: userPkColumn(names),
  sessionId: text('session_id'),
  ip: text('ip'),
  userAgent: text('user_agent'),
  details: jsonb('details').$type<EventDetails>().notNull()
}, table => [
  index(`${prefix}auth_events_user_pk_index`).on(table.userPk, table.id),
  index(`${prefix}auth_events_at_index`).on(table.at)
])

export const knownDevicesTable = (
  { define, prefix, ...names }: Naming, users: Users
) => define(`${prefix}auth_known_devices`, {
  device: text('device').primaryKey(),
  userPk: userPkReference(users, names).notNull(),
  lastSeenAt: timestamp('last_seen_at').notNull()
}, table => [
  index(`${prefix}auth_known_devices_user_pk_index`).on(table.userPk),
  index(`${prefix}auth_known_devices_last_seen_at_index`).on(table.lastSeenAt)
])
