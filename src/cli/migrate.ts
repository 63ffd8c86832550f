/** `fastify-rest-auth migrate`: creates or updates the tables and the columns of the user fields. */
import { refuseToStart } from '../db/errors.js'
import { migrate, pendingStatements } from '../db/migrate.js'
import { targetOf, withUrl } from '../db/target.js'
import { defineCommand, type Outcome } from './command.js'
import { isMissingFile, nameOf, openDatabaseOf, settingsOf } from './database.js'
import { optionFlags, withOptions } from './load-options.js'

export const migrateDatabase = defineCommand({
  flags: { ...optionFlags, print: { type: 'boolean', summary: 'print the SQL, as one transaction, and run nothing' } },
  run: async ({ values }) =>
    await withOptions('migrate', values, async options => await migrateCommand(options, values.print ?? false))
})

const withSemicolon = (statement: string) => statement.replace(/;?$/, ';')

export async function migrateCommand (options: object, print: boolean): Promise<Outcome> {
  const settings = settingsOf(options)
  const { database: option, fields, account: { pk } } = settings
  // Opening a missing SQLite file would create it, which --print must not do.
  const { database: named } = targetOf(option)
  const database = isMissingFile(named) && print ? withUrl(option, ':memory:') : option
  const db = await openDatabaseOf(settings, database)
  try {
    if (print) {
      const pending = await pendingStatements(db, db, fields, pk)
      const text = pending.length === 0 ? '' : ['BEGIN', ...pending, 'COMMIT'].map(withSemicolon).join('\n')
      return { text, data: { database: nameOf(named), pending } }
    }
    const statements = await migrate(db, fields, pk).catch(refuseToStart)
    return {
      text: `${nameOf(named)}: ${statements.length === 0 ? 'up to date' : `${statements.length} statements run`}`,
      data: { database: nameOf(named), run: statements }
    }
  } finally {
    await db.close()
  }
}
