/** The refresh tokens table: digests only. */
import { and, eq, gt, inArray, isNull, lte, sql } from 'drizzle-orm'
import { prepared, type Db } from '../db/database.js'
import type { RefreshTokenRow, SessionRow, UserRow } from '../db/tables.js'

export async function insertRefreshToken ({ orm, refreshTokens }: Db, row: Omit<RefreshTokenRow, 'spentAt'>): Promise<void> {
  await orm.insert(refreshTokens).values(row)
}

export interface OwnedToken {
  token: RefreshTokenRow
  session: SessionRow
  user: UserRow
}
const withOwner = prepared<{ digest: string }, OwnedToken[]>(({ orm, refreshTokens, sessions, users }) =>
  orm.select({ token: refreshTokens, session: sessions, user: users }).from(refreshTokens)
    .innerJoin(sessions, eq(sessions.id, refreshTokens.sessionId)).innerJoin(users, eq(users.pk, sessions.userPk))
    .where(eq(refreshTokens.digest, sql.placeholder('digest'))))

/** A refresh token, spent or expired even, with its session and that session's user. */
export const findRefreshToken = async (db: Db, digest: string): Promise<OwnedToken | undefined> =>
  (await withOwner(db, { digest }))[0]

/** Whoever marks the row owns the rotation; false when it was spent before. */
export async function spendRefreshToken ({ orm, refreshTokens }: Db, digest: string, now: Date): Promise<boolean> {
  const spent = await orm
    .update(refreshTokens)
    .set({ spentAt: now })
    .where(and(eq(refreshTokens.digest, digest), isNull(refreshTokens.spentAt)))
    .returning({ digest: refreshTokens.digest })
  return spent.length > 0
}

/** The one of these that the session is at: not spent, and in time. */
export async function findUnspentToken ({ orm, refreshTokens }: Db, sessionId: string, digests: string[], now: Date): Promise<RefreshTokenRow | undefined> {
  const [row] = await orm
    .select()
    .from(refreshTokens)
    .where(
      and(
        inArray(refreshTokens.digest, digests),
        eq(refreshTokens.sessionId, sessionId),
        isNull(refreshTokens.spentAt),
        gt(refreshTokens.expiresAt, now)
      )
    )
  return row
}

/** Sweeps what a session has outlived, at each rotation: until then a spent token is known as one. */
export async function deleteExpiredRefreshTokens ({ orm, refreshTokens }: Db, sessionId: string, now: Date): Promise<void> {
  await orm.delete(refreshTokens).where(and(eq(refreshTokens.sessionId, sessionId), lte(refreshTokens.expiresAt, now)))
}

/** Ends the session that a refresh token belongs to, expired or not. */
export async function deleteSessionOfRefreshToken ({ orm, sessions, refreshTokens }: Db, digest: string): Promise<void> {
  const owner = orm.select({ id: refreshTokens.sessionId }).from(refreshTokens).where(eq(refreshTokens.digest, digest))
  await orm.delete(sessions).where(inArray(sessions.id, owner))
}
