/** The columns of the user fields: how they are added, adopted, or refused because the declaration has changed. */
import { getTableName } from 'drizzle-orm'
import type { ColumnKind, FieldSpec } from '../../schemas/user-fields.js'
import { quote, readColumns, recordEntry } from './catalogue.js'
import { conversion, fitsKind, sqliteCheck } from './column-conversion.js'
import type { Database, Db, Dialect } from './database.js'
import { fitsField } from './existing-field.js'
import { indexOf, nameOf } from './table-names.js'
import { isUnique } from './unique-columns.js'

const types: Record<Dialect, Record<ColumnKind, string>> = {
  sqlite: { text: 'text', decimal: 'text', integer: 'integer', real: 'real', boolean: 'integer', json: 'text' },
  postgres: {
    text: 'text', decimal: 'numeric', integer: 'bigint', real: 'double precision', boolean: 'boolean', json: 'jsonb'
  }
}
// On SQLite some kinds share their type with another, so the ledger names the kind of each field too. It does so in an
// entry of its own: older versions compare the definition with theirs (docs/decisions/0027-upgrades.md).
const sharedTypes: Partial<Record<ColumnKind, string>> = {
  decimal: ' (decimal)', boolean: ' (boolean)', json: ' (json)'
}

interface Known {
  ledger: ReadonlyMap<string, string>
  columns: ReadonlyMap<string, string>
}

/** The SQL that a field needs. Throws if it no longer fits its column. */
export async function fieldStatements (
  database: Database, tx: Db, field: FieldSpec, { ledger, columns }: Known
): Promise<string[]> {
  const { dialect } = database
  const wanted = definition(dialect, field)
  const recorded = ledger.get(`field:${field.name}`)
  const recordedKind = ledger.get(`kind:${field.name}`)
  const type = columns.get(field.column)
  if (type === undefined && recorded !== undefined) throw columnLost(tx, field)
  const records = recordEntries(dialect, tx, field)
  if (type === undefined) return [addColumn(tx, field, wanted.column), ...uniqueIndex(tx, field), ...records]
  const isSameKind = dialect === 'postgres' || recordedKind === field.kind
  if (recorded === wanted.recorded && isSameKind) return []
  if (tx.existing && recorded === undefined) return await adoptColumn(database, tx, field)
  // Commits between 0.1.0 and the next version recorded a definition as it is shown.
  const isAdoptable = recorded === undefined
    ? type === types[dialect][field.kind]
    : recordedKind === undefined && [wanted.recorded, wanted.shown].includes(recorded)
  // Neither an adopted column nor a ledger of 0.1.0, which has no kinds, tells whether the values are of that kind.
  if (isAdoptable && await allFit(database, tx, field)) return records
  const from = recorded === undefined ? type : withKind(recorded, recordedKind)
  throw new Error(
    `userFields.${field.name}: its column is «${from}» and the declaration wants «${wanted.shown}». ` +
    `Run this SQL, then start again: ${repair(dialect, tx, field, { from, columns }).join('; ')};`
  )
}

/** A column that the app made, and which stays as it is. */
async function adoptColumn (database: Database, tx: Db, field: FieldSpec): Promise<string[]> {
  const { dialect } = database
  const column = (await readColumns(dialect, tx.orm, tx.names, getTableName(tx.users))).get(field.column)
  if (!column || !fitsField(dialect, field, column) || !await allFit(database, tx, field)) {
    throw new Error(
      `userFields.${field.name}: the column "${field.column}" of ${getTableName(tx.users)} is «${column?.type}», and ` +
      `the declaration wants «${definition(dialect, field).shown}»; declare what fits the column, or name another ` +
      `in userFields.${field.name}.column`
    )
  }
  const index = field.unique && !await isUnique(dialect, tx, field.column) ? uniqueIndex(tx, field) : []
  return [...index, ...recordEntries(dialect, tx, field)]
}

function recordEntries (dialect: Dialect, tx: Db, field: FieldSpec): string[] {
  const entry = recordEntry(tx, `field:${field.name}`, definition(dialect, field).recorded)
  return dialect === 'postgres' ? [entry] : [entry, recordEntry(tx, `kind:${field.name}`, field.kind)]
}

function definition (dialect: Dialect, { column, kind, choices, unique }: FieldSpec) {
  const type = types[dialect][kind]
  const check = choices ? ` CHECK ("${column}" IN (${choices.map(literal).join(', ')}))` : ''
  const recorded = `${type}${check}${unique ? ' UNIQUE' : ''}`
  return { column: `${type}${check}`, recorded, shown: dialect === 'sqlite' ? withKind(recorded, kind) : recorded }
}

/** `integer (boolean) UNIQUE`, for a kind that shares its type. */
const withKind = (definition: string, kind: string | undefined) =>
  definition.replace(/^\w+/, type => type + (sharedTypes[kind as ColumnKind] ?? ''))

const literal = (value: string | number) => typeof value === 'number' ? String(value) : quote(value)

const addColumn = ({ users }: Db, { column }: FieldSpec, definition: string) =>
  `ALTER TABLE ${nameOf(users)} ADD COLUMN "${column}" ${definition}`
const uniqueIndex = ({ users }: Db, { unique, column }: FieldSpec) => {
  const { made } = indexOf(users, `${column}_unique`)
  return unique ? [`CREATE UNIQUE INDEX ${made} ON ${nameOf(users)} ("${column}")`] : []
}

const columnLost = ({ users, ledger }: Db, { name, column }: FieldSpec) => new Error(
  `userFields.${name}: the table ${getTableName(users)} has lost its column "${column}"; restore it from a backup, ` +
  'or run this SQL to start with an empty one: ' +
  `DELETE FROM ${nameOf(ledger)} WHERE "entry" = ${quote(`field:${name}`)};`
)

async function allFit (database: Database, tx: Db, { column, kind }: FieldSpec): Promise<boolean> {
  // Each kind has its own type on PostgreSQL.
  if (database.dialect === 'postgres') return true
  const { create, insert, drop } = sqliteCheck(tx.users, column, fitsKind.sqlite[kind](`"${column}"`))
  await database.execute(tx, create)
  const fits = await database.execute(tx, insert).then(() => true, () => false)
  await database.execute(tx, drop)
  return fits
}

/**
 * One transaction. A tool that goes on after an error must do no harm either: on SQLite the check itself rolls back,
 * after which no later statement succeeds, because all of them need the renamed column.
 */
function repair (
  dialect: Dialect, tx: Db, field: FieldSpec, { from, columns }: Pick<Known, 'columns'> & { from: string }
): string[] {
  const { column, kind } = field
  const users = nameOf(tx.users)
  const wanted = definition(dialect, field)
  let old = `${column}_old`
  while (columns.has(old)) old += '_old'
  const { check, fits, value } = conversion(dialect, {
    users: tx.users, column: old, from, kind, type: types[dialect][kind]
  })
  return [
    'BEGIN',
    `DROP INDEX IF EXISTS ${indexOf(tx.users, `${column}_unique`).dropped}`,
    `ALTER TABLE ${users} RENAME COLUMN "${column}" TO "${old}"`,
    addColumn(tx, field, wanted.column),
    ...uniqueIndex(tx, field),
    ...recordEntries(dialect, tx, field),
    ...check(fits),
    `${dialect === 'sqlite' ? 'UPDATE OR ROLLBACK' : 'UPDATE'} ${users} SET "${column}" = ${value} ` +
      `WHERE "${old}" IS NOT NULL`,
    `ALTER TABLE ${users} DROP COLUMN "${old}"`,
    'COMMIT'
  ]
}
