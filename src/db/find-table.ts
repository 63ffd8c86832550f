/** Finds the app's own table of users when the database is opened: the types of its columns decide the queries. */
import { refuseOption } from '../lib/refuse-option.js'
import { readColumns } from './catalogue.js'
import type { Dialect, Orm } from './database.js'
import {
  columnOf, sqlOf, type ColumnInfo, type ExistingTableOption, type ExistingUsers, type KeyType
} from './existing-table.js'
import { defaultNames, type TableNames } from './table-names.js'

/** Undefined without `account.table`. Throws an option error if the table can't be the users'. */
export async function findTable (
  dialect: Dialect, orm: Orm, names: TableNames, option: ExistingTableOption | undefined
): Promise<ExistingUsers | undefined> {
  if (!option) return undefined
  const { tables: prefix = '' } = names
  if (option.name !== `${prefix}users` && defaultNames.some(name => option.name === `${prefix}${name}`)) {
    refuseOption(
      `account.table.name: the plugin has a table "${option.name}" of its own; give its tables a prefix, ` +
      "database: { …, tables: 'auth_' }"
    )
  }
  return recogniseTable(dialect, option, await readColumns(dialect, orm, names, option.name))
}

const keyTypes: Record<Dialect, (type: string) => KeyType | undefined> = {
  sqlite: type => /int/.test(type) ? 'bigint' : /char|text|clob|uuid/.test(type) ? 'text' : undefined,
  postgres: type => type === 'character varying'
    ? 'text'
    : (['smallint', 'integer', 'bigint', 'uuid', 'text'] as const).find(known => known === type)
}

/** What lower case means must not depend on the database: only ASCII has it in a canonical address. */
const emailKeys: Record<Dialect, (column: string) => string> = {
  sqlite: column => `lower("${column}")`,
  postgres: column => `lower("${column}"::text COLLATE "C")`
}

/** Throws an option error if the table or its key is missing, or the key has a type that the plugin can't refer to. */
function recogniseTable (
  dialect: Dialect, option: ExistingTableOption, found: ReadonlyMap<string, ColumnInfo>
): ExistingUsers {
  const { name, key = 'id' } = option
  if (found.size === 0) {
    refuseOption(`account.table.name: the database has no table "${name}"; create it first, or leave account.table out`)
  }
  const column = found.get(key)
  if (!column) refuseOption(`account.table.key: the table "${name}" has no column "${key}"; name the column of its key`)
  const keyType = keyTypes[dialect](column.type)
  if (!keyType) {
    refuseOption(
      `account.table.key: the column "${key}" of "${name}" is ${column.type || 'of no type'}; a key is an integer, ` +
      'a uuid or text'
    )
  }
  const emailKey = emailKeys[dialect](columnOf(option, 'email'))
  return {
    ...option,
    key,
    keyType,
    keyDefault: column.default === null ? undefined : sqlOf<string>(`(${column.default})`).mapWith(String),
    emailKey: { text: emailKey, sql: sqlOf<string>(emailKey) },
    found
  }
}
