/** The settings and the database of a command, and a refusal of one that was probably not meant. */
import { existsSync } from 'node:fs'
import type { Database } from '../db/database.js'
import { refuseToStart } from '../db/errors.js'
import { openDatabase } from '../db/open.js'
import { isPostgres, targetOf } from '../db/target.js'
import { resolveSettings } from '../settings/settings.js'
import type { Settings } from '../settings/types.js'

/** The settings of a command, which needs no secret. */
export const settingsOf = (options: object): Settings => resolveSettings(options, { production: false, warn: () => {} })

/** Opens the database of the settings, or another one in its place. Throws an Error of one line. */
export async function openDatabaseOf (settings: Settings, database = settings.database): Promise<Database> {
  return await openDatabase(database, settings.fields, () => {}, settings.existingTable).catch(refuseToStart)
}

/**
 * Throws an Error if the default database does not exist: without any option, the app's own database is probably
 * another one, and its owner would take the new, empty file for it.
 */
export function refuseMissingDefault (command: string): void {
  const { database } = settingsOf({})
  if (existsSync(String(database))) return
  throw new Error(
    `${command}: there is no ${database} here; name the module that exports your options, with --options ./auth.ts, ` +
    'or a database, with --database'
  )
}

/** Throws an Error if the option names a SQLite file that does not exist: to open it would create it. */
export function refuseMissingFile (command: string, option: unknown): void {
  const { database } = targetOf(option)
  if (typeof database !== 'string' || isPostgres(database) || database === ':memory:' || existsSync(database)) return
  throw new Error(`${command}: there is no ${database}; create it with: npx fastify-rest-auth migrate`)
}

/** The database, without the password that a URL may contain. */
export function nameOf (database: unknown): string {
  if (typeof database !== 'string') return "the database of your options' Drizzle instance"
  if (!isPostgres(database)) return database
  // Not parsed: behind a Unix socket it may be `postgres://user@/db?host=/run`, which is no URL to Node.js.
  return database.replace(/[?#].*/s, '').replace(/\/\/.*@/s, '//')
}
