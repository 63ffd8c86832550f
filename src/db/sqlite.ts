/** SQLite through better-sqlite3. Statements take turns, so that no write becomes part of another's transaction. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { closeSync, existsSync, openSync, realpathSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type BetterSqlite3 from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import pLimit, { type LimitFunction } from 'p-limit'
import { loadBetterSqlite3 } from './better-sqlite3.js'
import { runNow, untilCommitted } from './after-commit.js'
import type { Database } from './database.js'
import { codecsConfig, createRun, executorsOf, type Run } from './sqlite-statements.js'
import { findTable } from './find-table.js'
import type { OpeningOptions } from './table-names.js'
import { createTables } from './tables-sqlite.js'

// Waiting inside SQLite blocks the process (measured: 4 s), so it waits briefly there, and then between retries.
const busyTimeoutMs = 50
const retryForMs = 2000

export async function openSqlite (
  target: string | BetterSqlite3.Database,
  { names, fields, existing: option }: OpeningOptions
): Promise<Database> {
  const Client = await loadBetterSqlite3()
  const config = await codecsConfig()
  if (typeof target === 'string') createPrivateFile(target)
  const client = typeof target === 'string' ? openFile(new Client(target, { timeout: busyTimeoutMs })) : target
  const run = createRun(client)
  const queue = queueOf(client)
  const orm = drizzle(executorsOf(async (...query) => run(...query)), config)
  const existing = await findTable('sqlite', orm, names, option)
  const tables = { ...createTables({ ...names, fields, table: existing }), names, existing }
  const transaction: Database['transaction'] = work => untilCommitted(
    afterCommit => runTransaction(client, queue, () => work({ ...tables, orm, afterCommit })))
  return {
    ...tables,
    afterCommit: runNow,
    dialect: 'sqlite',
    orm: drizzle(executorsOf(createRunInTurn(run, queue)), config),
    transaction,
    underMigrationLock: transaction,
    execute: async (_tx, statement) => { client.exec(statement) },
    identity: async () => client.memory ? client : realpathSync(client.name),
    close: async () => {
      if (typeof target === 'string') await queue.turns(() => { client.close() })
    }
  }
}

/** Only the owner may read a new file. SQLite would let everybody on the machine; it gives the WAL the same mode. */
function createPrivateFile (path: string): void {
  if (path === ':memory:' || existsSync(path)) return
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    // SQLite's own error says better why the file can't be created.
  }
}

function openFile (client: BetterSqlite3.Database): BetterSqlite3.Database {
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) client.pragma(pragma)
  return client
}

/** Runs a statement outside any transaction: at once if nothing is under way, otherwise in its turn. */
const createRunInTurn = (run: Run, queue: Queue) =>
  async (...given: Parameters<Run>): Promise<unknown> => {
    const { turns, transactions } = queue
    if (transactions.getStore()?.open) {
      throw new Error('Inside a transaction every query goes through its tx: another would wait for itself')
    }
    const query = () => run(...given)
    if (turns.activeCount + turns.pendingCount === 0) {
      try {
        const result = query()
        delete queue.busy
        return result
      } catch (error) {
        if (!isBusy(error)) throw error
      }
    }
    // A retry takes a turn, too: outside it, the write could become part of a transaction that began meanwhile.
    return await turns(() => whileBusy(queue, query))
  }

const runTransaction = <T>(client: BetterSqlite3.Database, queue: Queue, work: () => Promise<T>) =>
  queue.turns(async () => {
    await whileBusy(queue, () => client.exec('BEGIN IMMEDIATE'))
    delete queue.busy
    const scope = { open: true }
    try {
      const result = await queue.transactions.run(scope, work)
      client.exec('COMMIT')
      return result
    } finally {
      scope.open = false
      if (client.inTransaction) client.exec('ROLLBACK')
    }
  })

interface Queue {
  turns: LimitFunction
  transactions: AsyncLocalStorage<{ open: boolean }>
  /** Since when another process holds the file, and when this was noticed last. */
  busy?: { sinceMs: number, seenMs: number }
}
const queues = new WeakMap<BetterSqlite3.Database, Queue>()

/** One queue per connection, which several registrations of the plugin may share. */
function queueOf (client: BetterSqlite3.Database): Queue {
  const queue = queues.get(client) ?? { turns: pLimit(1), transactions: new AsyncLocalStorage() }
  queues.set(client, queue)
  return queue
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')

/**
 * Retries while another process holds the file. Bounded by time: SQLite waits for a different time in each attempt. The
 * time is that of the lock: if each in the queue waited anew, the last one would wait for minutes.
 */
async function whileBusy<T> (queue: Queue, attempt: () => T): Promise<T> {
  for (let isRetry = false; ; isRetry = true) {
    try {
      const result = attempt()
      if (isRetry) delete queue.busy
      return result
    } catch (error) {
      if (!isBusy(error)) throw error
      const seenMs = performance.now()
      // Nobody has tried for a while: it may be another lock.
      if (queue.busy && seenMs > queue.busy.seenMs + retryForMs) delete queue.busy
      queue.busy = { sinceMs: queue.busy?.sinceMs ?? seenMs, seenMs }
      if (seenMs > queue.busy.sinceMs + retryForMs) throw error
      await sleep(10 + Math.random() * 40)
    }
  }
}
