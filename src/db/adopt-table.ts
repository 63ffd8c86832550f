/**
 * Makes the app's own table of users one that the plugin can use: adds the columns that it lacks, and the indexes. Only
 * adds; the rows stay as they are, except that those with a username get the key that it is compared by.
 */
import { getTableName } from 'drizzle-orm'
import type { FieldSpec } from '../../schemas/user-fields.js'
import { refuseOption } from '../lib/refuse-option.js'
import { quote, readColumns, recordEntry } from './catalogue.js'
import type { Database, Db } from './database.js'
import { missingColumns, refuseKey, refuseUnfilled } from './existing-columns.js'
import { emailIndex, refuseSeconds, usernameIndex } from './existing-rows.js'
import type { ExistingUsers } from './existing-table.js'
import { refuseLargePk } from './integer-pks.js'
import { recordRows } from './rows-before.js'
import { nameOf, quoteName } from './table-names.js'
import { isUnique } from './unique-columns.js'

interface Adoption {
  ledger: ReadonlyMap<string, string>
  fields: readonly FieldSpec[]
  pk: 'string' | 'integer'
}

const entry = 'table:users'

/** Throws an option error if the users of this database are in another table than the options say. */
export function refuseOtherTable ({ existing, ledger: table }: Db, ledger: ReadonlyMap<string, string>): void {
  const wanted = existing && `${existing.name}.${existing.key}`
  const recorded = ledger.get(entry)
  if (ledger.size === 0 || recorded === wanted) return
  const [stored] = (recorded ?? 'users').split('.')
  refuseOption(
    `account.table: the users of this database are in "${stored}", according to the table ${getTableName(table)}; ` +
    (recorded === undefined
      ? "leave account.table out, or give the plugin other tables, database: { …, tables: 'auth_' }"
      : `set account.table.name: '${stored}', and the key that it had`)
  )
}

/** The SQL that is still to run. Throws an option error that says what the table lacks. */
export async function adoptionStatements (
  { dialect }: Database, tx: Db, given: ExistingUsers, { ledger, fields, pk }: Adoption
): Promise<string[]> {
  const existing = { ...given, found: await readColumns(dialect, tx.orm, tx.names, given.name) }
  refuseKey(existing, pk)
  await refuseLargePk(dialect, tx, existing)
  if (!await isUnique(dialect, tx, existing.key)) {
    refuseOption(
      `account.table.key: the column "${existing.key}" of "${existing.name}" is not unique; make it the primary key`
    )
  }
  const missing = missingColumns(dialect, existing)
  if (!ledger.has(entry)) await refuseSeconds(dialect, tx, existing)
  refuseUnfilled(existing, fields)
  const lost = missing.find(({ name }) => ledger.has(`column:${name}`))
  if (lost) {
    throw new Error(
      `database: the table ${existing.name} has lost its column ${lost.name}; restore the database from a complete ` +
      `backup, or run this SQL to start with an empty one: DELETE FROM ${nameOf(tx.ledger)} ` +
      `WHERE "entry" = ${quote(`column:${lost.name}`)}`
    )
  }
  const added = missing.flatMap(({ name, definition }) => [
    `ALTER TABLE ${nameOf(tx.users)} ADD COLUMN ${quoteName(name)} ${definition}`,
    recordEntry(tx, `column:${name}`, definition)
  ])
  return [
    ...added,
    ...await emailIndex(dialect, tx, existing, ledger),
    ...await usernameIndex(dialect, tx, existing, ledger),
    ...recordRows(dialect, tx, existing, ledger),
    ...(ledger.has(entry) ? [] : [recordEntry(tx, entry, `${existing.name}.${existing.key}`)])
  ]
}
