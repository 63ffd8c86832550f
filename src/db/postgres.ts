/** PostgreSQL through any Drizzle driver; for a URL, through node-postgres with its own pool. */
import { sql } from 'drizzle-orm'
import { runNow, untilCommitted } from './after-commit.js'
import type { Database, Db, Orm } from './database.js'
import { openPool, type Connections } from './postgres-pool.js'
import { hasIsoDates, untilSettled, withRules, withRulesInside, type PgOrm, type Rules } from './postgres-rules.js'
import { findTable } from './find-table.js'
import type { OpeningOptions, TableNames } from './table-names.js'
import { createTables } from './tables-postgres.js'

// Held while migrating: two servers that start at once would both create the tables. Any number that others don't use.
const migrationLock = 7237280

/** A pool for a `postgres://` URL, whose idle connections may fail (`onIdleError`), or the host's own instance. */
export async function openPostgres (
  target: string | PgOrm,
  { names, fields, existing: option }: OpeningOptions,
  { prepare, pool, onIdleError }: { prepare: boolean, pool: object, onIdleError: (error: Error) => void }
): Promise<Database> {
  const { orm, close, ...connections } =
    typeof target === 'string' ? await openPool(target, pool, onIdleError) : connectionsOf(target)
  const rules: Rules = { prepare, isoDates: await hasIsoDates(orm) }
  // The builders of both dialects share their methods, and tables.ts proves that the rows are equal.
  const existing = await findTable('postgres', orm as unknown as Orm, names, option)
  const tables = { ...createTables({ ...names, fields, table: existing }), names, existing }
  const asDb = (pg: PgOrm, afterCommit = runNow) => ({ ...tables, orm: pg, afterCommit }) as unknown as Db

  const transaction: Database['transaction'] = work => untilSettled(rules, () => untilCommitted(afterCommit =>
    connections.transaction(async tx => await work(asDb(await withRulesInside(tx, rules), afterCommit)))))
  const origin = new WeakMap<Db, PgOrm>()
  return {
    ...asDb(withRules(orm, rules, connections.transaction)),
    dialect: 'postgres',
    transaction,
    underMigrationLock: work => connections.unlimitedTransaction(async pg => {
      // Waiting for another server's migration, or building an index, may take longer than any request.
      await pg.execute(sql`SET LOCAL statement_timeout = 0`)
      // Shorter than Fastify's pluginTimeout of ten seconds, whose error would not say what is waited for.
      await pg.execute(sql`SET LOCAL lock_timeout = 8000`)
      await pg.execute(sql`SELECT pg_advisory_xact_lock(${migrationLock})`)
      const tx = asDb(await withRulesInside(pg, rules))
      origin.set(tx, pg)
      return await work(tx)
    }),
    identity: () => identityOf(orm, names),
    execute: async (tx, statement) => { await (origin.get(tx) ?? orm).execute(sql.raw(statement)) },
    close
  }
}

/** The address in a URL would not do: one server has many names, and the search path may choose the schema. */
async function identityOf (orm: PgOrm, { schema }: TableNames): Promise<string> {
  const place = sql<string>`concat_ws(' ', extract(epoch from pg_postmaster_start_time()), current_setting('port'), \
current_database(), ${schema === undefined ? sql`current_schema()` : sql`${schema}::text`})`
  const [row] = await orm.select({ place }).from(sql`(VALUES (1)) AS one`).$withCache(false)
  return String(row?.place)
}

function connectionsOf (orm: PgOrm): Connections {
  const transaction: Connections['transaction'] = work => orm.transaction(work)
  return { orm, transaction, unlimitedTransaction: transaction, close: async () => {} }
}
