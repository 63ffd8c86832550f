/** The refresh tokens table: digests only. */
import { eq, inArray } from 'drizzle-orm'
import type { Db } from '../db/database.js'

export interface RefreshTokenRow {
  digest: string
  sessionId: string
  createdAt: Date
  expiresAt: Date
}

export async function insertRefreshToken ({ orm, refreshTokens }: Db, row: RefreshTokenRow): Promise<void> {
  await orm.insert(refreshTokens).values(row)
}

/** Ends the session that a refresh token belongs to, expired or not. */
export async function deleteSessionOfRefreshToken ({ orm, sessions, refreshTokens }: Db, digest: string): Promise<void> {
  const owner = orm.select({ id: refreshTokens.sessionId }).from(refreshTokens).where(eq(refreshTokens.digest, digest))
  await orm.delete(sessions).where(inArray(sessions.id, owner))
}
