/** Brings the database up to date when the plugin starts, or refuses to start on one that is not. */
import type { FieldSpec } from '../../schemas/user-fields.js'
import type { Database } from './database.js'
import { migrate, pendingStatements } from './migrate.js'

interface Needs {
  fields: readonly FieldSpec[]
  account: { pk: 'string' | 'integer' }
  /** Whether to migrate now. */
  migrate: boolean
}

/** `optionsFile`: the module that exports the options of the plugin, if it is known, such as `./auth.ts`. */
export async function prepareDatabase (
  db: Database,
  { fields, account: { pk }, migrate: wanted }: Needs,
  optionsFile = '<the module that exports your options>'
): Promise<void> {
  if (wanted) {
    await migrate(db, fields, pk)
    return
  }
  const pending = await pendingStatements(db, db, fields, pk)
  if (pending.length > 0) {
    throw new Error(
      `fastify-rest-auth: database: ${pending.length} migration statements are pending; ` +
      `run: npx fastify-rest-auth migrate --options ${optionsFile}, or set migrate: true`
    )
  }
}
