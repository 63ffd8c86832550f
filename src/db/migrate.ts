/**
 * Runs drizzle-kit's migrations, then adds what the options need: columns for user fields, and an index for integer
 * keys. The table `rest_auth_schema` is the ledger of all.
 */
import { readFileSync } from 'node:fs'
import { getTableColumns, getTableName, is, Table } from 'drizzle-orm'
import type { FieldSpec } from '../../schemas/user-fields.js'
import { ownFile } from '../lib/own-files.js'
import { adoptionStatements, refuseOtherTable } from './adopt-table.js'
import { createLedger, missingSchema, readCatalogue, readLedger, recordEntry, type Catalogue } from './catalogue.js'
import type { Database, Db, Dialect } from './database.js'
import { fieldStatements } from './field-columns.js'
import { integerPkStatements } from './integer-pks.js'
import { isOfUsers, withKey, withNames } from './table-names.js'
import { refuseUnfilledColumns } from './unfilled-columns.js'

/**
 * The definition of a migration that only adds, so that older versions run on its database (docs/upgrades.md). A new
 * major version may record another word for one that does not: it is refused by the versions that do not know it.
 */
const additive = 'applied'

/** The SQL that is still to run, in order. Throws if the database is not one that this version can use. */
export async function pendingStatements (
  database: Database, tx: Db, fields: readonly FieldSpec[], pk: 'string' | 'integer' = 'string'
): Promise<string[]> {
  const catalogue = await readCatalogue(database.dialect, tx)
  const ledger = await readLedger(tx, catalogue)
  const known = readMigrations(database.dialect, tx)
  const { existing } = tx
  if (ledger.size === 0) refuseForeignTables(tx, catalogue)
  refuseOtherTable(tx, ledger)
  refuseNewer(ledger, known)
  const pending = known.filter(({ tag }) => !ledger.has(`migration:${tag}`))
  if (pending.length === 0) refuseDamaged(tx, catalogue, fields)
  if (!existing) await refuseUnfilledColumns(database.dialect, tx, ledger, fields)
  const migrated = pending.flatMap(({ tag, statements }) => [
    ...statements, recordEntry(tx, `migration:${tag}`, additive)
  ])
  const columns = catalogue.get(getTableName(tx.users)) ?? new Map<string, string>()
  const added = existing ? await adoptionStatements(database, tx, existing, { ledger, fields, pk }) : []
  for (const field of fields) added.push(...await fieldStatements(database, tx, field, { ledger, columns }))
  if (pk === 'integer') added.push(...await integerPkStatements(database, tx, ledger))
  const statements = [...migrated, ...added]
  return ledger.size === 0 ? [...await missingSchema(tx), createLedger(tx), ...statements] : statements
}

/** Runs the pending SQL, all or nothing, one process at a time; returns the statements. */
export const migrate = (
  database: Database, fields: readonly FieldSpec[], pk?: 'string' | 'integer'
): Promise<string[]> =>
  database.underMigrationLock(async tx => {
    const statements = await pendingStatements(database, tx, fields, pk)
    for (const statement of statements) await database.execute(tx, statement)
    if (statements.length > 0) refuseDamaged(tx, await readCatalogue(database.dialect, tx), fields)
    return statements
  })

interface Migration { tag: string, statements: string[] }

function readMigrations (dialect: Dialect, { names, existing, users }: Db): Migration[] {
  const folder = ownFile(`migrations/${dialect}/`)
  // drizzle-kit's own file, which ships with this package.
  const journal = JSON.parse(readFileSync(new URL('meta/_journal.json', folder), 'utf8')) as {
    entries: Array<{ tag: string }>
  }
  return journal.entries.map(({ tag }) => ({
    tag,
    // drizzle-kit names the schema in references; let the search path of the connection decide.
    statements: readFileSync(new URL(`${tag}.sql`, folder), 'utf8').replaceAll('"public".', '')
      .split('--> statement-breakpoint').map(statement => statement.trim())
      .filter(statement => !existing || !isOfUsers(statement))
      .map(statement => withNames(statement, { ...names, table: existing }))
      .map(statement => existing
        ? withKey(statement, { key: existing.key, type: users.pk.getSQLType() })
        : statement)
  }))
}

/** Migrations of newer versions only add, unless they say otherwise: an older version could lose what they moved. */
function refuseNewer (ledger: ReadonlyMap<string, string>, known: Migration[]): void {
  const tags = new Set(known.map(({ tag }) => `migration:${tag}`))
  const [newer] = [...ledger].find(([entry, definition]) =>
    entry.startsWith('migration:') && definition !== additive && !tags.has(entry)) ?? []
  if (newer === undefined) return
  throw new Error(
    `database: a newer major version of fastify-rest-auth has migrated it (${newer.slice('migration:'.length)}); ` +
    'install that version, or restore a backup from before'
  )
}

/** Those that the plugin makes. */
const madeTables = (tx: Db): Table[] =>
  Object.values(tx).filter(value => is(value, Table) && !(tx.existing && value === tx.users))

function refuseForeignTables (tx: Db, catalogue: Catalogue): void {
  const table = madeTables(tx).map(getTableName).find(name => catalogue.has(name))
  if (table === undefined) return
  throw new Error(
    `database: it has a table ${table}, but no record of who made it in ${getTableName(tx.ledger)}; restore that ` +
    'table from a backup, or give the plugin tables of its own: database: { …, tables: \'auth_\' }, or on PostgreSQL ' +
    'a schema: database: { …, schema: \'auth\' }'
  )
}

/** A table or column that the ledger says was made is gone: restored in part, or dropped. */
function refuseDamaged (tx: Db, catalogue: Catalogue, fields: readonly FieldSpec[]): void {
  const ofFields = new Set(fields.map(({ name }) => name))
  for (const table of madeTables(tx)) {
    const name = getTableName(table)
    const columns = catalogue.get(name)
    const lost = Object.entries(getTableColumns(table)).find(([key, column]) =>
      !ofFields.has(key) && !columns?.has(column.name))
    if (!lost) continue
    const what = columns ? `the table ${name} has lost its column ${lost[1].name}` : `the table ${name} is gone`
    throw new Error(`database: ${what}; restore the database from a complete backup`)
  }
}
