/** Whether the database itself keeps a column unique. */
import { getTableName, sql, type SQL } from 'drizzle-orm'
import type { Db, Dialect } from './database.js'
import { nameOf } from './table-names.js'

/** Whether a primary key or a unique index of the table of users is on this column alone, for all rows. */
export async function isUnique (dialect: Dialect, { orm, users }: Db, column: string): Promise<boolean> {
  const table = getTableName(users)
  const sources: Record<Dialect, SQL> = {
    sqlite: sql`(
      SELECT 1 FROM pragma_table_info(${table}) c WHERE c.pk = 1 AND c.name = ${column} COLLATE NOCASE
        AND (SELECT count(*) FROM pragma_table_info(${table}) k WHERE k.pk > 0) = 1
      UNION ALL SELECT 1 FROM pragma_index_list(${table}) i WHERE i."unique" = 1 AND i.partial = 0
        AND (SELECT group_concat(coalesce(name, '')) FROM pragma_index_info(i.name)) = ${column} COLLATE NOCASE
    ) AS found`,
    postgres: sql`(
      SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE i.indrelid = ${nameOf(users)}::regclass AND i.indisunique AND i.indpred IS NULL AND i.indnkeyatts = 1
        AND a.attname = ${column}
    ) AS found`
  }
  return (await orm.select({ one: sql`1` }).from(sources[dialect]).limit(1)).length > 0
}

/** Whether the table of users has this index: another registration may use the same table. */
export async function hasIndex (dialect: Dialect, { orm, users }: Db, name: string): Promise<boolean> {
  const sources: Record<Dialect, SQL> = {
    sqlite: sql`(SELECT 1 FROM pragma_index_list(${getTableName(users)}) i WHERE i.name = ${name}) AS found`,
    postgres: sql`(
      SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE i.indrelid = ${nameOf(users)}::regclass AND i.indisunique AND c.relname = ${name}
    ) AS found`
  }
  return (await orm.select({ one: sql`1` }).from(sources[dialect]).limit(1)).length > 0
}
