/** Finds the session that a token belongs to: by the claims of an access token, or by the digest of a key. */
import type { Database } from '../db/database.js'
import type { SessionRow, UserRow } from '../db/tables.js'
import { Failure, failure } from '../errors/failure.js'
import { findRefreshToken } from '../store/refresh-tokens.js'
import { findUserAndSession, touchSession } from '../store/sessions.js'
import type { Claims } from './access-tokens.js'
import { staleAt } from './last-seen.js'
import { isKey } from './session-key.js'
import type { Sessions } from './sessions.js'

export interface PresentedToken {
  token: string
  /** The verified claims of an access token; undefined for a key. */
  claims: Claims | undefined
}

interface Found {
  user: UserRow
  /** Null if it has ended. */
  session: SessionRow | null
}

type Keys = Pick<Sessions, 'refreshKeys' | 'keepToken'>

export function createSessionLookup (db: Database, { refreshKeys, keepToken }: Keys) {
  async function find ({ token, claims }: PresentedToken, now: Date): Promise<Found> {
    if (!claims) return await findByKey(token, now)
    const found = await findUserAndSession(db, claims.sub, claims.sid)
    if (!found) throw failure('user_not_found')
    return found
  }

  async function findByKey (key: string, now: Date): Promise<Found> {
    const found = isKey(key) ? await findRefreshToken(db, refreshKeys(key).digest) : undefined
    if (!found) throw new Failure('token_not_valid', { tokenIn: 'key' })
    if (found.token.expiresAt <= now) throw new Failure('token_expired', { tokenIn: 'key' })
    return found
  }

  /** At most once a minute. A use moves the expiration of a key, as a refresh moves that of a refresh token. */
  async function recordUse (session: SessionRow, { token, claims }: PresentedToken, now: Date): Promise<void> {
    if (session.lastSeenAt > staleAt(now)) return
    await touchSession(db, session.id, now)
    if (!claims) await keepToken(db, session, token, now)
  }

  return { find, recordUse }
}
