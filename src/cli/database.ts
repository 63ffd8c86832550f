/** The settings and the database of a command, and a refusal of one that was probably not meant. */
import { existsSync } from 'node:fs'
import type { Database } from '../db/database.js'
import { refuseToStart } from '../db/errors.js'
import { openDatabase } from '../db/open.js'
import { isPostgres, targetOf } from '../db/target.js'
import { refuseOption } from '../lib/refuse-option.js'
import { resolveSettings } from '../settings/settings.js'
import type { Settings } from '../settings/types.js'
import { redactedUrl } from './redact.js'

/** The settings of a command, which needs no secret. */
export const settingsOf = (options: object): Settings => resolveSettings(options, { production: false, warn: () => {} })

/** Opens the database of the settings, or another one in its place. Throws an Error of one line. */
export async function openDatabaseOf (settings: Settings, database = settings.database): Promise<Database> {
  refuseOtherUrl(targetOf(database).database)
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
  if (!isMissingFile(database)) return
  throw new Error(`${command}: there is no ${nameOf(database)}; create it with: npx fastify-rest-auth migrate`)
}

/** Whether it is a SQLite file that does not exist. Throws an Error for a URL that is not PostgreSQL's. */
export function isMissingFile (database: unknown): boolean {
  refuseOtherUrl(database)
  return typeof database === 'string' && !isPostgres(database) && database !== ':memory:' && !existsSync(database)
}

/** Here by its name, because the variable or flag it comes from may not be obvious. */
function refuseOtherUrl (database: unknown): void {
  if (typeof database !== 'string' || isPostgres(database) || !database.includes('://')) return
  refuseOption(`database: can't open ${nameOf(database)}; give a SQLite file or a postgres:// URL`)
}

/** The database, without the password that a URL may contain. */
export const nameOf = (database: unknown): string =>
  typeof database === 'string' ? redactedUrl(database) : "the database of your options' Drizzle instance"
