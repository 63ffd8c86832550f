/** Reads Django's PostgreSQL database, in one transaction that sees it as it was at the start. */
import type { Source } from './source.js'

const catalogue = `
  SELECT t.relname AS "table", c.attname AS "column", format_type(c.atttypid, NULL) AS "type", EXISTS (
    SELECT FROM pg_index AS i WHERE i.indrelid = t.oid AND i.indisprimary AND c.attnum = ANY (i.indkey)
  ) AS "key"
  FROM pg_class AS t JOIN pg_attribute AS c ON c.attrelid = t.oid
  WHERE t.relkind IN ('r', 'p') AND pg_table_is_visible(t.oid) AND c.attnum > 0 AND NOT c.attisdropped
    AND t.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  ORDER BY t.relname, c.attnum`

// A page may have to wait while the one before it is stored.
const settings = `
  SET default_transaction_read_only = on;
  BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
  SET LOCAL TimeZone = 'UTC';
  SET LOCAL datestyle = 'ISO';
  SET LOCAL statement_timeout = 0;
  SET LOCAL idle_in_transaction_session_timeout = 0`

export async function openPostgresSource (url: string): Promise<Source> {
  const { default: { Client } } = await import('pg').catch((error: unknown) => {
    throw new Error('PostgreSQL needs the package pg (npm install pg)', { cause: error })
  })
  const client = new Client({ connectionString: url })
  // Without a listener, this process would crash when the server stops; the query fails, too.
  client.on('error', () => {})
  await client.connect()
  await client.query(settings)
  const types = { getTypeParser: () => String }
  return {
    catalogue,
    read: async (text, values = []) => (await client.query({ text, values: [...values], types })).rows,
    close: () => client.end()
  }
}
