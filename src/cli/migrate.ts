/** `fastify-rest-auth migrate`: the tables and the columns of the user fields. */
import { existsSync } from 'node:fs'
import { refuseToStart } from '../db/errors.js'
import { migrate, pendingStatements } from '../db/migrate.js'
import { isPostgres, openDatabase } from '../db/open.js'
import { resolveSettings } from '../settings/settings.js'

/** Runs what is pending, or with `print` only answers with the SQL. */
export async function migrateCommand (options: object, print: boolean): Promise<string> {
  const { database: named, fields } = resolveSettings(options, { production: false, warn: () => {} })
  // To look is not to make: opening a SQLite file that is not there would.
  const database = print && typeof named === 'string' && !isPostgres(named) && !existsSync(named) ? ':memory:' : named
  const db = await openDatabase(database, fields, () => {}).catch(refuseToStart)
  try {
    if (print) { return (await pendingStatements(db, db, fields)).map(statement => statement.replace(/;?$/, ';')).join('\n') }
    const statements = await migrate(db, fields).catch(refuseToStart)
    return statements.length === 0 ? 'up to date' : `${statements.length} statements run`
  } finally {
    await db.close()
  }
}
