/**
 * Which rows of the app's own table of users were there before the plugin. Nobody registered them through it, so nobody
 * took an address from its owner with them.
 */
import { eq } from 'drizzle-orm'
import { quote } from './catalogue.js'
import type { Db, Dialect } from './database.js'
import { columnOf, type ExistingUsers } from './existing-table.js'
import { nameOf, quoteName } from './table-names.js'
import type { UserRow } from './tables.js'

const entry = 'rows:users'

/**
 * Records `created_at` of the newest row, in milliseconds: a time of this machine could differ from what the app wrote.
 * What lies in the future is left out, or every later row would count as older.
 */
export function recordRows (
  dialect: Dialect, { users, ledger: table }: Db, existing: ExistingUsers, ledger: ReadonlyMap<string, string>
): string[] {
  if (ledger.has(entry)) return []
  const found = existing.found.get(columnOf(existing, 'created_at'))
  const newest = found ? `(${newestIn(dialect, nameOf(users), quoteName(found.name), found.type)})` : '0'
  return [
    `INSERT INTO ${nameOf(table)} ("entry", "definition") VALUES (${quote(entry)}, CAST(${newest} AS text))`
  ]
}

function newestIn (dialect: Dialect, users: string, column: string, type: string): string {
  if (dialect === 'postgres') {
    return `SELECT coalesce(ceil(extract(epoch FROM max(${column})) * 1000), 0)::bigint FROM ${users} ` +
      `WHERE isfinite(${column}) AND ${column} < now() + interval '1 day'`
  }
  const milliseconds = /int/.test(type) ? column : `(strftime('%s', ${column}) * 1000 + 999)`
  return `SELECT coalesce(max(${milliseconds}), 0) FROM ${users} ` +
    `WHERE ${milliseconds} < strftime('%s', 'now', '+1 day') * 1000`
}

/** Whether the row was there before the plugin, or was written by the app without a time since. */
export async function wasThereBefore ({ orm, ledger, existing }: Db, { createdAt }: UserRow): Promise<boolean> {
  if (!existing) return false
  const [row] = await orm.select({ newest: ledger.definition }).from(ledger).where(eq(ledger.entry, entry))
  // The plugin gives each of its rows a time, but those of the app may have none, or one that is no date.
  const time: Date | null = createdAt
  return !(time !== null && time.getTime() > Number(row?.newest))
}
