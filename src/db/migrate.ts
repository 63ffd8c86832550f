/** Only ever adds: drizzle-kit's migrations, then columns for user fields; `rest_auth_schema` is the ledger of both. */
import { existsSync, readFileSync } from 'node:fs'
import { sql, type SQL } from 'drizzle-orm'
import { text as column, sqliteTable } from 'drizzle-orm/sqlite-core'
import type { ColumnKind, FieldSpec } from '../../schemas/user-fields.js'
import type { Database, Db } from './database.js'

type Dialect = Database['dialect']

// The compiled code is one folder deeper than the sources.
const migrations = ['../../migrations/', '../../../migrations/']
  .map(path => new URL(path, import.meta.url))
  .find(url => existsSync(url))

const createLedger =
  'CREATE TABLE IF NOT EXISTS "rest_auth_schema" ("entry" text PRIMARY KEY NOT NULL, "definition" text NOT NULL)'

const types: Record<Dialect, Record<ColumnKind, string>> = {
  sqlite: { text: 'text', integer: 'integer', real: 'real', boolean: 'integer', json: 'text' },
  postgres: { text: 'text', integer: 'bigint', real: 'double precision', boolean: 'boolean', json: 'jsonb' }
}

/** The SQL that is still to run, in order. Throws if a user field no longer fits its column. */
export async function pendingStatements (database: Database, tx: Db, fields: readonly FieldSpec[]): Promise<string[]> {
  const ledger = await readLedger(database.dialect, tx)
  const columns = await readColumns(database.dialect, tx)
  const migrated = readMigrations(database.dialect).filter(({ tag }) => !ledger.has(`migration:${tag}`))
    .flatMap(({ tag, statements }) => [...statements, recordEntry(`migration:${tag}`, 'applied')])
  const added = fields.flatMap(field =>
    fieldStatements(database.dialect, field, ledger.get(`field:${field.name}`), columns.get(field.column))
  )
  const statements = [...migrated, ...added]
  return ledger.size === 0 && statements.length > 0 ? [createLedger, ...statements] : statements
}

/** Runs the pending SQL, all or nothing, one process at a time; returns the statements. */
export const migrate = (database: Database, fields: readonly FieldSpec[]): Promise<string[]> =>
  database.underMigrationLock(async tx => {
    const statements = await pendingStatements(database, tx, fields)
    for (const statement of statements) await database.execute(tx, statement)
    return statements
  })

function readMigrations (dialect: Dialect): Array<{ tag: string, statements: string[] }> {
  const folder = new URL(`${dialect}/`, migrations)
  // drizzle-kit's own file, which ships with this package.
  const journal = JSON.parse(readFileSync(new URL('meta/_journal.json', folder), 'utf8')) as {
    entries: Array<{ tag: string }>
  }
  return journal.entries.map(({ tag }) => ({
    tag,
    // drizzle-kit names the schema in references; let the search path of the connection decide.
    statements: readFileSync(new URL(`${tag}.sql`, folder), 'utf8').replaceAll('"public".', '')
      .split('--> statement-breakpoint').map(statement => statement.trim())
  }))
}

/** `known` is the definition in the ledger, `type` that of the column in the database. */
function fieldStatements (
  dialect: Dialect,
  field: FieldSpec,
  known: string | undefined,
  type: string | undefined
): string[] {
  const wanted = definition(dialect, field)
  const add = [
    `ALTER TABLE "users" ADD COLUMN "${field.column}" ${wanted.column}`,
    ...(field.unique ? [`CREATE UNIQUE INDEX "users_${field.column}_unique" ON "users" ("${field.column}")`] : []),
    recordEntry(`field:${field.name}`, wanted.whole)
  ]
  if (type === undefined) return add
  if (known === wanted.whole) return []
  if (known === undefined && type === types[dialect][field.kind]) {
    return [recordEntry(`field:${field.name}`, wanted.whole)]
  }
  const repair = [
    `DROP INDEX IF EXISTS "users_${field.column}_unique"`,
    `ALTER TABLE "users" RENAME COLUMN "${field.column}" TO "${field.column}_old"`,
    ...add.slice(0, 1),
    `UPDATE "users" SET "${field.column}" = CAST("${field.column}_old" AS ${types[dialect][field.kind]})`,
    `ALTER TABLE "users" DROP COLUMN "${field.column}_old"`,
    ...add.slice(1)
  ].join('; ')
  throw new Error(
    `userFields.${field.name}: its column is «${known ?? type}» and the declaration wants «${wanted.whole}». ` +
    `Run this SQL, then start again: ${repair};`
  )
}

function definition (dialect: Dialect, { column, kind, choices, unique }: FieldSpec) {
  const check = choices ? ` CHECK ("${column}" IN (${choices.map(quote).join(', ')}))` : ''
  const whole = `${types[dialect][kind]}${check}`
  return { column: whole, whole: unique ? `${whole} UNIQUE` : whole }
}

const quote = (value: string) => `'${value.replaceAll("'", "''")}'`
const recordEntry = (entry: string, text: string) =>
  `INSERT INTO "rest_auth_schema" ("entry", "definition") VALUES (${quote(entry)}, ${quote(text)}) ` +
  'ON CONFLICT ("entry") DO UPDATE SET "definition" = excluded."definition"'

const ledgerTable = sqliteTable('rest_auth_schema', {
  entry: column('entry').notNull(),
  definition: column('definition').notNull()
})

async function readLedger (dialect: Dialect, { orm }: Db): Promise<Map<string, string>> {
  if ((await readTypes(dialect, { orm }, 'rest_auth_schema')).size === 0) return new Map()
  const rows = await orm.select().from(ledgerTable)
  return new Map(rows.map(row => [row.entry, row.definition]))
}

const readColumns = (dialect: Dialect, db: Db) => readTypes(dialect, db, 'users')

/** The columns of a table and their types; an empty map if there is no such table. */
async function readTypes (dialect: Dialect, { orm }: Pick<Db, 'orm'>, table: string): Promise<Map<string, string>> {
  const catalogue: Record<Dialect, [name: SQL<string>, type: SQL<string>, from: SQL, where: SQL]> = {
    sqlite: [sql`name`, sql`type`, sql`pragma_table_info(${table})`, sql`true`],
    postgres: [
      sql`column_name`,
      sql`data_type`,
      sql`information_schema.columns`,
      sql`table_name = ${table} AND table_schema = current_schema()`
    ]
  }
  const [name, type, from, where] = catalogue[dialect]
  const rows = await orm.select({ name, type }).from(from).where(where)
  return new Map(rows.map(row => [row.name, row.type.toLowerCase()]))
}
