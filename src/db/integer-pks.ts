/**
 * What `account.pk: 'integer'` needs from the database. Keys stay text; an index on the integer that each one spells
 * finds the highest, and any key that spells none, without reading the table.
 */
import { sql, type SQL } from 'drizzle-orm'
import { refuseOption } from '../lib/refuse-option.js'
import { recordEntry } from './catalogue.js'
import type { Database, Db, Dialect } from './database.js'
import { isIntegerKey, type ExistingUsers } from './existing-table.js'
import { indexOf, nameOf } from './table-names.js'

// The cast is inside the CASE, because PostgreSQL fails on a text that is no number. Without parameters and table name,
// because the databases use the index only for the same expression.
const expression = (text: TemplateStringsArray) => ({ text: text.join(''), sql: sql<number | null>(text) })
const onSqlite = expression`CASE WHEN CAST(CAST("pk" AS integer) AS text) = "pk" \
AND CAST("pk" AS integer) BETWEEN 1 AND 9007199254740991 THEN CAST("pk" AS integer) END`
const onPostgres = expression`CASE WHEN "pk" ~ '^[1-9][0-9]{0,15}$' \
THEN CASE WHEN CAST("pk" AS bigint) <= 9007199254740991 THEN CAST("pk" AS bigint) END END`
const text: Record<Dialect, string> = { sqlite: onSqlite.text, postgres: onPostgres.text }

const spelled: Record<Dialect, SQL<number | null>> = { sqlite: onSqlite.sql, postgres: onPostgres.sql }

/**
 * The integer that a user's key spells; null for a key such as `007`, `1e3`, or one that JavaScript would round. In the
 * app's own table, the integer that it is.
 */
export const integerOfPk = (dialect: Dialect, { existing, users }: Db): SQL<number | null> =>
  existing ? sql<number | null>`${users.pk}` : spelled[dialect]

const entry = 'index:users_pk_integer'

/** The SQL that is still to run. Throws an option error if a user has another key. */
export async function integerPkStatements (
  { dialect }: Database, tx: Db, ledger: ReadonlyMap<string, string>
): Promise<string[]> {
  const { orm, users, existing } = tx
  if (existing) {
    const [other] = await orm.select({ pk: users.pk }).from(users)
      .where(sql`${users.pk} < 1 OR ${users.pk} > 9007199254740991`).limit(1)
    if (other) refuseOtherPk(other.pk)
    return []
  }
  if (ledger.size > 0) {
    const [other] = await orm.select({ pk: users.pk }).from(users).where(sql`${spelled[dialect]} IS NULL`).limit(1)
    if (other) refuseOtherPk(other.pk)
  }
  if (ledger.has(entry)) return []
  const { made } = indexOf(users, 'pk_integer')
  const index = `CREATE INDEX ${made} ON ${nameOf(users)} ((${text[dialect]}))`
  return [index, recordEntry(tx, entry, 'added')]
}

/** Throws an option error if the app's own table has a key that can't be read from SQLite. */
export async function refuseLargePk (dialect: Dialect, { orm, users }: Db, { name, key, keyType }: ExistingUsers) {
  if (dialect === 'postgres' || !isIntegerKey(keyType)) return
  const pk = sql`${users.pk}`
  const [found] = await orm.select({ pk: sql`CAST(${pk} AS text)`.mapWith(String) }).from(users)
    .where(sql`${pk} > 9007199254740991 OR ${pk} < -9007199254740991`).limit(1)
  if (!found) return
  refuseOption(
    `account.table.key: the column "${key}" of "${name}" has the key ${found.pk}, but SQLite gives JavaScript only ` +
    'those up to 2^53 - 1; change it, or use another column'
  )
}

export const refuseOtherPk = (pk: string): never => refuseOption(
  `account.pk: 'integer' needs users whose keys are positive integers, but one has the key ${JSON.stringify(pk)}; ` +
  "set account.pk: 'string', or remove the users with such keys"
)
