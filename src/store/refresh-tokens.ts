/** The refresh tokens table; it holds digests only. */
import { and, eq, gt, inArray, isNull, lte, sql } from 'drizzle-orm'
import { prepared, type Db } from '../db/database.js'
import type { RefreshTokenRow, SessionRow, UserRow } from '../db/tables.js'

export async function insertRefreshToken (
  { orm, refreshTokens }: Db,
  row: Omit<RefreshTokenRow, 'spentAt'>
): Promise<void> {
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

/** A refresh token with its session and user, even if it is spent or expired. */
export const findRefreshToken = async (db: Db, digest: string): Promise<OwnedToken | undefined> =>
  (await withOwner(db, { digest }))[0]

/** Marks the token as spent; of two concurrent calls one gets false: marking the row is the claim to the rotation. */
export async function spendRefreshToken ({ orm, refreshTokens }: Db, digest: string, now: Date): Promise<boolean> {
  const spent = await orm
    .update(refreshTokens)
    .set({ spentAt: now })
    .where(and(eq(refreshTokens.digest, digest), isNull(refreshTokens.spentAt)))
    .returning({ digest: refreshTokens.digest })
  return spent.length > 0
}

/** The one of these tokens that is the session's current one: neither spent nor expired. */
export async function findUnspentToken (
  { orm, refreshTokens }: Db,
  sessionId: string,
  digests: string[],
  now: Date
): Promise<RefreshTokenRow | undefined> {
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

/** Deletes a session's expired tokens. A spent token stays until it expires, so that its reuse is recognised. */
export async function deleteExpiredRefreshTokens (
  { orm, refreshTokens }: Db,
  sessionId: string,
  now: Date
): Promise<void> {
  await orm.delete(refreshTokens)
    .where(and(eq(refreshTokens.sessionId, sessionId), lte(refreshTokens.expiresAt, now)))
}

/** Ends the session that a refresh token belongs to, expired or not. */
export async function deleteSessionOfRefreshToken (
  { orm, sessions, refreshTokens }: Db,
  digest: string
): Promise<void> {
  const owner = orm.select({ id: refreshTokens.sessionId }).from(refreshTokens).where(eq(refreshTokens.digest, digest))
  await orm.delete(sessions).where(inArray(sessions.id, owner))
}
