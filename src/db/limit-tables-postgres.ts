/** The tables of limits and of failed logins on PostgreSQL, described in `limit-tables-sqlite.ts`. */
import { index, integer, text, timestamp as timestamptz } from 'drizzle-orm/pg-core'
import type { Naming, Users } from './social-tables-postgres.js'

const timestamp = (name: string) => timestamptz(name, { withTimezone: true, precision: 3, mode: 'date' })

export const rateLimitsTable = ({ define, prefix }: Naming) => define(`${prefix}auth_rate_limits`, {
  key: text('key').primaryKey(),
  used: integer('used').notNull(),
  quota: integer('quota').notNull(),
  resetsAt: timestamp('resets_at').notNull()
}, table => [index(`${prefix}auth_rate_limits_resets_at_index`).on(table.resetsAt)])

export const loginFailuresTable = ({ define, prefix }: Naming, users: Users) => define(`${prefix}auth_login_failures`, {
  userPk: text('user_pk').primaryKey().references(() => users.pk, { onDelete: 'cascade' }),
  failures: integer('failures').notNull(),
  lockedAt: timestamp('locked_at')
})
