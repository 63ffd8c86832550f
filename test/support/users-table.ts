/**
 * With the environment variable USERS_TABLE=accounts, every app of the tests has its users in a table that it had
 * before the plugin, `accounts (id serial, email_address, …)`, so that any story can be told on such a table.
 */
import BetterSqlite3 from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { ExistingTableOption } from '../../src/db/existing-table.js'
import * as postgresTables from '../../src/db/tables-postgres.js'
import * as sqliteTables from '../../src/db/tables-sqlite.js'
import { execute } from './databases.js'

if (![undefined, '', 'accounts'].includes(process.env.USERS_TABLE)) throw new Error('USERS_TABLE may only be accounts')
const isMapped = process.env.USERS_TABLE === 'accounts'

const table = {
  name: 'accounts', key: 'id', columns: { email: 'email_address', password_hash: 'pass_hash', created_at: 'created' }
}
const mayBeNull = { email: true, username: true, requiredFields: true }

/** For `openDatabase`. */
export const existingTable: ExistingTableOption | undefined = isMapped ? { ...table, mayBeNull } : undefined

/** The table of users as Drizzle knows it, for code of the app. */
export function usersOf (dialect: 'sqlite' | 'postgres') {
  const names = { table: isMapped ? { ...table, keyType: 'integer' as const } : undefined }
  return dialect === 'sqlite'
    ? sqliteTables.createTables(names).users
    : postgresTables.createTables(names).users as never
}
export const usersTableName = isMapped ? table.name : 'users'
export const columnNames = isMapped ? table.columns : { email: 'email', password_hash: 'password_hash' }

/** A key that no user has, made of one that a user has. */
export const otherPk = (pk: string): string => isMapped ? String(Number(pk) + 1000) : `other than ${pk}`
/** The key, if it is so long that it does not occur by chance. */
export const longPk = (pk: string): string[] => isMapped ? [] : [pk]

// The address may be NULL, for the stories in which it is optional.
const columns = 'email_address varchar UNIQUE, pass_hash text, full_name text, ' +
  'remark_of_app text NOT NULL DEFAULT \'theirs\''
const onSqlite = `CREATE TABLE IF NOT EXISTS accounts (id integer PRIMARY KEY, created text, ${columns})`
const onPostgres = `CREATE TABLE IF NOT EXISTS accounts (id serial PRIMARY KEY, created timestamptz, ${columns})`

/** The options, with the app's own table in their database. */
export async function withUsersTable<Options extends { database: unknown, account?: object }> (
  options: Options
): Promise<Options> {
  if (!isMapped) return options
  return { ...options, database: await makeTable(options.database), account: { ...options.account, table } }
}

/** Returns the database. A database in memory is opened, because it would be gone with its connection. */
async function makeTable (database: unknown): Promise<unknown> {
  if (typeof database === 'string') {
    if (/^postgres/.test(database)) await execute(database, onPostgres)
    else {
      const client = new BetterSqlite3(database)
      client.exec(onSqlite)
      if (database === ':memory:') return drizzle({ client })
      client.close()
    }
    return database
  }
  const { url, drizzle: given, $client: client } = Object(database)
  if (client === undefined) await makeTable(url ?? given)
  else if ('inTransaction' in client) client.exec(onSqlite)
  else await client.query(onPostgres)
  return database
}
