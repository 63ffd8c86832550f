/** PostgreSQL through any Drizzle driver; for a URL, through node-postgres with its own pool. */
import { sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { FieldSpec } from '../../schemas/user-fields.js'
import { retry } from '../lib/retry.js'
import type { Database, Db, Orm } from './database.js'
import { isOvertaken } from './errors.js'
import * as postgres from './tables-postgres.js'
import type { Tables } from './tables.js'

// Any schema: the host's instance may have its own.
type PgOrm = PgDatabase<PgQueryResultHKT, any, any>

// Held while migrating: two servers that start at once would both create the tables. Any number that others don't use.
const migrationLock = 7237280

/** A pool for a `postgres://` URL, whose idle connections may fail (`onIdleError`), or the host's own instance. */
export async function openPostgres (
  target: string | PgOrm,
  fields: readonly FieldSpec[],
  onIdleError: (error: Error) => void
): Promise<Database> {
  const { orm, close } =
    typeof target === 'string' ? await openPool(target, onIdleError) : { orm: target, close: async () => {} }
  const { sessions, refreshTokens, outbox, oneTimeTokens, socialAccounts, socialTransactions } = postgres
  const tables = {
    users: postgres.usersTable(fields),
    sessions,
    refreshTokens,
    outbox,
    oneTimeTokens,
    socialAccounts,
    socialTransactions
  }
  // The builders of both dialects share their methods, and tables.ts proves that the rows are equal.
  const asDb = (pg: PgOrm) => ({ ...tables, orm: pg }) as unknown as Tables & { orm: Orm }

  const transaction: Database['transaction'] = work =>
    retry(() => orm.transaction(tx => work(asDb(tx))), {
      attempts: 3,
      when: isOvertaken,
      waitMs: attempt => Math.random() * 20 * attempt
    })
  const origin = new WeakMap<Db, PgOrm>()
  return {
    ...asDb(orm),
    dialect: 'postgres',
    transaction,
    underMigrationLock: work => orm.transaction(async pg => {
      // Waiting for another server's migration, or building an index, may take longer than any request.
      await pg.execute(sql`SET LOCAL statement_timeout = 0`)
      await pg.execute(sql`SELECT pg_advisory_xact_lock(${migrationLock})`)
      const tx = asDb(pg)
      origin.set(tx, pg)
      return await work(tx)
    }),
    execute: async (tx, statement) => { await (origin.get(tx) ?? orm).execute(sql.raw(statement)) },
    close
  }
}

async function openPool (url: string, onIdleError: (error: Error) => void) {
  const [pg, { drizzle }] = await Promise.all([import('pg'), import('drizzle-orm/node-postgres')]).catch(error => {
    throw new Error('database: PostgreSQL needs the package pg (npm install pg)', { cause: error })
  })
  const pool = new pg.default.Pool({ connectionString: url, connectionTimeoutMillis: 5000, statement_timeout: 5000 })
  // Without a listener, this process would crash when the database server stops.
  pool.on('error', onIdleError)
  const orm: PgOrm = drizzle(pool)
  return { orm, close: () => pool.end() }
}
