/**
 * Who sends this request? Its access token is verified, then its session and its user are looked up, in one
 * indexed query: so that logout, deactivation and a changed password count from the next request on.
 */
import { Value } from '@sinclair/typebox/value'
import type { FastifyRequest } from 'fastify'
import { Authentication, type CheckedAuthentication } from '../../schemas/authenticate-options.js'
import type { AccessTokens, Claims } from './access-tokens.js'
import type { Accounts } from '../account/user-records.js'
import type { Database } from '../db/database.js'
import type { SessionRow, UserRow } from '../db/tables.js'
import { asThrown, failure, Failure } from '../errors/failure.js'
import { locks } from '../http/openapi-security.js'
import type { AuthenticateHook, RestAuth } from '../rest-auth.js'
import { describe } from '../settings/option-errors.js'
import { findUserAndSession, touchSession } from '../store/sessions.js'
import type { Transport } from './token-transport.js'
import type { User } from '../types.js'
import { refuse } from '../lib/refuse-option.js'

interface Identity {
  user: UserRow
  sessionId: string
  /** When the password was last given, or the provider asked. */
  authenticatedAt: Date
}

// Beside the request, not on it: no log and no serializer of the host's meets the password hash here.
const identities = new WeakMap<FastifyRequest, Identity>()

// Milliseconds.
const touchEvery = 60_000

interface Ingredients {
  db: Database
  clock: () => Date
  accessTokens: AccessTokens
  transport: Transport
  accounts: Accounts
  /** Name of the cookie that the access token travels in, if it does. */
  cookie: string | undefined
}

export function createAuthenticate ({ db, clock, accessTokens, transport, accounts, cookie }: Ingredients) {
  const claims = new WeakMap<FastifyRequest, Claims>()

  const hookOf = ({ optional = false, stateless = false, maxAge = Infinity }: CheckedAuthentication): AuthenticateHook => locks(async function authenticate (request) {
    const token = transport.accessTokenOf(request)
    if (token === undefined && !optional) throw failure('not_authenticated')
    const verified = token === undefined ? undefined : accessTokens.verify(token, clock())
    const identity = verified && !stateless ? await identify(verified, maxAge).catch(error => { throw asThrown(error) }) : undefined
    // Of two hooks of one request the last counts, alone.
    note(claims, request, verified)
    note(identities, request, identity)
    // The app's own type of the user follows from its options; what is stored was checked against them. It knows no null:
    // behind a plain `authenticate` there is none.
    request.user = (identity ? accounts.toUser(identity.user) : null) as unknown as User
  }, { cookie, optional })

  async function identify ({ sub, sid }: Claims, maxAge: number): Promise<Identity> {
    const now = clock()
    const found = await findUserAndSession(db, sub, sid)
    if (!found) throw failure('user_not_found')
    const { user, session } = found
    if (!user.isActive) throw failure('user_inactive')
    if (!session || session.expiresAt <= now) throw failure('token_not_valid')
    if (ageOf(session, now) > maxAge) throw tooOld(maxAge)
    if (now.getTime() - session.lastSeenAt.getTime() >= touchEvery) await touchSession(db, session.id, now)
    return { user, sessionId: session.id, authenticatedAt: authenticatedAtOf(session) }
  }

  const plain = hookOf({})
  function authenticate (given: CheckedAuthentication): AuthenticateHook
  function authenticate (given: FastifyRequest): Promise<void>
  function authenticate (given: FastifyRequest | CheckedAuthentication) {
    return 'raw' in given ? plain(given) : hookOf(checked(given))
  }
  return { authenticate: locks(authenticate, { cookie }), claims: (request => claims.get(request) ?? null) satisfies RestAuth['claims'] }
}

function note<T> (of: WeakMap<FastifyRequest, T>, request: FastifyRequest, value: T | undefined): void {
  if (value === undefined) of.delete(request)
  else of.set(request, value)
}

export type Authenticate = ReturnType<typeof createAuthenticate>['authenticate']

function checked (options: CheckedAuthentication): CheckedAuthentication {
  for (const error of Value.Errors(Authentication, options)) refuse(`authenticate: ${describe(error)}`)
  if (options.stateless && options.maxAge !== undefined) refuse('authenticate: maxAge: needs the session, which stateless does not look up')
  return options
}

/** Seconds since the password was last given. */
const ageOf = (session: SessionRow, now: Date) => (now.getTime() - authenticatedAtOf(session).getTime()) / 1000
const authenticatedAtOf = ({ authenticatedAt, createdAt }: SessionRow) => authenticatedAt ?? createdAt

/** RFC 9470 §3: the challenge says how recent it must be. */
const tooOld = (maxAge: number) => new Failure('reauthentication_required', {
  headers: { 'www-authenticate': `Bearer realm="api", error="insufficient_user_authentication", error_description="Confirm your password", max_age="${maxAge}"` }
})

/** The stored user and the session of an authenticated request. */
export function identityOf (request: FastifyRequest): Identity {
  const identity = identities.get(request)
  if (!identity) throw failure('not_authenticated')
  return identity
}
