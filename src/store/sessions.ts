/** The sessions table. */
import { and, desc, eq, exists, gt, inArray, lte, ne, or, sql } from 'drizzle-orm'
import { prepared, type Db } from '../db/database.js'
import type { SessionRow, UserRow } from '../db/tables.js'

const withUser = prepared<{ userPk: string; id: string }, Array<{ user: UserRow; session: SessionRow | null }>>(
  ({ orm, users, sessions }) =>
    orm
      .select({ user: users, session: sessions })
      .from(users)
      .leftJoin(sessions, and(eq(sessions.id, sql.placeholder('id')), eq(sessions.userPk, users.pk)))
      .where(eq(users.pk, sql.placeholder('userPk')))
)

/** The user, and its session of that id while there is one: the one query of every authenticated request. */
export const findUserAndSession = async (db: Db, userPk: string, id: string) => (await withUser(db, { userPk, id }))[0]

export async function insertSession ({ orm, sessions }: Db, row: SessionRow): Promise<void> {
  await orm.insert(sessions).values(row)
}

export async function touchSession ({ orm, sessions }: Db, id: string, now: Date): Promise<void> {
  await orm.update(sessions).set({ lastSeenAt: now }).where(eq(sessions.id, id))
}

/**
 * Notes that a session of an active user goes on, and locks its row against whoever ends it meanwhile: undefined when
 * it has ended.
 */
export async function continueSession ({ orm, users, sessions }: Db, id: string, now: Date): Promise<SessionRow | undefined> {
  const active = orm
    .select({ pk: users.pk })
    .from(users)
    .where(and(eq(users.pk, sessions.userPk), eq(users.isActive, true)))
  const [session] = await orm.update(sessions).set({ lastSeenAt: now })
    .where(and(eq(sessions.id, id), gt(sessions.expiresAt, now), exists(active))).returning()
  return session
}

/** Notes that the password was given again; false when the session is no more, or the user as the password was verified for. */
export async function renewSession ({ orm, sessions, users }: Db, id: string, { pk, passwordHash }: UserRow, now: Date): Promise<boolean> {
  const owner = orm
    .select({ pk: users.pk })
    .from(users)
    .where(and(eq(users.pk, pk), eq(users.isActive, true), eq(users.passwordHash, passwordHash ?? '')))
  const renewed = await orm
    .update(sessions)
    .set({ authenticatedAt: now })
    .where(and(eq(sessions.id, id), inArray(sessions.userPk, owner)))
    .returning({ id: sessions.id })
  return renewed.length > 0
}

/** Newest first. */
export const listSessions = async ({ orm, sessions }: Db, userPk: string): Promise<SessionRow[]> =>
  await orm
    .select()
    .from(sessions)
    .where(eq(sessions.userPk, userPk))
    .orderBy(desc(sessions.createdAt), desc(sessions.id))

/** Those that can go on, and the current one; newest first. */
export async function listLiveSessions ({ orm, sessions, refreshTokens }: Db, userPk: string, current: string, now: Date): Promise<SessionRow[]> {
  const inTime = orm.select({ digest: refreshTokens.digest }).from(refreshTokens)
    .where(and(eq(refreshTokens.sessionId, sessions.id), gt(refreshTokens.expiresAt, now)))
  return await orm.select().from(sessions)
    .where(and(eq(sessions.userPk, userPk), gt(sessions.expiresAt, now), or(eq(sessions.id, current), exists(inTime))))
    .orderBy(desc(sessions.createdAt), desc(sessions.id))
}

export async function deleteSession ({ orm, sessions }: Db, id: string): Promise<boolean> {
  return (await orm.delete(sessions).where(eq(sessions.id, id)).returning({ id: sessions.id })).length > 0
}

/** Ends a session of this user; false when the user has none of that id. */
export async function deleteOwnSession ({ orm, sessions }: Db, userPk: string, id: string): Promise<boolean> {
  return (
    (
      await orm
        .delete(sessions)
        .where(and(eq(sessions.id, id), eq(sessions.userPk, userPk)))
        .returning({ id: sessions.id })
    ).length > 0
  )
}

/** Ends every session of a user, but for the one kept, and the logins by a provider that wait to be fetched. */
export async function deleteSessions ({ orm, sessions, socialTransactions }: Db, userPk: string, kept = ''): Promise<void> {
  await orm.delete(socialTransactions).where(eq(socialTransactions.userPk, userPk))
  await orm.delete(sessions).where(and(eq(sessions.userPk, userPk), ne(sessions.id, kept)))
}

/** Sweeps what has expired, a user at a time: at login. */
export async function deleteExpiredSessions ({ orm, sessions }: Db, userPk: string, now: Date): Promise<void> {
  await orm.delete(sessions).where(and(eq(sessions.userPk, userPk), lte(sessions.expiresAt, now)))
}
