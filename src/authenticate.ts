/**
 * Who sends this request? A bearer token is verified, then its session and its user are looked up, in one
 * indexed query: so that logout, deactivation and a changed password count from the next request on.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccessTokens, Claims } from './access-tokens.js'
import type { Accounts } from './accounts.js'
import type { Database } from './db/database.js'
import type { UserRow } from './db/tables.js'
import { asThrown, failure } from './errors.js'
import { findUserAndSession, touchSession } from './store/sessions.js'
import type { User } from './types.js'

interface Identity {
  user: UserRow
  sessionId: string
}

// Beside the request, not on it: no log and no serializer of the host's meets the password hash here.
const identities = new WeakMap<FastifyRequest, Identity>()

// Milliseconds.
const touchEvery = 60_000

export function createAuthenticate ({ db, clock, accessTokens, accounts }: { db: Database, clock: () => Date, accessTokens: AccessTokens, accounts: Accounts }) {
  return async function authenticate (request: FastifyRequest, _reply?: FastifyReply): Promise<void> {
    const identity = await identify(accessTokens.verify(bearerToken(request), clock())).catch(error => { throw asThrown(error) })
    identities.set(request, identity)
    // The app's own type of the user follows from its options; what is stored was checked against them.
    request.user = accounts.toUser(identity.user) as unknown as User
  }

  async function identify ({ sub, sid }: Claims): Promise<Identity> {
    const now = clock()
    const found = await findUserAndSession(db, sub, sid)
    if (!found) throw failure('user_not_found')
    const { user, session } = found
    if (!user.isActive) throw failure('user_inactive')
    if (!session || session.expiresAt <= now) throw failure('token_not_valid')
    if (now.getTime() - session.lastSeenAt.getTime() >= touchEvery) await touchSession(db, session.id, now)
    return { user, sessionId: session.id }
  }
}
export type Authenticate = ReturnType<typeof createAuthenticate>

/** The stored user and the session of an authenticated request. */
export function identityOf (request: FastifyRequest): Identity {
  const identity = identities.get(request)
  if (!identity) throw failure('not_authenticated')
  return identity
}

/** The token of the Authorization header; throws where there is none (RFC 6750 §2.1: the header only). */
export function bearerToken (request: FastifyRequest): string {
  const [scheme = '', token, ...rest] = (request.headers.authorization ?? '').trim().split(' ')
  // RFC 9110 §11.1: the scheme is case-insensitive.
  if (scheme.toLowerCase() !== 'bearer') throw failure('not_authenticated')
  if (!token || rest.length > 0) throw failure('bad_authorization_header')
  return token
}
