/** The stored refresh tokens of a session: the current one, which an exchange replaces or prolongs, and the last. */
import type { Db } from '../db/database.js'
import type { SessionRow } from '../db/tables.js'
import { earlierOf, secondsAfter } from '../lib/time.js'
import type { Settings } from '../settings/types.js'
import { deleteEarlierTokens, insertRefreshToken, prolongRefreshToken } from '../store/refresh-tokens.js'
import { createRefreshKeys } from './refresh-token.js'
import type { IssuedSession } from './token-issuer.js'

export function createTokenChain ({ refresh: { idle } }: Settings['tokens'], path: string) {
  const refreshKeys = createRefreshKeys(path)

  /**
   * Stores the token that follows the one with the digest `spent`. It never outlives the session: rotation does not
   * extend it (ASVS 7.3.2).
   */
  async function storeSuccessor (
    tx: Db,
    row: SessionRow,
    { spent, next }: { spent: string, next: string },
    now: Date
  ): Promise<IssuedSession> {
    const refreshExpiration = expirationOf(row, now)
    const session = { row, refresh: next, refreshExpiration }
    const { family } = refreshKeys(next)
    if (family !== null) await deleteEarlierTokens(tx, family, spent)
    await insertCurrentToken(tx, session, now)
    return session
  }

  /** Prolongs the token instead of replacing it. Undefined if it was replaced before the app chose so. */
  async function keepToken (tx: Db, row: SessionRow, refresh: string, now: Date): Promise<IssuedSession | undefined> {
    const refreshExpiration = expirationOf(row, now)
    const isKept = await prolongRefreshToken(tx, refreshKeys(refresh).digest, refreshExpiration)
    return isKept ? { row, refresh, refreshExpiration } : undefined
  }

  const expirationOf = (row: SessionRow, now: Date) => earlierOf(secondsAfter(now, idle), row.expiresAt)

  async function insertCurrentToken (tx: Db, { row, refresh, refreshExpiration }: IssuedSession, createdAt: Date) {
    const keys = refreshKeys(refresh)
    await insertRefreshToken(tx, { ...keys, sessionId: row.id, createdAt, expiresAt: refreshExpiration })
  }

  return { refreshKeys, insertCurrentToken, storeSuccessor, keepToken }
}
