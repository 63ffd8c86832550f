/**
 * Queries are written once, against SQLite's types. Inside `transaction`, await nothing but queries through `tx`: on
 * SQLite every other query of the app waits for it (docs/decisions/0001-transactions-take-turns.md).
 */
import { createHash } from 'node:crypto'
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import type { ExistingUsers } from './existing-table.js'
import type { TableNames } from './table-names.js'
import type { Tables } from './tables.js'

export type Orm = BaseSQLiteDatabase<'async', unknown>

export interface Db extends Tables {
  orm: Orm
  names: TableNames
  /** Runs `work` once what was written is stored: after the commit, or at once outside a transaction. */
  afterCommit: (work: () => void) => void
  /** The app's own table of users, if it is not the plugin's. */
  existing?: ExistingUsers | undefined
}

export type Dialect = 'sqlite' | 'postgres'

export interface Database extends Db {
  dialect: Dialect
  /** Runs `work` as one unit, again if PostgreSQL asks for it: all of its writes are stored or, if it throws, none. */
  transaction: <T>(work: (tx: Db) => Promise<T>) => Promise<T>
  /** Like `transaction`, but only one at a time across all processes: for migrations. */
  underMigrationLock: <T>(work: (tx: Db) => Promise<T>) => Promise<T>
  execute: (tx: Db, statement: string) => Promise<void>
  /** Equal (`===`) for two connections to the same database and, on PostgreSQL, schema. */
  identity: () => Promise<unknown>
  close: () => Promise<void>
}

interface Preparable<Rows> {
  toSQL: () => { sql: string }
  prepare: (name?: string) => { execute: (values?: Record<string, unknown>) => Promise<Rows> }
}

/**
 * A frequent query, built once per database instead of at each call (7 times faster on SQLite). PostgreSQL caches its
 * plan under a name made of the SQL, because the same query differs between sets of user fields.
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
