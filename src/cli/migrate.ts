/** `fastify-rest-auth migrate`: the tables and the columns of the user fields. */
import { refuseToStart } from '../db/database.js'
import { migrate, pendingStatements } from '../db/migrate.js'
import { openDatabase } from '../db/open.js'
import { resolveSettings } from '../settings.js'

/** Runs what is pending, or with `print` only answers with the SQL. */
export async function migrateCommand (options: object, print: boolean): Promise<string> {
  const { database, fields } = resolveSettings(options, { production: false, warn: () => {} })
  const db = await openDatabase(database, fields, () => {}).catch(refuseToStart)
  try {
    if (print) return (await pendingStatements(db, db, fields)).map(statement => statement.replace(/;?$/, ';')).join('\n')
    const statements = await migrate(db, fields).catch(refuseToStart)
    return statements.length === 0 ? 'up to date' : `${statements.length} statements run`
  } finally {
    await db.close()
  }
}
