/** Opens the database of the plugin, and brings it up to date or refuses one that is not. */
import type { FieldSpec } from '../../schemas/user-fields.js'
import type { Database } from './database.js'
import { refuseToStart } from './errors.js'
import { migrate, pendingStatements } from './migrate.js'
import { openDatabase } from './open.js'

interface Wanted {
  database: unknown
  /** Whether to run the pending statements. */
  migrate: boolean
  fields: readonly FieldSpec[]
  account: { pk: 'string' | 'integer' }
}

/** Throws an Error of one line that says what to do. `onIdleError` is called with the errors of idle connections. */
export async function openMigrated (wanted: Wanted, onIdleError: (error: Error) => void): Promise<Database> {
  const db = await openDatabase(wanted.database, wanted.fields, onIdleError).catch(refuseToStart)
  try {
    await prepare(db, wanted)
    return db
  } catch (error) {
    await db.close()
    return refuseToStart(error)
  }
}

async function prepare (db: Database, { migrate: runs, fields, account: { pk } }: Wanted): Promise<void> {
  if (runs) {
    await migrate(db, fields, pk)
    return
  }
  const pending = await pendingStatements(db, db, fields, pk)
  if (pending.length > 0) {
    throw new Error(
      `fastify-rest-auth: database: ${pending.length} migration statements are pending; ` +
      'run: npx fastify-rest-auth migrate, or set migrate: true'
    )
  }
}
