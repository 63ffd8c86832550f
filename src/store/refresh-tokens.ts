/**
 * The refresh tokens table; it holds digests only. Of each family it has the current token and the one before, however
 * often the session is refreshed. Rows without a family are from before there were families.
 */
import { and, desc, eq, gt, inArray, isNull, ne, sql } from 'drizzle-orm'
import { prepared, type Db } from '../db/database.js'
import type { RefreshTokenRow, SessionRow, UserRow } from '../db/tables.js'
import type { EndedSession } from './sessions.js'

export async function insertRefreshToken (
  { orm, refreshTokens }: Db,
  row: Omit<RefreshTokenRow, 'spentAt' | 'spentBy'>
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

export async function findLastOfFamily (
  { orm, refreshTokens, sessions, users }: Db,
  family: string
): Promise<OwnedToken | undefined> {
  const [last] = await orm.select({ token: refreshTokens, session: sessions, user: users }).from(refreshTokens)
    .innerJoin(sessions, eq(sessions.id, refreshTokens.sessionId)).innerJoin(users, eq(users.pk, sessions.userPk))
    .where(eq(refreshTokens.family, family)).orderBy(desc(refreshTokens.expiresAt)).limit(1)
  return last
}

/** Marks the token as spent; of two concurrent calls one gets false: marking the row is the claim to the rotation. */
export async function spendRefreshToken (
  { orm, refreshTokens }: Db,
  { digest, spentBy, now }: { digest: string, spentBy: string, now: Date }
): Promise<boolean> {
  const spent = await orm
    .update(refreshTokens)
    .set({ spentAt: now, spentBy })
    .where(and(eq(refreshTokens.digest, digest), isNull(refreshTokens.spentAt)))
    .returning({ digest: refreshTokens.digest })
  return spent.length > 0
}

/** Moves the expiration of a token that is not spent; false for any other. */
export async function prolongRefreshToken (
  { orm, refreshTokens }: Db,
  digest: string,
  expiresAt: Date
): Promise<boolean> {
  const kept = await orm.update(refreshTokens).set({ expiresAt })
    .where(and(eq(refreshTokens.digest, digest), isNull(refreshTokens.spentAt)))
    .returning({ digest: refreshTokens.digest })
  return kept.length > 0
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

/** Deletes the family's tokens from before its last exchange: the family itself tells that they were used. */
export async function deleteEarlierTokens ({ orm, refreshTokens }: Db, family: string, last: string): Promise<void> {
  await orm.delete(refreshTokens).where(and(eq(refreshTokens.family, family), ne(refreshTokens.digest, last)))
}

/** What is stored of a refresh token: its digest, and its family's. */
export type RefreshTokenKeys = Pick<RefreshTokenRow, 'digest' | 'family'>

/** Ends the session of a refresh token, whether it is the current, a used or an expired one. Returns the session. */
export async function deleteSessionOfRefreshToken (
  { orm, sessions, refreshTokens }: Db,
  { digest, family }: RefreshTokenKeys
): Promise<EndedSession | undefined> {
  const owner = orm.select({ id: refreshTokens.sessionId }).from(refreshTokens)
    .where(family === null ? eq(refreshTokens.digest, digest) : eq(refreshTokens.family, family))
  const [ended] = await orm.delete(sessions).where(inArray(sessions.id, owner))
    .returning({ id: sessions.id, userPk: sessions.userPk })
  return ended
}
