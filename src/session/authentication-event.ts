/** When and how users proved who they are. Values of `amr` (RFC 8176) are stored in one column, with spaces between. */
import type { SessionRow } from '../db/tables.js'

/** What a session records of its login. */
export interface AuthenticationEvent {
  /** Default: now. */
  authenticatedAt?: Date
  /** Default: none is known. */
  amr?: readonly string[]
}

export const byPassword: AuthenticationEvent = { amr: ['pwd'] }

/** Of a session that was stored before the time was, its beginning. */
export const authenticationOf = ({ authenticatedAt, createdAt, amr }: SessionRow): Required<AuthenticationEvent> => ({
  authenticatedAt: authenticatedAt ?? createdAt,
  amr: amr === null ? [] : amr.split(' ')
})

/** Null for none; each method once. */
export const storedAmr = (amr: readonly string[]): string | null => amr.length > 0 ? [...new Set(amr)].join(' ') : null
