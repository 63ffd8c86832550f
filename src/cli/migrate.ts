/** `fastify-rest-auth migrate`: creates or updates the tables and the columns of the user fields. */
import { existsSync } from 'node:fs'
import { refuseToStart } from '../db/errors.js'
import { migrate, pendingStatements } from '../db/migrate.js'
import { openDatabase } from '../db/open.js'
import { isPostgres, targetOf, withUrl } from '../db/target.js'
import { nameOf, settingsOf } from './database.js'

const withSemicolon = (statement: string) => statement.replace(/;?$/, ';')

export async function migrateCommand (options: object, print: boolean): Promise<string> {
  const { database: option, fields, account: { pk } } = settingsOf(options)
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
