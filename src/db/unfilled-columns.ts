/** Finds columns of former user fields that must be filled, and that the plugin no longer fills. */
import { getTableName, sql, type SQL } from 'drizzle-orm'
import type { FieldSpec } from '../../schemas/user-fields.js'
import type { Db, Dialect } from './database.js'

const sources = ({ users, names }: Db): Record<Dialect, { name: SQL<string>, from: SQL, where: SQL }> => ({
  sqlite: {
    name: sql`c.name`,
    from: sql`pragma_table_info(${getTableName(users)}) c`,
    where: sql`c."notnull" = 1 AND c.dflt_value IS NULL`
  },
  postgres: {
    name: sql`column_name`,
    from: sql`information_schema.columns`,
    where: sql`table_schema = ${names.schema ?? sql`current_schema()`} AND table_name = ${getTableName(users)}
      AND is_nullable = 'NO'
      AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'`
  }
})

/** Throws an Error if the column of a former field accepts no NULL: then no user could be stored. */
export async function refuseUnfilledColumns (
  dialect: Dialect, tx: Db, ledger: ReadonlyMap<string, string>, fields: readonly FieldSpec[]
): Promise<void> {
  const filled = new Set(fields.map(({ column }) => column))
  const { name, from, where } = sources(tx)[dialect]
  for (const { column } of await tx.orm.select({ column: name }).from(from).where(where)) {
    if (filled.has(column) || !ledger.has(`field:${column}`)) continue
    throw new Error(
      `database: no user field fills the column "${column}" of ${getTableName(tx.users)} any more, but it is NOT ` +
      'NULL without a default, so no user could be stored; allow NULL in it, or drop it'
    )
  }
}
