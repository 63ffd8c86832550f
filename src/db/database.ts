/**
 * The seam: queries are written once, against SQLite's types, and run on both databases.
 *
 * Inside `transaction` nothing but queries through `tx` may be awaited: on SQLite the whole app waits its
 * turn meanwhile (docs/decisions/0001-transactions-take-turns.md).
 */
import { createHash } from 'node:crypto'
import { DrizzleQueryError } from 'drizzle-orm'
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import type { Tables } from './tables.js'

export type Orm = BaseSQLiteDatabase<'async', unknown>

/** What a query needs: the query builder and the tables. The same inside a transaction and outside. */
export interface Db extends Tables {
  orm: Orm
}

export interface Database extends Db {
  dialect: 'sqlite' | 'postgres'
  /** Runs `work` as one unit: all of its writes are stored, or, when it throws, none. */
  transaction: <T>(work: (tx: Db) => Promise<T>) => Promise<T>
  /** Like `transaction`, but one at a time over all processes: for migrations. */
  exclusive: <T>(work: (tx: Db) => Promise<T>) => Promise<T>
  /** Runs SQL that no query builder can write: migrations. */
  execute: (tx: Db, statement: string) => Promise<void>
  close: () => Promise<void>
}

interface Preparable<Rows> {
  toSQL: () => { sql: string }
  prepare: (name?: string) => { execute: (values?: Record<string, unknown>) => Promise<Rows> }
}

/**
 * A hot query, built once for each database and not at each call (7 times faster on SQLite). On PostgreSQL
 * the server keeps its plan too, under a name that tells apart equal queries over different user fields.
 */
export function prepared<Values extends Record<string, unknown>, Rows> (build: (db: Db) => Preparable<Rows>) {
  const statements = new WeakMap<Orm, ReturnType<Preparable<Rows>['prepare']>>()
  return async (db: Db, values: Values): Promise<Rows> => {
    let statement = statements.get(db.orm)
    if (!statement) {
      const query = build(db)
      statement = query.prepare(`rest_auth_${createHash('sha256').update(query.toSQL().sql).digest('hex').slice(0, 24)}`)
      statements.set(db.orm, statement)
    }
    return await statement.execute(values)
  }
}

function codesOf (error: unknown): string[] {
  const codes: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) if ('code' in cause) codes.push(String(cause.code))
  return codes
}

/** Whether a unique index refused a write. */
export const isConflict = (error: unknown): boolean =>
  codesOf(error).some(code => code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE')

const unavailable = /^(08|53|57P|25006|SQLITE_(BUSY|FULL|IOERR|READONLY|CANTOPEN|LOCKED)|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)|^57014$/

/** Whether the database is down, full, locked or too slow: a fault that passes, not a bug. */
export const isUnavailable = (error: unknown): boolean =>
  codesOf(error).some(code => unavailable.test(code)) || /timeout exceeded when trying to connect|Connection terminated/i.test(String((error as Error)?.message) + String(((error as Error)?.cause as Error)?.message))

/**
 * A failed query without its values: Drizzle's message has every parameter, PostgreSQL's detail the row, and both
 * end in logs, or in an answer of the host's. The code stays, for `isConflict` and `isUnavailable`.
 */
export function withoutValues (error: unknown): unknown {
  if (!(error instanceof DrizzleQueryError)) return error
  const [code = ''] = codesOf(error)
  return Object.assign(new Error(`database query failed (${code}): ${error.query}`), { code })
}

/** Says in one line, by its option, why a database could not be opened or migrated: drivers wrap it in a query. */
export function refuseToStart (error: unknown): never {
  let root = error
  while (root instanceof Error && root.cause instanceof Error) root = root.cause
  const [{ message: outer = '' }, { message = '', code = '' }] = [error as Partial<Error>, root as Partial<NodeJS.ErrnoException>]
  if (outer.startsWith('fastify-rest-auth: ')) throw error
  const line = /^(database|userFields)\b/.test(outer) ? outer : `database: ${message || code}`
  throw new Error(`fastify-rest-auth: ${line}`, { cause: error })
}
