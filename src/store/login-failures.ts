/** The table of failed logins: how many in a row, until the login closes. A login and a new password delete the row. */
import { eq, sql } from 'drizzle-orm'
import { prepared, type Db } from '../db/database.js'
import type { LoginFailuresRow } from '../db/tables.js'

const byUser = prepared<{ userPk: string }, LoginFailuresRow[]>(({ orm, loginFailures }) =>
  orm.select().from(loginFailures).where(eq(loginFailures.userPk, sql.placeholder('userPk'))))

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

/** Counts a failure, and locks the login with the one that reaches `max`. One statement, so that none is lost. */
export async function countLoginFailure (
  { orm, loginFailures }: Db, { userPk, max, now, over }: Failed
): Promise<LoginFailuresRow | undefined> {
  const { failures, lockedAt } = loginFailures
  const isOver = sql`${lockedAt} <= ${sql.param(over, lockedAt)}`
  const [row] = await orm.insert(loginFailures).values({ userPk, failures: 1 }).onConflictDoUpdate({
    target: loginFailures.userPk,
    set: {
      failures: sql`CASE WHEN ${isOver} THEN 1 ELSE ${failures} + 1 END`,
      lockedAt: sql`CASE WHEN ${isOver} THEN NULL
        WHEN ${lockedAt} IS NULL AND ${failures} + 1 >= ${max} THEN ${sql.param(now, lockedAt)} ELSE ${lockedAt} END`
    }
  }).returning()
  return row
}

export async function deleteLoginFailures ({ orm, loginFailures }: Db, userPk: string): Promise<void> {
  await orm.delete(loginFailures).where(eq(loginFailures.userPk, userPk))
}
