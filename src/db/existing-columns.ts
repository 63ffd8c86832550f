/** Which columns of the app's own table of users the plugin can use, and which it has to add. */
import { ownColumns, type OwnColumn } from '../../schemas/options/existing-table.js'
import type { FieldSpec } from '../../schemas/user-fields.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { Dialect } from './database.js'
import { columnOf, isIntegerKey, type ColumnInfo, type ExistingUsers } from './existing-table.js'

type Kind = 'text' | 'boolean' | 'time'

/** What the plugin stores in each: its kind, and of text how many characters at most. */
const needs: Record<OwnColumn, { kind: Kind, maxLength?: number }> = {
  email: { kind: 'text', maxLength: 254 },
  username: { kind: 'text', maxLength: 150 },
  // Folding makes some characters longer.
  username_key: { kind: 'text', maxLength: 600 },
  password_hash: { kind: 'text', maxLength: 255 },
  email_verified: { kind: 'boolean' },
  is_active: { kind: 'boolean' },
  created_at: { kind: 'time' },
  last_login: { kind: 'time' }
}

/** Which types of columns fit each kind, what they are called, and with which one a column is added. */
export const kinds: Record<Dialect, Record<Kind, { fits: RegExp, words: string, added: string }>> = {
  sqlite: {
    text: { fits: /char|text|clob/, words: 'text', added: 'text' },
    boolean: { fits: /int|bool/, words: 'an integer or boolean', added: 'integer' },
    time: { fits: /int|text|char|time/, words: 'an integer (milliseconds) or text', added: 'integer' }
  },
  postgres: {
    text: { fits: /^(text|character varying|citext)$/, words: 'text', added: 'text' },
    boolean: { fits: /^boolean$/, words: 'boolean', added: 'boolean' },
    time: { fits: /^timestamp with(out)? time zone$/, words: 'a timestamp', added: 'timestamp (3) with time zone' }
  }
}

/** What a row gets that the plugin has not made. Nobody knows when it was made, so `created_at` stays empty. */
const defaults: Record<Dialect, Partial<Record<OwnColumn, string>>> = {
  sqlite: { email_verified: ' DEFAULT 0 NOT NULL', is_active: ' DEFAULT 1 NOT NULL' },
  postgres: { email_verified: ' DEFAULT false NOT NULL', is_active: ' DEFAULT true NOT NULL' }
}

/** The columns that the table lacks, and how each is declared. Throws an option error for one that can't be used. */
export function missingColumns (
  dialect: Dialect, existing: ExistingUsers
): Array<{ name: string, definition: string }> {
  const missing = ownColumns.filter(column => !existing.found.has(columnOf(existing, column)))
  for (const column of missing) refuseUnknown(existing, column)
  for (const column of ownColumns) {
    const found = existing.found.get(columnOf(existing, column))
    if (found) refuseUnfit(dialect, existing, column, found)
  }
  return missing.map(column => ({
    name: columnOf(existing, column),
    definition: kinds[dialect][needs[column].kind].added + (defaults[dialect][column] ?? '')
  }))
}

/** The option names a column that does not exist: it may be misspelt, and a new column would hide the data. */
function refuseUnknown (existing: ExistingUsers, column: OwnColumn): void {
  const { name, columns } = existing
  if (column === 'email' && columns?.email === undefined) {
    refuseOption(
      `account.table.columns.email: the table "${name}" has no column "email"; name the column of the address`
    )
  }
  if (columns?.[column] === undefined) return
  refuseOption(
    `account.table.columns.${column}: the table "${name}" has no column "${columns[column]}"; name another, or leave ` +
    `it out: then the migration adds ${column}`
  )
}

function refuseUnfit (dialect: Dialect, existing: ExistingUsers, column: OwnColumn, found: ColumnInfo): void {
  const option = `account.table.columns.${column}: the column "${found.name}" of "${existing.name}"`
  const { kind, maxLength } = needs[column]
  const { fits, words } = kinds[dialect][kind]
  if (!fits.test(found.type)) refuseOption(`${option} is ${found.type || 'of no type'}, but must be ${words}`)
  if (maxLength !== undefined && found.maxLength !== null && found.maxLength < maxLength) {
    refuseOption(
      `${option} takes ${found.maxLength} characters, but must take ${maxLength}; run: ` +
      `ALTER TABLE "${existing.name}" ALTER COLUMN "${found.name}" TYPE varchar(${maxLength})`
    )
  }
  if (found.notNull && mayBeNull(existing, column)) refuseOption(`${option} is NOT NULL, but ${whyNull[column]}`)
}

const whyNull: Partial<Record<OwnColumn, string>> = {
  email: "account.email is 'optional'; let it be NULL",
  username: "users need no username (account.username is not 'required'); let it be NULL",
  username_key: 'not every row has one; let it be NULL',
  password_hash: 'users of a social login or of users.create may have no password; let it be NULL',
  last_login: 'a new user has not logged in yet; let it be NULL'
}

function mayBeNull ({ mayBeNull }: ExistingUsers, column: OwnColumn): boolean {
  if (column === 'email' || column === 'username') return mayBeNull[column]
  return column in whyNull
}

/** Throws an option error if registration could not fill a column of the table, so that no user could be stored. */
export function refuseUnfilled (existing: ExistingUsers, fields: readonly FieldSpec[]): void {
  const named = (name: string) => existing.found.get(name)
  const own = new Set([existing.key, ...ownColumns.map(column => columnOf(existing, column))].map(named))
  for (const info of existing.found.values()) {
    const { name: column, notNull, default: byDefault } = info
    if (!notNull || own.has(info)) continue
    const field = fields.find(field => named(field.column) === info)
    if (!field && byDefault !== null) continue
    if (field?.registration === 'required' && (field.default !== undefined || !existing.mayBeNull.requiredFields)) {
      continue
    }
    if (field) {
      refuseOption(
        `userFields.${field.name}: its column "${column}" of "${existing.name}" is NOT NULL, but users may have no ` +
        'value, because the field is optional or a provider does not give it; let it be NULL'
      )
    }
    refuseOption(
      `account.table: the column "${column}" of "${existing.name}" is NOT NULL without a default, so no user could ` +
      'be stored; declare it in userFields, give it a default, or let it be NULL'
    )
  }
}

/** Throws an option error if the table can't make the keys of new users, and the plugin's do not fit. */
export function refuseKey ({ name, key, keyType, keyDefault, found }: ExistingUsers, pk: 'string' | 'integer'): void {
  if (pk === 'integer' && !isIntegerKey(keyType)) {
    refuseOption(`account.pk: 'integer' needs integer keys, but the column "${key}" of "${name}" is ${keyType}`)
  }
  const { maxLength = null } = found.get(key) ?? {}
  if (keyDefault === undefined && maxLength !== null && maxLength < 36) {
    refuseOption(
      `account.table.key: the column "${key}" of "${name}" has no default, and takes ${maxLength} characters, but a ` +
      'new key has 36; give it a default'
    )
  }
}
