/** The table of users on SQLite, made by the plugin or by the app, and the columns that refer to it. */
import { customType, integer, sqliteTable, text, uniqueIndex, type AnySQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { FieldSpecs, UserFields } from '../../schemas/user-fields.js'
import { canonicalOrStored } from '../lib/email.js'
import { columnOf, isIntegerKey, keyCodec, typeOf, type ExistingTable, type KeyType } from './existing-table.js'
import type { TableNames } from './table-names.js'
import { userFieldColumns } from './user-columns-sqlite.js'

export const timestamp = (name: string) => integer(name, { mode: 'timestamp_ms' })

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

/** As `CURRENT_TIMESTAMP` writes it: UTC without a zone. */
const textTimestamp = customType<{ data: Date, driverData: unknown }>({
  dataType: () => 'text',
  toDriver: time => time.toISOString().replace('T', ' ').replace('Z', ''),
  fromDriver: stored => new Date(String(stored).replace(/^([\d-]{10}) ([\d:.]+)$/, '$1T$2Z'))
})

const canonicalText = customType<{ data: string, driverData: string }>({
  dataType: () => 'text', fromDriver: canonicalOrStored
})

const keyColumn = (name: string, keyType: KeyType) => customType<{ data: string, driverData: unknown }>({
  dataType: () => isIntegerKey(keyType) ? 'integer' : 'text', ...keyCodec(keyType)
})(name)

function existingColumns (table: ExistingTable) {
  const name = (column: Parameters<typeof columnOf>[1]) => columnOf(table, column)
  const time = (column: 'created_at' | 'last_login') =>
    /int/.test(typeOf(table, column) ?? 'integer') ? timestamp(name(column)) : textTimestamp(name(column))
  const columns = {
    pk: keyColumn(table.key ?? 'id', table.keyType ?? 'text').primaryKey(),
    email: canonicalText(name('email')),
    username: text(name('username')),
    usernameKey: text(name('username_key')),
    emailVerified: integer(name('email_verified'), { mode: 'boolean' }).notNull().default(false),
    passwordHash: text(name('password_hash')),
    isActive: integer(name('is_active'), { mode: 'boolean' }).notNull(),
    createdAt: time('created_at').notNull(),
    lastLogin: time('last_login')
  }
  // The rows are the same: only how values are stored differs.
  return columns as unknown as ReturnType<typeof userColumns>
}

/** The table with the columns of user fields: `usersTable(describeFields(userFields).fields)`. */
export const usersTable = <F extends UserFields = {}>(
  fields: FieldSpecs<F> = [], { tables: prefix = '', table: existing }: TableNames = {}
) => sqliteTable(existing?.name ?? `${prefix}users`, {
    ...(existing ? existingColumns(existing) : userColumns()),
    ...userFieldColumns(fields)
  }, table => existing
    ? []
    : [
        uniqueIndex(`${prefix}users_email_unique`).on(table.email),
        uniqueIndex(`${prefix}users_username_key_unique`).on(table.usernameKey)
      ])

/** The table of users, with or without user fields. */
export interface Users { pk: AnySQLiteColumn }

const plainUserPk = () => text('user_pk')

/** A column `user_pk`, of the type of the users' key. */
export const userPkColumn = ({ table }: Pick<TableNames, 'table'>) => table
  ? keyColumn('user_pk', table.keyType ?? 'text') as unknown as ReturnType<typeof plainUserPk>
  : plainUserPk()

/** The same for rows that are deleted with their user. */
export const userPkReference = (users: Users, names: Pick<TableNames, 'table'>) =>
  userPkColumn(names).references(() => users.pk, { onDelete: 'cascade' })
