/** Reads Django's SQLite file. */
import { existsSync } from 'node:fs'
import { loadBetterSqlite3 } from '../../db/better-sqlite3.js'
import type { Row, Source } from './source.js'

const catalogue = `
  SELECT t.name AS "table", c.name AS "column", lower(c.type) AS "type", c.pk > 0 AS "key"
  FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table'`

export async function openSqliteSource (file: string): Promise<Source> {
  if (!existsSync(file)) throw new Error('there is no such file')
  const Client = await loadBetterSqlite3()
  const client = new Client(file, { readonly: true, fileMustExist: true })
  // JavaScript would round the largest keys. And SQLite reads the file only now: it may be no database.
  client.defaultSafeIntegers().prepare('SELECT count(*) FROM sqlite_master').get()
  return {
    catalogue,
    read: async (query, values = []) =>
      client.prepare<object, Record<string, unknown>>(query).all({ ...[null, ...values] }).map(asText),
    close: async () => { client.close() }
  }
}

const asText = (row: Record<string, unknown>): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]))
