/** What the tables of a registration are called, and how SQL written for the default names gets these. */
import { createHash } from 'node:crypto'
import { getTableName, type Table } from 'drizzle-orm'
import type { FieldSpecs, UserFields } from '../../schemas/user-fields.js'
import type { ExistingTable, ExistingTableOption } from './existing-table.js'

export interface TableNames {
  /** What the names of tables, indexes and constraints begin with: `staff_`. Default: nothing. */
  tables?: string | undefined
  /** The schema on PostgreSQL. Default: the first in the search path of the connection. */
  schema?: string | undefined
  /** The table of users that the app had before, of `account.table`. Default: the plugin's own. */
  table?: ExistingTable | undefined
}

export interface TablesOptions<F extends UserFields = {}> extends TableNames {
  /** The columns of the user fields: `describeFields(userFields).fields`. */
  fields?: FieldSpecs<F> | undefined
}

/** What a database is opened with. */
export interface OpeningOptions {
  names: TableNames
  fields: FieldSpecs
  existing: ExistingTableOption | undefined
}

/** The longest name in the migrations has 40 characters, and PostgreSQL cuts names to 63. */
export const maxPrefixLength = 20

export const defaultNames = [
  'users', 'sessions', 'refresh_tokens', 'mail_outbox', 'one_time_tokens', 'social_accounts', 'social_transactions',
  'user_pk_counter', 'auth_rate_limits', 'auth_login_failures', 'auth_events', 'auth_known_devices', 'rest_auth_schema'
] as const

/** For the option `tablesFilter` of drizzle-kit. */
export const filterOf = (prefix = ''): string[] => defaultNames.map(name => `!${prefix}${name}`)

const ownIdentifier = new RegExp(`(["\`])(${defaultNames.join('|')})(_\\w+)?\\1`, 'g')

/** A statement of drizzle-kit's migrations, which names the tables, indexes and constraints as they are by default. */
export const withNames = (statement: string, { tables = '', schema, table: existing }: TableNames): string =>
  statement.replace(ownIdentifier, (_all, quote: string, table: string, rest: string | undefined) => {
    const isExisting = existing && table === 'users' && rest === undefined
    const name = `${quote}${isExisting ? existing.name : `${tables}${table}${rest ?? ''}`}${quote}`
    // Only tables are named with their schema: indexes and constraints are made in that of their table.
    return schema === undefined || rest !== undefined ? name : `${quoteName(schema)}.${name}`
  })

const ofUsers =
  /^(?:--.*\n|\s)*(?:(?:CREATE|ALTER) TABLE|UPDATE|CREATE (?:UNIQUE )?INDEX ["`]\w+["`] ON) ["`]users["`]/

/** Whether a statement of the migrations makes or changes the table of users. */
export const isOfUsers = (statement: string): boolean => ofUsers.test(statement)

/** A statement of the migrations whose foreign keys have the type and the column of the app's own key. */
export const withKey = (statement: string, { key, type }: { key: string, type: string }): string =>
  statement
    .replace(/(["`])user_pk\1 text/g, `$1user_pk$1 ${type}`)
    .replace(/(REFERENCES \S+)\((["`])pk\2\)/g, `$1($2${key}$2)`)

/** PostgreSQL cuts longer names, and two may then be the same. */
const maxNameLength = 63

/** The name, and of a longer one the beginning and a digest. */
export function shortName (name: string): string {
  if (name.length <= maxNameLength) return name
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 12)
  return `${name.slice(0, maxNameLength - digest.length - 1)}_${digest}`
}

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** The table in a statement, quoted and with its schema. */
export function nameOf (table: Table): string {
  const schema: string | undefined = Object(table)[Symbol.for('drizzle:Schema')]
  return [...(schema === undefined ? [] : [schema]), getTableName(table)].map(quoteName).join('.')
}

/** An index on a table: its name where it is made, and where it is dropped. */
export function indexOf (table: Table, suffix: string): { made: string, dropped: string } {
  const made = quoteName(shortName(`${getTableName(table)}_${suffix}`))
  return { made, dropped: nameOf(table).replace(quoteName(getTableName(table)), () => made) }
}
