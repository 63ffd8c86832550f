/** The tables of limits and of failed logins on PostgreSQL, described in `limit-tables-sqlite.ts`. */
import { index, integer, text } from 'drizzle-orm/pg-core'
import { timestamp, userPkReference, type Naming, type Users } from './users-table-postgres.js'

export const rateLimitsTable = ({ define, prefix }: Naming) => define(`${prefix}auth_rate_limits`, {
  key: text('key').primaryKey(),
  used: integer('used').notNull(),
  quota: integer('quota').notNull(),
  resetsAt: timestamp('resets_at').notNull()
}, table => [index(`${prefix}auth_rate_limits_resets_at_index`).on(table.resetsAt)])

export const loginFailuresTable = (
  { define, prefix, ...names }: Naming, users: Users
) => define(`${prefix}auth_login_failures`, {
  userPk: userPkReference(users, names).primaryKey(),
  failures: integer('failures').notNull(),
  lockedAt: timestamp('locked_at')
})
