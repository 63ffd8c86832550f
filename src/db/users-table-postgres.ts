/** The table of users on PostgreSQL, described in `users-table-sqlite.ts`. */
import {
  boolean, customType, pgTable, PgSchema, text, timestamp as timestamptz, uniqueIndex, type AnyPgColumn, type PgTableFn
} from 'drizzle-orm/pg-core'
import type { FieldSpecs, UserFields } from '../../schemas/user-fields.js'
import { canonicalOrStored } from '../lib/email.js'
import { columnOf, keyCodec, typeOf, type ExistingTable, type KeyType } from './existing-table.js'
import type { TableNames } from './table-names.js'
import { userFieldColumns } from './user-columns-postgres.js'

export const timestamp = (name: string) => timestamptz(name, { withTimezone: true, precision: 3, mode: 'date' })

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

const canonicalText = customType<{ data: string, driverData: string }>({
  dataType: () => 'text', fromDriver: canonicalOrStored
})

const keyColumn = (name: string, keyType: KeyType) => customType<{ data: string, driverData: unknown }>({
  dataType: () => keyType, ...keyCodec(keyType)
})(name)

function existingColumns (table: ExistingTable) {
  const name = (column: Parameters<typeof columnOf>[1]) => columnOf(table, column)
  const time = (column: 'created_at' | 'last_login') => timestamptz(name(column), {
    withTimezone: typeOf(table, column) !== 'timestamp without time zone', precision: 3, mode: 'date'
  })
  const columns = {
    pk: keyColumn(table.key ?? 'id', table.keyType ?? 'text').primaryKey(),
    email: canonicalText(name('email')),
    username: text(name('username')),
    usernameKey: text(name('username_key')),
    emailVerified: boolean(name('email_verified')).notNull().default(false),
    passwordHash: text(name('password_hash')),
    isActive: boolean(name('is_active')).notNull(),
    createdAt: time('created_at').notNull(),
    lastLogin: time('last_login')
  }
  // The rows are the same: only how values are stored differs.
  return columns as unknown as ReturnType<typeof userColumns>
}

/** Tables in a schema have the same columns and rows. The schema `public` is one, too, if it is named. */
export const defineIn = ({ schema }: TableNames) =>
  schema === undefined ? pgTable : new PgSchema(schema).table as unknown as PgTableFn

/** The table with the columns of user fields: `usersTable(describeFields(userFields).fields)`. */
export const usersTable = <F extends UserFields = {}>(
  fields: FieldSpecs<F> = [], { tables: prefix = '', table: existing, ...names }: TableNames = {}
) => defineIn(names)(existing?.name ?? `${prefix}users`, {
    ...(existing ? existingColumns(existing) : userColumns()),
    ...userFieldColumns(fields)
  }, table => existing
    ? []
    : [
        uniqueIndex(`${prefix}users_email_unique`).on(table.email),
        uniqueIndex(`${prefix}users_username_key_unique`).on(table.usernameKey)
      ])

/** The table of users, with or without user fields. */
export interface Users { pk: AnyPgColumn }
/** Defines a table, in the schema that it should be in; what its name begins with; and the app's table of users. */
export interface Naming extends Pick<TableNames, 'table'> { define: PgTableFn, prefix: string }

const plainUserPk = () => text('user_pk')

/** A column `user_pk`, of the type of the users' key. */
export const userPkColumn = ({ table }: Pick<TableNames, 'table'>) => table
  ? keyColumn('user_pk', table.keyType ?? 'text') as unknown as ReturnType<typeof plainUserPk>
  : plainUserPk()

/** The same for rows that are deleted with their user. */
export const userPkReference = (users: Users, names: Pick<TableNames, 'table'>) =>
  userPkColumn(names).references(() => users.pk, { onDelete: 'cascade' })
