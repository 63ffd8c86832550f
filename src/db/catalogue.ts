/** What the database has: the columns of its tables, and the ledger of what was migrated. */
import { getTableName, sql, type SQL } from 'drizzle-orm'
import type { Db, Dialect, Orm } from './database.js'
import type { ColumnInfo } from './existing-table.js'
import { nameOf, quoteName, type TableNames } from './table-names.js'

/** SQLite does not distinguish `Is_Active` from `is_active`. */
class NamesOfSqlite<Value> extends Map<string, Value> {
  override get (name: string) { return super.get(name.toLowerCase()) }
  override has (name: string) { return super.has(name.toLowerCase()) }
  override set (name: string, value: Value) { return super.set(name.toLowerCase(), value) }
}

const byName = <Value>(dialect: Dialect, entries: Array<[string, Value]> = []): Map<string, Value> =>
  dialect === 'sqlite' ? new NamesOfSqlite(entries) : new Map(entries)

/** The types of the columns by name, by table. */
export type Catalogue = ReadonlyMap<string, ReadonlyMap<string, string>>

export async function readCatalogue (dialect: Dialect, { orm, names }: Db): Promise<Catalogue> {
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
      sql`table_schema = ${names.schema ?? sql`current_schema()`}`
    ]
  }
  const [table, name, type, from, where] = sources[dialect]
  const tables = byName<Map<string, string>>(dialect)
  for (const row of await orm.select({ table, name, type }).from(from).where(where)) {
    const columns = tables.get(row.table) ?? byName<string>(dialect)
    tables.set(row.table, columns.set(row.name, row.type.toLowerCase()))
  }
  return tables
}

/** The columns of a table by name; none if there is no such table. */
export async function readColumns (
  dialect: Dialect, orm: Orm, { schema }: TableNames, table: string
): Promise<Map<string, ColumnInfo>> {
  const place = schema === undefined ? sql`current_schema()` : sql`${schema}`
  const sequence = sql`pg_get_serial_sequence(format('%I.%I', table_schema, table_name), column_name)`
  const sources: Record<Dialect, SQL> = {
    sqlite: sql`SELECT name, lower(type) AS type, "notnull" AS not_null, dflt_value AS made_by, NULL AS max_length
      FROM pragma_table_info(${table})`,
    postgres: sql`SELECT column_name::text AS name, is_nullable = 'NO' AS not_null,
      character_maximum_length AS max_length,
      CASE data_type WHEN 'USER-DEFINED' THEN udt_name ELSE data_type END::text AS type,
      CASE is_identity WHEN 'YES' THEN format('nextval(%L)', ${sequence}) ELSE column_default END::text AS made_by
      FROM information_schema.columns
      WHERE table_schema = ${place} AND table_name = ${table} AND is_generated = 'NEVER'`
  }
  const rows = await orm.select({
    name: sql<string>`name`,
    type: sql<string>`type`,
    notNull: sql`not_null`.mapWith(Boolean),
    default: sql<string | null>`made_by`,
    maxLength: sql<number | null>`max_length`
  }).from(sql`(${sources[dialect]}) AS columns`)
  return byName(dialect, rows.map(row => [row.name, row]))
}

/** The SQL that creates the schema of `database.schema`, only if it does not exist: few roles may create one. */
export async function missingSchema ({ orm, names: { schema } }: Db): Promise<string[]> {
  if (schema === undefined) return []
  const found = await orm.select({ name: sql`nspname` }).from(sql`pg_namespace`).where(sql`nspname = ${schema}`)
  return found.length > 0 ? [] : [`CREATE SCHEMA ${quoteName(schema)}`]
}

export const createLedger = ({ ledger }: Db): string =>
  `CREATE TABLE IF NOT EXISTS ${nameOf(ledger)} ("entry" text PRIMARY KEY NOT NULL, "definition" text NOT NULL)`

/** The definitions by entry: `migration:0000_accounts`, `field:gender`. */
export async function readLedger ({ orm, ledger }: Db, catalogue: Catalogue): Promise<Map<string, string>> {
  if (!catalogue.has(getTableName(ledger))) return new Map()
  const rows = await orm.select().from(ledger)
  return new Map(rows.map(row => [row.entry, row.definition]))
}

export const recordEntry = ({ ledger }: Db, entry: string, definition: string): string =>
  `INSERT INTO ${nameOf(ledger)} ("entry", "definition") VALUES (${quote(entry)}, ${quote(definition)}) ` +
  'ON CONFLICT ("entry") DO UPDATE SET "definition" = excluded."definition"'

export const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`
