/**
 * The rows that the app's own table of users has: by what their addresses and usernames are compared, and a refusal of
 * those that no two users may have.
 */
import { and, getTableName, inArray, isNotNull, sql, type SQL } from 'drizzle-orm'
import { canonicalEmail } from '../lib/email.js'
import { refuseOption } from '../lib/refuse-option.js'
import { usernameKey } from '../lib/username.js'
import { quote, recordEntry } from './catalogue.js'
import type { Db, Dialect } from './database.js'
import { columnOf, sqlOf, type ExistingUsers } from './existing-table.js'
import { nameOf, quoteName, shortName } from './table-names.js'
import { hasIndex } from './unique-columns.js'

type Ledger = ReadonlyMap<string, string>

/** By the lower case of the app's own column, so that what the app's code writes is found and unique, too. */
export async function emailIndex (
  dialect: Dialect, tx: Db, existing: ExistingUsers, ledger: Ledger
): Promise<string[]> {
  const column = columnOf(existing, 'email')
  const entry = `index:users_email:${column}`
  if (ledger.has(entry)) return []
  await refuseOtherForms(dialect, tx, existing)
  await refuseEqual(tx, existing, { key: existing.emailKey.text, words: 'address' })
  return [...await uniqueIndex(dialect, tx, column, `(${existing.emailKey.text})`), recordEntry(tx, entry, 'added')]
}

/** An address has a form in which it is compared, and lower case does not give every one. */
async function refuseOtherForms (dialect: Dialect, { orm, users }: Db, { name }: ExistingUsers): Promise<void> {
  const stored = sql<string>`${users.email}`
  const rows = await orm.select({ pk: users.pk, email: stored.mapWith(String) }).from(users)
    .where(and(isNotNull(users.email), sql`NOT ${isAscii(dialect, stored)}`))
  for (const { pk, email } of rows) {
    const canonical = canonicalEmail(email)
    // An invalid address may stay: no request can name it.
    if (canonical === undefined || canonical === email.toLowerCase()) continue
    refuseOption(
      `account.table: the row ${pk} of "${name}" has the address ${JSON.stringify(email)}, which no login would ` +
      `find; store it as ${JSON.stringify(canonical)}`
    )
  }
}

/** Fills the key that usernames are compared by. ASCII, which most of them are, in one statement. */
export async function usernameIndex (
  dialect: Dialect, tx: Db, existing: ExistingUsers, ledger: Ledger
): Promise<string[]> {
  const column = columnOf(existing, 'username_key')
  const entry = `index:users_username_key:${column}`
  if (ledger.has(entry)) return []
  const index = [...await uniqueIndex(dialect, tx, column, quoteName(column)), recordEntry(tx, entry, 'added')]
  const username = columnOf(existing, 'username')
  if (!existing.found.has(username)) return index
  const text = quoteName(username)
  const key = dialect === 'sqlite' ? `lower(trim(${text}))` : `lower(trim(${text}::text) COLLATE "C")`
  const others = await otherUsernames(dialect, tx)
  await refuseEqual(tx, existing, { key, words: 'username' })
  await refuseEqualOthers(tx, existing, { key, others })
  const fill = (value: string, where: string) =>
    `UPDATE ${nameOf(tx.users)} SET ${quoteName(column)} = ${value} WHERE ${quoteName(column)} IS NULL AND ${where}`
  return [
    fill(key, `${text} IS NOT NULL AND ${asciiText(dialect, text)}`),
    ...others.map(({ pk, username }) =>
      fill(quote(usernameKey(username)), `${quoteName(existing.key)} = ${quote(pk)}`)),
    ...index
  ]
}

interface Username { pk: string, username: string }

const otherUsernames = async (dialect: Dialect, { orm, users }: Db): Promise<Username[]> =>
  await orm.select({ pk: users.pk, username: sql`${users.username}`.mapWith(String) }).from(users)
    .where(and(isNotNull(users.username), sql`NOT ${isAscii(dialect, sql`${users.username}`)}`))

interface Compared {
  /** The SQL by which two values are equal. */
  key: string
  words: string
}

async function refuseEqual ({ orm, users }: Db, existing: ExistingUsers, { key, words }: Compared): Promise<void> {
  const pk = sql`CAST(${users.pk} AS text)`
  const compared = sqlOf(key)
  const [found] = await orm.select({
    value: sql`min(${compared})`.mapWith(String),
    one: sql`min(${pk})`.mapWith(String),
    other: sql`max(${pk})`.mapWith(String)
  }).from(users).where(sql`${compared} IS NOT NULL`).groupBy(compared).having(sql`count(*) > 1`).limit(1)
  if (found) refusePair(existing, words, [found.one, found.other], found.value)
}

/** Usernames that are equal only beyond ASCII, such as `straße` and `strasse`. */
async function refuseEqualOthers (
  { orm, users }: Db, existing: ExistingUsers, { key, others }: { key: string, others: Username[] }
): Promise<void> {
  const seen = new Map<string, string>()
  for (const { pk, username } of others) {
    const value = usernameKey(username)
    const [equal] = await orm.select({ pk: users.pk }).from(users).where(inArray(sqlOf(key), [value])).limit(1)
    const other = seen.get(value) ?? equal?.pk
    if (other !== undefined && other !== pk) refusePair(existing, 'username', [pk, other], value)
    seen.set(value, pk)
  }
}

function refusePair ({ name }: ExistingUsers, words: string, [one, other]: [string, string], value: string): never {
  return refuseOption(
    `account.table: the rows ${one} and ${other} of "${name}" have the same ${words} ${JSON.stringify(value)}, which ` +
    'only one user may have; change one of them'
  )
}

/** SQLite has no type for times: of integers, the plugin reads and writes milliseconds. */
export async function refuseSeconds (dialect: Dialect, { orm, users }: Db, existing: ExistingUsers): Promise<void> {
  if (dialect === 'postgres') return
  for (const column of ['created_at', 'last_login'] as const) {
    const name = columnOf(existing, column)
    if (!/int/.test(existing.found.get(name)?.type ?? '')) continue
    const value = sqlOf(quoteName(name))
    // 1973 in milliseconds, and beyond the year 5000 in seconds.
    const [found] = await orm.select({ pk: users.pk }).from(users)
      .where(sql`${value} IS NOT NULL AND NOT (typeof(${value}) = 'integer' AND ${value} > 100000000000)`).limit(1)
    if (!found) continue
    refuseOption(
      `account.table.columns.${column}: the column "${name}" of "${existing.name}" holds other times than ` +
      `milliseconds (row ${found.pk}); leave ${column} out of columns`
    )
  }
}

/** Without IF NOT EXISTS, which would be content with another table's index of that name. */
async function uniqueIndex (dialect: Dialect, tx: Db, column: string, by: string): Promise<string[]> {
  const name = shortName(`rest_auth_${column}_of_${getTableName(tx.users)}`)
  if (await hasIndex(dialect, tx, name)) return []
  return [`CREATE UNIQUE INDEX ${quoteName(name)} ON ${nameOf(tx.users)} (${by})`]
}

const asciiText = (dialect: Dialect, text: string): string =>
  dialect === 'sqlite' ? `${text} NOT GLOB '*[^ -~]*'` : `${text}::text COLLATE "C" !~ '[^ -~]'`
const isAscii = (dialect: Dialect, text: SQL): SQL => sql`(${text}${sqlOf(asciiText(dialect, ''))})`
