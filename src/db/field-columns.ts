/** The columns of the user fields: how they are added, adopted, or refused because the declaration has changed. */
import type { ColumnKind, FieldSpec } from '../../schemas/user-fields.js'
import { quote, recordEntry } from './catalogue.js'
import { conversion, fitsKind, sqliteCheck } from './column-conversion.js'
import type { Database, Db, Dialect } from './database.js'

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
  const record = recordEntry(`field:${field.name}`, wanted.whole)
  const type = columns.get(field.column)
  if (type === undefined && recorded !== undefined) throw columnLost(field)
  if (type === undefined) return [addColumn(field, wanted.column), ...uniqueIndex(field), record]
  if (recorded === wanted.whole) return []
  const unnamedKind = wanted.whole.replace(/ \((boolean|json)\)/, '')
  const isAdoptable =
    recorded === undefined ? type === types[dialect][field.kind] : !namesKinds && recorded === unnamedKind
  // Neither an adopted column nor a ledger from before it named the kind tells whether the values are of that kind.
  if (isAdoptable && await allFit(database, tx, field)) return [record]
  throw new Error(
    `userFields.${field.name}: its column is «${recorded ?? type}» and the declaration wants «${wanted.whole}». ` +
    `Run this SQL, then start again: ${repair(dialect, field, recorded ?? type, columns).join('; ')};`
  )
}

function definition (dialect: Dialect, { column, kind, choices, unique }: FieldSpec) {
  const type = types[dialect][kind]
  const check = choices ? ` CHECK ("${column}" IN (${choices.map(literal).join(', ')}))` : ''
  const name = dialect === 'sqlite' ? sharedTypes[kind] ?? '' : ''
  return { column: `${type}${check}`, whole: `${type}${name}${check}${unique ? ' UNIQUE' : ''}` }
}

const literal = (value: string | number) => typeof value === 'number' ? String(value) : quote(value)

const addColumn = ({ column }: FieldSpec, definition: string) =>
  `ALTER TABLE "users" ADD COLUMN "${column}" ${definition}`
const uniqueIndex = ({ unique, column }: FieldSpec) =>
  unique ? [`CREATE UNIQUE INDEX "users_${column}_unique" ON "users" ("${column}")`] : []

const columnLost = ({ name, column }: FieldSpec) => new Error(
  `userFields.${name}: the table users has lost its column "${column}"; restore it from a backup, or run this SQL to ` +
  `start with an empty one: DELETE FROM "rest_auth_schema" WHERE "entry" = ${quote(`field:${name}`)};`
)

async function allFit (database: Database, tx: Db, { column, kind }: FieldSpec): Promise<boolean> {
  // Each kind has its own type on PostgreSQL.
  if (database.dialect === 'postgres') return true
  const { create, insert, drop } = sqliteCheck(column, fitsKind.sqlite[kind](`"${column}"`))
  await database.execute(tx, create)
  const fits = await database.execute(tx, insert).then(() => true, () => false)
  await database.execute(tx, drop)
  return fits
}

/**
 * One transaction. A tool that goes on after an error must do no harm either: on SQLite the check itself rolls back,
 * after which no later statement succeeds, because all of them need the renamed column.
 */
function repair (dialect: Dialect, field: FieldSpec, from: string, columns: Known['columns']): string[] {
  const { name, column, kind } = field
  const wanted = definition(dialect, field)
  let old = `${column}_old`
  while (columns.has(old)) old += '_old'
  const { check, fits, value } = conversion(dialect, { column: old, from, kind, type: types[dialect][kind] })
  return [
    'BEGIN',
    `DROP INDEX IF EXISTS "users_${column}_unique"`,
    `ALTER TABLE "users" RENAME COLUMN "${column}" TO "${old}"`,
    addColumn(field, wanted.column),
    ...uniqueIndex(field),
    recordEntry(`field:${name}`, wanted.whole),
    ...check(fits),
    `UPDATE ${dialect === 'sqlite' ? 'OR ROLLBACK ' : ''}"users" SET "${column}" = ${value} WHERE "${old}" IS NOT NULL`,
    `ALTER TABLE "users" DROP COLUMN "${old}"`,
    'COMMIT'
  ]
}
