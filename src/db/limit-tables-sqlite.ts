/** The tables of limits and of failed logins on SQLite. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { TableNames } from './table-names.js'
import { timestamp, userPkReference, type Users } from './users-table-sqlite.js'

/** How often each limited action was tried: see `src/limits/`. */
export const rateLimitsTable = (prefix: string) => sqliteTable(`${prefix}auth_rate_limits`, {
  key: text('key').primaryKey(),
  used: integer('used').notNull(),
  quota: integer('quota').notNull(),
  resetsAt: timestamp('resets_at').notNull()
}, table => [index(`${prefix}auth_rate_limits_resets_at_index`).on(table.resetsAt)])

/** How often in a row a wrong password was entered for a user, and since when the login is closed for it. */
export const loginFailuresTable = (
  { tables: prefix = '', ...names }: TableNames, users: Users
) => sqliteTable(`${prefix}auth_login_failures`, {
  userPk: userPkReference(users, names).primaryKey(),
  failures: integer('failures').notNull(),
  lockedAt: timestamp('locked_at')
})
