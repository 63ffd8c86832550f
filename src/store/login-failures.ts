/** The table of failed logins: how many in a row, until the login closes. A login and a new password delete the row. */
import { eq, sql } from 'drizzle-orm'
import { prepared, type Db } from '../db/database.js'
import type { LoginFailuresRow } from '../db/tables.js'

const byUser = prepared<{ userPk: string }, LoginFailuresRow[]>(({ orm, loginFailures }) =>
  orm.select().from(loginFailures)
    .where(eq(loginFailures.userPk, sql.param(sql.placeholder('userPk'), loginFailures.userPk))))

export const findLoginFailures = async (db: Db, userPk: string): Promise<LoginFailuresRow | undefined> =>
  (await byUser(db, { userPk }))[0]

interface Failed {
  userPk: string
  /** How many failures in a row lock the login. */
  max: number
  now: Date
  /** A lock from before then is over, and the count starts again. */
  over: Date
}

/**
 * Counts a failure, and locks the login with the one that reaches `max`. One statement, so that none is lost. Undefined
 * if the user was deleted meanwhile.
 */
export async function countLoginFailure (
  { orm, loginFailures, users }: Db, { userPk, max, now, over }: Failed
): Promise<LoginFailuresRow | undefined> {
  const { failures, lockedAt } = loginFailures
  const isOver = sql`${lockedAt} <= ${sql.param(over, lockedAt)}`
  // Also with more failures, from before `max` was lowered.
  const locks = sql`${lockedAt} IS NULL AND ${failures} + 1 >= ${max}`
  const first = orm.select({
    userPk: users.pk, failures: sql<number>`1`.as('failures'), lockedAt: sql<null>`NULL`.as('locked_at')
  }).from(users).where(eq(users.pk, userPk))
  const [row] = await orm.insert(loginFailures).select(first).onConflictDoUpdate({
    target: loginFailures.userPk,
    set: {
      failures: sql`CASE WHEN ${isOver} THEN 1 WHEN ${locks} THEN ${max} ELSE ${failures} + 1 END`,
      lockedAt: sql`CASE WHEN ${isOver} THEN NULL WHEN ${locks} THEN ${sql.param(now, lockedAt)} ELSE ${lockedAt} END`
    }
  }).returning()
  return row
}

export async function deleteLoginFailures ({ orm, loginFailures }: Db, userPk: string): Promise<void> {
  await orm.delete(loginFailures).where(eq(loginFailures.userPk, userPk))
}
