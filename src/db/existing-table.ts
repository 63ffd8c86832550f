/** A table of users that the app had before the plugin (`account.table`): what it is called, and which keys it has. */
import { sql, type SQL } from 'drizzle-orm'
import type { OwnColumn } from '../../schemas/options/existing-table.js'

/** A column as the database has it. */
export interface ColumnInfo {
  name: string
  /** In lower case: `character varying` on PostgreSQL, as declared on SQLite. */
  type: string
  notNull: boolean
  /** The SQL of its default; null if it has none. */
  default: string | null
  /** The most characters it takes; null without a limit. SQLite has none, even if one was declared. */
  maxLength: number | null
}

export type KeyType = 'smallint' | 'integer' | 'bigint' | 'uuid' | 'text'

export interface ExistingTable {
  name: string
  /** The column of its key. Default: `id`. */
  key?: string | undefined
  /** Default: `text`. */
  keyType?: KeyType | undefined
  /** The names of its columns that are not called as the plugin's are. */
  columns?: Partial<Record<OwnColumn, string>> | undefined
  /** Its columns by name, as the plugin finds them in the database. Default: they have the types of the plugin's. */
  found?: ReadonlyMap<string, Pick<ColumnInfo, 'type'>> | undefined
}

/** The option, and what follows from others: where the plugin may store NULL. */
export interface ExistingTableOption extends ExistingTable {
  mayBeNull: { email: boolean, username: boolean, requiredFields: boolean }
}

/** The table as the database has it. */
export interface ExistingUsers extends ExistingTableOption {
  key: string
  keyType: KeyType
  /** The SQL by which the table makes a key; undefined if it makes none. */
  keyDefault: SQL<string> | undefined
  /** What addresses are compared by. The same text as in its index, or the databases would not use that. */
  emailKey: { text: string, sql: SQL<string> }
  /** Its columns by name. */
  found: ReadonlyMap<string, ColumnInfo>
}

/** SQL that names columns of the app's table, or is its own. */
export const sqlOf = <T = unknown>(text: string): SQL<T> => sql.raw(text) as SQL<T>

/** The column of the table for one of the plugin's. */
export const columnOf = ({ columns }: ExistingTable, column: OwnColumn): string => columns?.[column] ?? column

/** The type of the column in the database, as the catalogue says it; undefined if it is still to be added. */
export const typeOf = (table: ExistingTable, column: OwnColumn): string | undefined =>
  table.found?.get(columnOf(table, column))?.type

export const isIntegerKey = (type: KeyType): boolean => type in highest

const highest: Partial<Record<KeyType, bigint>> = {
  smallint: 2n ** 15n - 1n, integer: 2n ** 31n - 1n, bigint: 2n ** 63n - 1n
}
const integer = /^(?:0|-?[1-9]\d{0,18})$/
const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

/** Whether the text spells a key of the type in its one form, so that no two texts are the same key. */
export function isKey (type: KeyType, text: string): boolean {
  const max = highest[type]
  if (max === undefined) return type === 'text' || uuid.test(text)
  return integer.test(text) && BigInt(text) <= max && BigInt(text) >= -max - 1n
}

/**
 * Keys are text in the plugin. Text that is not a key of this type becomes NULL, which matches no row; PostgreSQL would
 * fail on it.
 */
export const keyCodec = (type: KeyType) => ({
  toDriver: (pk: unknown) => isKey(type, String(pk)) ? String(pk) : null,
  fromDriver: (stored: unknown) => {
    if (typeof stored !== 'number' || Number.isSafeInteger(stored)) return String(stored)
    // Rounded, it would be the key of another user.
    throw new Error('account.table: the key of a user is above 2^53 - 1, which SQLite can\'t give to JavaScript')
  }
})
