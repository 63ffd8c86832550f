/** The sessions table. */
import { and, desc, eq, exists, gt, inArray, lt, lte, ne, or, sql } from 'drizzle-orm'
import { prepared, type Db } from '../db/database.js'
import type { SessionRow, UserRow } from '../db/tables.js'

const withUser = prepared<{ userPk: string, id: string }, Array<{ user: UserRow, session: SessionRow | null }>>(
  ({ orm, users, sessions }) =>
    orm
      .select({ user: users, session: sessions })
      .from(users)
      .leftJoin(sessions, and(eq(sessions.id, sql.placeholder('id')), eq(sessions.userPk, users.pk)))
      .where(eq(users.pk, sql.param(sql.placeholder('userPk'), users.pk)))
)

/** The user, and their session of that ID if it exists: the only query of an authenticated request. */
export const findUserAndSession = async (db: Db, userPk: string, id: string) => (await withUser(db, { userPk, id }))[0]

export async function insertSession ({ orm, sessions }: Db, row: SessionRow): Promise<void> {
  await orm.insert(sessions).values(row)
}

export async function touchSession ({ orm, sessions }: Db, id: string, now: Date): Promise<void> {
  await orm.update(sessions).set({ lastSeenAt: now }).where(eq(sessions.id, id))
}

/**
 * Locks the row of an active user's session until the transaction ends; undefined if it has ended. Records its use, if
 * the last one is older than `staleAt`: otherwise a thief who looks at the list would see when the owner refreshes.
 */
export async function continueSession (
  { orm, users, sessions }: Db,
  id: string,
  { now, staleAt }: { now: Date, staleAt: Date }
): Promise<SessionRow | undefined> {
  const { lastSeenAt } = sessions
  const seen = sql`CASE WHEN ${lte(lastSeenAt, staleAt)} THEN ${sql.param(now, lastSeenAt)} ELSE ${lastSeenAt} END`
  const active = orm
    .select({ pk: users.pk })
    .from(users)
    .where(and(eq(users.pk, sessions.userPk), eq(users.isActive, true)))
  const [session] = await orm.update(sessions).set({ lastSeenAt: seen })
    .where(and(eq(sessions.id, id), gt(sessions.expiresAt, now), exists(active))).returning()
  return session
}

/** How often another client than the one that refreshed the session used a token again within the grace period. */
export async function countGraceUse ({ orm, sessions }: Db, { id, graceUsesByOthers }: SessionRow): Promise<number> {
  const times = (graceUsesByOthers ?? 0) + 1
  await orm.update(sessions).set({ graceUsesByOthers: times }).where(eq(sessions.id, id))
  return times
}

/** False if the session has ended, the user was deactivated, or the password changed since it was verified. */
export async function renewSession (
  { orm, sessions, users }: Db,
  id: string,
  { pk, passwordHash }: UserRow,
  authentication: Pick<SessionRow, 'authenticatedAt' | 'amr'>
): Promise<boolean> {
  const owner = orm
    .select({ pk: users.pk })
    .from(users)
    .where(and(eq(users.pk, pk), eq(users.isActive, true), eq(users.passwordHash, passwordHash ?? '')))
  const renewed = await orm
    .update(sessions)
    .set(authentication)
    .where(and(eq(sessions.id, id), inArray(sessions.userPk, owner)))
    .returning({ id: sessions.id })
  return renewed.length > 0
}

export const listSessions = async ({ orm, sessions }: Db, userPk: string): Promise<SessionRow[]> =>
  await orm
    .select()
    .from(sessions)
    .where(eq(sessions.userPk, userPk))
    .orderBy(desc(sessions.createdAt), desc(sessions.id))

/** The sessions that can still be refreshed, and the current one; newest first. */
export async function listLiveSessions (
  { orm, sessions, refreshTokens }: Db,
  userPk: string,
  { current, now, after, limit }: { current: string, now: Date, after: string | undefined, limit: number }
): Promise<SessionRow[]> {
  const isNext = after === undefined ? [] : [lt(sessions.id, after.toLowerCase())]
  const freshTokens = orm.select({ digest: refreshTokens.digest }).from(refreshTokens)
    .where(and(eq(refreshTokens.sessionId, sessions.id), gt(refreshTokens.expiresAt, now)))
  return await orm.select().from(sessions)
    .where(and(
      eq(sessions.userPk, userPk),
      gt(sessions.expiresAt, now),
      or(eq(sessions.id, current), exists(freshTokens)),
      ...isNext
    ))
    // The IDs are in the order of time.
    .orderBy(desc(sessions.id))
    .limit(limit)
}

export type EndedSession = Pick<SessionRow, 'id' | 'userPk'>

/** Undefined if there is none with this ID. */
export async function deleteSession ({ orm, sessions }: Db, id: string): Promise<EndedSession | undefined> {
  const [ended] = await orm.delete(sessions).where(eq(sessions.id, id))
    .returning({ id: sessions.id, userPk: sessions.userPk })
  return ended
}

export async function deleteOwnSession ({ orm, sessions }: Db, userPk: string, id: string): Promise<boolean> {
  const deleted = await orm
    .delete(sessions)
    .where(and(eq(sessions.id, id), eq(sessions.userPk, userPk)))
    .returning({ id: sessions.id })
  return deleted.length > 0
}

/** Ends every session of a user except `kept`, and deletes the user's social logins that are under way. */
export async function deleteSessions (
  { orm, sessions, socialTransactions }: Db,
  userPk: string,
  kept = ''
): Promise<void> {
  await orm.delete(socialTransactions).where(eq(socialTransactions.userPk, userPk))
  await orm.delete(sessions).where(and(eq(sessions.userPk, userPk), ne(sessions.id, kept)))
}

// SQLite takes an offset only with a limit. So many may be there from before there was a maximum.
const maxExcess = 1_000_000

/** Ends a user's oldest sessions, so that `kept`, which is new, and the `max - 1` newest of the others remain. */
export async function deleteOldestSessions (
  { orm, sessions }: Db, kept: Pick<SessionRow, 'id' | 'userPk'>, max: number
): Promise<void> {
  const excess = orm.select({ id: sessions.id }).from(sessions)
    .where(and(eq(sessions.userPk, kept.userPk), ne(sessions.id, kept.id)))
    .orderBy(desc(sessions.createdAt), desc(sessions.id)).limit(maxExcess).offset(max - 1)
  await orm.delete(sessions).where(inArray(sessions.id, excess))
}
export async function deleteExpiredSessions ({ orm, sessions }: Db, userPk: string, now: Date): Promise<void> {
  await orm.delete(sessions).where(and(eq(sessions.userPk, userPk), lte(sessions.expiresAt, now)))
}
