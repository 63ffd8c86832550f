/** Reads the users table page by page. */
import { and, gt, or, sql, type Column, type SQL } from 'drizzle-orm'
import type { Database } from '../db/database.js'
import { comparedEmail } from '../db/compared-email.js'
import { integerOfPk } from '../db/integer-pks.js'
import type { UserRow } from '../db/tables.js'
import { usernameKey } from '../lib/username.js'

interface ListOptions {
  /** Only users whose key is higher; undefined for all. A number if keys are integers. */
  after: string | number | undefined
  limit: number
  /** A part of the address or the username, in any case; empty for all users. */
  search: string
  /** Whether keys are integers. */
  byInteger: boolean
}

/** In ascending order of their keys. */
export async function listUsers (
  db: Database,
  { after, limit, search, byInteger }: ListOptions
): Promise<UserRow[]> {
  const { orm, dialect, users, existing } = db
  const key: SQL = byInteger ? integerOfPk(dialect, db) : sql`${users.pk}`
  const beyond = after === undefined ? undefined : gt(key, existing ? sql.param(after, users.pk) : after)
  // Empty for characters that usernames are compared without: every username contains that.
  const partOfName = usernameKey(search)
  const found = or(
    contains(comparedEmail(db), search.toLowerCase()),
    partOfName === '' ? undefined : contains(users.usernameKey, partOfName)
  )
  return await orm.select().from(users)
    .where(and(beyond, search === '' ? undefined : found))
    .orderBy(key)
    .limit(limit)
}

const contains = (column: Column | SQL, part: string): SQL =>
  sql`${column} LIKE ${`%${part.replace(/[!%_]/g, '!$&')}%`} ESCAPE '!'`
