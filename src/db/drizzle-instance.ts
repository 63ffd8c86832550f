/**
 * Recognises the host's Drizzle instance by the names that Drizzle gives its classes. Drizzle 1.0 exports the classes
 * under other names than 0.45, and importing a name that is not there would keep the app from starting.
 */
import { entityKind } from 'drizzle-orm'
import type { Dialect } from './database.js'

const kinds: Record<string, Dialect> = {
  PgDatabase: 'postgres',
  PgAsyncDatabase: 'postgres',
  BaseSQLiteDatabase: 'sqlite',
  SQLiteAsyncDatabase: 'sqlite'
}

/** Undefined if it is no Drizzle instance, or one of another database. */
export function dialectOf (value: unknown): Dialect | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (let type = Object.getPrototypeOf(value)?.constructor; type; type = Object.getPrototypeOf(type)) {
    const dialect = kinds[type[entityKind]]
    if (dialect !== undefined) return dialect
  }
  return undefined
}
