/**
 * SQLite through better-sqlite3, which answers at once, behind Drizzle's asynchronous proxy driver.
 * Statements and transactions take turns, so that no request's write falls into another's transaction.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type BetterSqlite3 from 'better-sqlite3'
import { drizzle, type AsyncRemoteCallback } from 'drizzle-orm/sqlite-proxy'
import pLimit, { type LimitFunction } from 'p-limit'
import type { FieldSpec } from '../../schemas/user-fields.js'
import type { Database, Db } from './database.js'
import {
  oneTimeTokens, outbox, refreshTokens, sessions, socialAccounts, socialTransactions, usersTable
} from './tables-sqlite.js'

// A longer wait inside SQLite would freeze the whole process (measured: 4 s); we wait outside, and others go on.
const busyTimeoutMs = 50
const retryMs = 2000

/** Opens a file (or `:memory:`), or shares the connection given. */
export async function openSqlite (target: string | BetterSqlite3.Database, fields: readonly FieldSpec[]): Promise<Database> {
  const { default: Client } = await import('better-sqlite3').catch(error => {
    throw new Error('database: SQLite needs the package better-sqlite3 (npm install better-sqlite3)', { cause: error })
  })
  const client = typeof target === 'string' ? new Client(target, { timeout: busyTimeoutMs }) : target
  if (typeof target === 'string') {
    for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) client.pragma(pragma)
  }

  const run = createRunner(client)
  const { turns, transactions } = queueOf(client)

  const runInTurn: AsyncRemoteCallback = async (statement, params, method) => {
    if (transactions.getStore()?.open) { throw new Error('Inside a transaction every query goes through its tx: another would wait for itself') }
    const query = () => run(statement, params, method)
    if (turns.activeCount + turns.pendingCount === 0) {
      try {
        return query()
      } catch (error) {
        if (!isBusy(error)) throw error
      }
    }
    // Waiting, too, takes its turn: tried again without one, the write could fall into a transaction begun meanwhile.
    return await turns(() => whileBusy(query))
  }
  const tables = {
    users: usersTable(fields),
    sessions,
    refreshTokens,
    outbox,
    oneTimeTokens,
    socialAccounts,
    socialTransactions
  }
  const tx: Db = { ...tables, orm: drizzle(async (statement, params, method) => run(statement, params, method)) }

  const transaction: Database['transaction'] = work => turns(async () => {
    await whileBusy(() => client.exec('BEGIN IMMEDIATE'))
    const scope = { open: true }
    try {
      const result = await transactions.run(scope, () => work(tx))
      client.exec('COMMIT')
      return result
    } finally {
      scope.open = false
      if (client.inTransaction) client.exec('ROLLBACK')
    }
  })

  return {
    ...tables,
    dialect: 'sqlite',
    orm: drizzle(runInTurn),
    transaction,
    underMigrationLock: transaction,
    execute: async (_tx, statement) => { client.exec(statement) },
    close: async () => {
      if (typeof target === 'string') await turns(() => { client.close() })
    }
  }
}

interface Queue {
  turns: LimitFunction
  transactions: AsyncLocalStorage<{ open: boolean }>
}
const queues = new WeakMap<BetterSqlite3.Database, Queue>()

/** Of one connection, however many registrations of the plugin share it. */
function queueOf (client: BetterSqlite3.Database): Queue {
  const order = queues.get(client) ?? { turns: pLimit(1), transactions: new AsyncLocalStorage() }
  queues.set(client, order)
  return order
}

/** Runs a statement, compiled once for each text. */
function createRunner (client: BetterSqlite3.Database) {
  const compiled = new Map<string, BetterSqlite3.Statement>()
  return (text: string, params: unknown[], method: 'run' | 'all' | 'values' | 'get') => {
    let statement = compiled.get(text)
    if (!statement) {
      if (compiled.size >= 500) compiled.clear()
      statement = client.prepare(text)
      if (statement.reader) statement.raw()
      compiled.set(text, statement)
    }
    if (!statement.reader) {
      statement.run(params)
      return { rows: [] }
    }
    // What Drizzle's driver wants is declared as any: it maps the values by the query's own columns.
    return { rows: (method === 'get' ? statement.get(params) : statement.all(params)) as any[] }
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')

/** Another process holds the file: tries again, with jitter, without blocking this one. */
async function whileBusy<T> (attempt: () => T): Promise<T> {
  const deadline = performance.now() + retryMs
  for (;;) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      await sleep(10 + Math.random() * 40)
    }
  }
}
