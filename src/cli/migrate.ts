/** `fastify-rest-auth migrate`: creates or updates the tables and the columns of the user fields. */
import { existsSync } from 'node:fs'
import { refuseToStart } from '../db/errors.js'
import { migrate, pendingStatements } from '../db/migrate.js'
import { openDatabase } from '../db/open.js'
import { isPostgres, targetOf, withUrl } from '../db/target.js'
import { resolveSettings } from '../settings/settings.js'

const unchecked = { production: false, warn: () => {} }

const withSemicolon = (statement: string) => statement.replace(/;?$/, ';')

/**
 * Throws an Error if the default database does not exist: without any option, the app's own database is probably
 * another one, and its owner would take the new, empty file for it.
 */
export function refuseMissingDefault (): void {
  const { database } = resolveSettings({}, unchecked)
  if (existsSync(String(database))) return
  throw new Error(
    `migrate: there is no ${database} here; name the module that exports your options, with --options ./auth.ts, ` +
    'or a database, with --database'
  )
}

export async function migrateCommand (options: object, print: boolean): Promise<string> {
  const { database: option, fields, account: { pk } } = resolveSettings(options, unchecked)
  // Opening a missing SQLite file would create it, which --print must not do.
  const { database: named } = targetOf(option)
  const isFile = typeof named === 'string' && !isPostgres(named)
  const database = print && isFile && !existsSync(named) ? withUrl(option, ':memory:') : option
  const db = await openDatabase(database, fields, () => {}).catch(refuseToStart)
  try {
    if (print) {
      const pending = await pendingStatements(db, db, fields, pk)
      return pending.length === 0 ? '' : ['BEGIN', ...pending, 'COMMIT'].map(withSemicolon).join('\n')
    }
    const statements = await migrate(db, fields, pk).catch(refuseToStart)
    return `${nameOf(named)}: ${statements.length === 0 ? 'up to date' : `${statements.length} statements run`}`
  } finally {
    await db.close()
  }
}

/** The database, without the password that a URL may contain. */
function nameOf (database: unknown): string {
  if (typeof database !== 'string') return "the database of your options' Drizzle instance"
  if (!isPostgres(database)) return database
  // Not parsed: behind a Unix socket it may be `postgres://user@/db?host=/run`, which is no URL to Node.js.
  return database.replace(/[?#].*/s, '').replace(/\/\/.*@/s, '//')
}
