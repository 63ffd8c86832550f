/**
 * The seam: queries are written once, against SQLite's types, and run on both databases.
 *
 * Inside `transaction` nothing but queries through `tx` may be awaited: on SQLite the whole app waits its
 * turn meanwhile (docs/decisions/0001-transactions-take-turns.md).
 */
import { createHash } from 'node:crypto'
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
  underMigrationLock: <T>(work: (tx: Db) => Promise<T>) => Promise<T>
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
      statement = query.prepare(
        `rest_auth_${createHash('sha256').update(query.toSQL().sql).digest('hex').slice(0, 24)}`
      )
      statements.set(db.orm, statement)
    }
    return await statement.execute(values)
  }
}
