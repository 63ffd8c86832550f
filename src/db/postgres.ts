/** PostgreSQL through any Drizzle driver; for a URL, through node-postgres with its own pool. */
import { sql } from 'drizzle-orm'
import type { FieldSpec } from '../../schemas/user-fields.js'
import type { Database, Db, Orm } from './database.js'
import { openPool, type Connections } from './postgres-pool.js'
import { hasIsoDates, untilSettled, withRules, withRulesInside, type PgOrm, type Rules } from './postgres-rules.js'
import * as postgres from './tables-postgres.js'
import type { Tables } from './tables.js'

// Held while migrating: two servers that start at once would both create the tables. Any number that others don't use.
const migrationLock = 7237280

/** A pool for a `postgres://` URL, whose idle connections may fail (`onIdleError`), or the host's own instance. */
export async function openPostgres (
  target: string | PgOrm,
  fields: readonly FieldSpec[],
  { prepare, onIdleError }: { prepare: boolean, onIdleError: (error: Error) => void }
): Promise<Database> {
  const { orm, close, ...connections } =
    typeof target === 'string' ? await openPool(target, onIdleError) : connectionsOf(target)
  const rules: Rules = { prepare, isoDates: await hasIsoDates(orm) }
  const { sessions, refreshTokens, outbox, oneTimeTokens, socialAccounts, socialTransactions, userPkCounter } = postgres
  const tables = {
    users: postgres.usersTable(fields),
    sessions,
    refreshTokens,
    outbox,
    oneTimeTokens,
    socialAccounts,
    socialTransactions,
    userPkCounter
  }
  // The builders of both dialects share their methods, and tables.ts proves that the rows are equal.
  const asDb = (pg: PgOrm) => ({ ...tables, orm: pg }) as unknown as Tables & { orm: Orm }

  const transaction: Database['transaction'] = work =>
    untilSettled(rules, () => connections.transaction(async tx => await work(asDb(await withRulesInside(tx, rules)))))
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
    execute: async (tx, statement) => { await (origin.get(tx) ?? orm).execute(sql.raw(statement)) },
    close
  }
}

function connectionsOf (orm: PgOrm): Connections {
  const transaction: Connections['transaction'] = work => orm.transaction(work)
  return { orm, transaction, unlimitedTransaction: transaction, close: async () => {} }
}
