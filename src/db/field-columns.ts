/** The columns of the user fields: how they are added, adopted, or refused because the declaration has changed. */
import { getTableName } from 'drizzle-orm'
import type { ColumnKind, FieldSpec } from '../../schemas/user-fields.js'
import { quote, recordEntry } from './catalogue.js'
import { conversion, fitsKind, sqliteCheck } from './column-conversion.js'
import type { Database, Db, Dialect } from './database.js'
import { indexOf, nameOf } from './table-names.js'

const types: Record<Dialect, Record<ColumnKind, string>> = {
  sqlite: { text: 'text', decimal: 'text', integer: 'integer', real: 'real', boolean: 'integer', json: 'text' },
  postgres: {
    text: 'text', decimal: 'numeric', integer: 'bigint', real: 'double precision', boolean: 'boolean', json: 'jsonb'
  }
}
// On SQLite some kinds share their type with another, so the ledger names the kind beside it.
const sharedTypes: Partial<Record<ColumnKind, string>> = {
  decimal: ' (decimal)', boolean: ' (boolean)', json: ' (json)'
}

interface Known {
  /** The definition in the ledger. */
  recorded: string | undefined
  namesKinds: boolean
  columns: ReadonlyMap<string, string>
}

/** The SQL that a field needs. Throws if it no longer fits its column. */
export async function fieldStatements (
  database: Database, tx: Db, field: FieldSpec, { recorded, namesKinds, columns }: Known
): Promise<string[]> {
  const { dialect } = database
  const wanted = definition(dialect, field)
  const record = recordEntry(tx, `field:${field.name}`, wanted.whole)
  const type = columns.get(field.column)
  if (type === undefined && recorded !== undefined) throw columnLost(tx, field)
  if (type === undefined) return [addColumn(tx, field, wanted.column), ...uniqueIndex(tx, field), record]
  if (recorded === wanted.whole) return []
  const unnamedKind = wanted.whole.replace(/ \((boolean|json)\)/, '')
  const isAdoptable =
    recorded === undefined ? type === types[dialect][field.kind] : !namesKinds && recorded === unnamedKind
  // Neither an adopted column nor a ledger from before it named the kind tells whether the values are of that kind.
  if (isAdoptable && await allFit(database, tx, field)) return [record]
  throw new Error(
    `userFields.${field.name}: its column is «${recorded ?? type}» and the declaration wants «${wanted.whole}». ` +
    `Run this SQL, then start again: ${repair(dialect, tx, field, { from: recorded ?? type, columns }).join('; ')};`
  )
}

function definition (dialect: Dialect, { column, kind, choices, unique }: FieldSpec) {
  const type = types[dialect][kind]
  const check = choices ? ` CHECK ("${column}" IN (${choices.map(literal).join(', ')}))` : ''
  const name = dialect === 'sqlite' ? sharedTypes[kind] ?? '' : ''
  return { column: `${type}${check}`, whole: `${type}${name}${check}${unique ? ' UNIQUE' : ''}` }
}

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
  const { name, column, kind } = field
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
    recordEntry(tx, `field:${name}`, wanted.whole),
    ...check(fits),
    `${dialect === 'sqlite' ? 'UPDATE OR ROLLBACK' : 'UPDATE'} ${users} SET "${column}" = ${value} ` +
      `WHERE "${old}" IS NOT NULL`,
    `ALTER TABLE ${users} DROP COLUMN "${old}"`,
    'COMMIT'
  ]
}
