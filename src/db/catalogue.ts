/** What the database has: the columns of its tables, and the ledger of what was migrated. */
import { sql, type SQL } from 'drizzle-orm'
import { text as column, sqliteTable } from 'drizzle-orm/sqlite-core'
import type { Db, Dialect } from './database.js'

/** The types of the columns by name, by table. */
export type Catalogue = ReadonlyMap<string, ReadonlyMap<string, string>>

export async function readCatalogue (dialect: Dialect, { orm }: Db): Promise<Catalogue> {
  type Source = [table: SQL<string>, name: SQL<string>, type: SQL<string>, from: SQL, where: SQL]
  const sources: Record<Dialect, Source> = {
    sqlite: [
      sql`m.name`,
      sql`c.name`,
      sql`c.type`,
      sql`sqlite_master m, pragma_table_info(m.name) c`,
      sql`m.type = 'table'`
    ],
    postgres: [
      sql`table_name`,
      sql`column_name`,
      sql`data_type`,
      sql`information_schema.columns`,
      sql`table_schema = current_schema()`
    ]
  }
  const [table, name, type, from, where] = sources[dialect]
  const tables = new Map<string, Map<string, string>>()
  for (const row of await orm.select({ table, name, type }).from(from).where(where)) {
    const columns = tables.get(row.table) ?? new Map<string, string>()
    tables.set(row.table, columns.set(row.name, row.type.toLowerCase()))
  }
  return tables
}

export const createLedger =
  'CREATE TABLE IF NOT EXISTS "rest_auth_schema" ("entry" text PRIMARY KEY NOT NULL, "definition" text NOT NULL)'

const ledgerTable = sqliteTable('rest_auth_schema', {
  entry: column('entry').notNull(),
  definition: column('definition').notNull()
})

/** The definitions by entry: `migration:0000_accounts`, `field:gender`. */
export async function readLedger ({ orm }: Db, catalogue: Catalogue): Promise<Map<string, string>> {
  if (!catalogue.has('rest_auth_schema')) return new Map()
  const rows = await orm.select().from(ledgerTable)
  return new Map(rows.map(row => [row.entry, row.definition]))
}

export const recordEntry = (entry: string, definition: string): string =>
  `INSERT INTO "rest_auth_schema" ("entry", "definition") VALUES (${quote(entry)}, ${quote(definition)}) ` +
  'ON CONFLICT ("entry") DO UPDATE SET "definition" = excluded."definition"'

export const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`
