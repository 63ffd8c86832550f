/** Opens the database that the option `database` names. */
import type BetterSqlite3 from 'better-sqlite3'
import type { FieldSpec } from '../../schemas/user-fields.js'
import type { Database } from './database.js'
import { dialectOf } from './drizzle-instance.js'
import type { ExistingTableOption } from './existing-table.js'
import type { PgOrm } from './postgres-rules.js'
import type * as postgres from './postgres.js'
import type * as sqlite from './sqlite.js'
import { isPostgres, targetOf } from './target.js'

// Loaded when it is needed: each of them takes long to load, and few apps need both.
const openPostgres = async (...given: Parameters<typeof postgres.openPostgres>): Promise<Database> =>
  await (await import('./postgres.js')).openPostgres(...given)
const openSqlite = async (...given: Parameters<typeof sqlite.openSqlite>): Promise<Database> =>
  await (await import('./sqlite.js')).openSqlite(...given)

/**
 * `onIdleError` is called with the errors of idle connections. Throws if the option names no supported database, or if
 * the database lacks `existing`, the app's own table of users.
 */
export async function openDatabase (
  option: unknown,
  fields: readonly FieldSpec[],
  onIdleError: (error: Error) => void,
  existing?: ExistingTableOption
): Promise<Database> {
  const { database, prepare, names, pool } = targetOf(option)
  const tables = { names, fields, existing }
  if (typeof database === 'string' && (isPostgres(database) || isSqliteName(database))) {
    return isPostgres(database)
      ? await openPostgres(database, tables, { prepare, pool, onIdleError })
      : await openSqlite(database, tables)
  }
  if (isPgOrm(database)) return await openPostgres(database, tables, { prepare, pool, onIdleError })
  const client = dialectOf(database) === 'sqlite' ? Object(database).$client : undefined
  if (!isBetterSqlite3(client)) {
    throw new Error(
      'database: give a SQLite file, a postgres:// URL, or a Drizzle instance on better-sqlite3 or PostgreSQL'
    )
  }
  // A second connection to the host's file, so that the host's writes do not become part of our transactions.
  return await openSqlite(client.memory ? client : client.name, tables)
}

/**
 * A blank name, or an address of another kind such as `file:`, would make SQLite open a temporary database that
 * vanishes with the process, or a file with an odd name. `C:` is a drive.
 */
const isSqliteName = (name: string): boolean =>
  name === ':memory:' || /^(?![\s:]|[a-z][a-z0-9+.-]+:)\P{Cc}*(?<!\s)$/iu.test(name)

const isPgOrm = (database: unknown): database is PgOrm => dialectOf(database) === 'postgres'

const isBetterSqlite3 = (client: unknown): client is BetterSqlite3.Database =>
  typeof client === 'object' && client !== null && 'inTransaction' in client && 'memory' in client
