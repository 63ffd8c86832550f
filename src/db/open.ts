/** Opens whatever the `database` option names. */
import type BetterSqlite3 from 'better-sqlite3'
import { is } from 'drizzle-orm'
import { PgDatabase } from 'drizzle-orm/pg-core'
import { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import type { FieldSpec } from '../../schemas/user-fields.js'
import type { Database } from './database.js'
import { openPostgres } from './postgres.js'
import { openSqlite } from './sqlite.js'

export const isPostgres = (database: unknown): boolean =>
  typeof database === 'string' ? /^postgres(ql)?:\/\//.test(database) : is(database, PgDatabase)

/** Opens a database; `log` hears of faults on idle connections. */
export async function openDatabase (database: unknown, fields: readonly FieldSpec[], log: (error: Error) => void): Promise<Database> {
  if (typeof database === 'string' && (isPostgres(database) || !/^\w+:\/\//.test(database))) {
    return isPostgres(database) ? await openPostgres(database, fields, log) : await openSqlite(database, fields)
  }
  if (is(database, PgDatabase)) return await openPostgres(database, fields, log)
  const client = is(database, BaseSQLiteDatabase) && '$client' in database ? database.$client : undefined
  if (!isBetterSqlite3(client)) {
    throw new Error(
      'database: give a SQLite file, a postgres:// URL, or a Drizzle instance on better-sqlite3 or PostgreSQL'
    )
  }
  // A connection of our own to the host's file: what the host writes meanwhile must not fall into our transactions.
  return await openSqlite(client.memory ? client : client.name, fields)
}

const isBetterSqlite3 = (client: unknown): client is BetterSqlite3.Database =>
  typeof client === 'object' && client !== null && 'inTransaction' in client && 'memory' in client
