/**
 * Who sends this request? Its access token is verified, then its session and its user are looked up, in one
 * indexed query: so that logout, deactivation and a changed password count from the next request on.
 */
import { Value } from '@sinclair/typebox/value'
import type { FastifyRequest } from 'fastify'
import { Authentication, type CheckedAuthentication } from '../../schemas/options/authenticate.js'
import type { UserRecords } from '../account/user-records.js'
import type { Database } from '../db/database.js'
import type { SessionRow, UserRow } from '../db/tables.js'
import { redactForHost, failure, Failure } from '../errors/failure.js'
import { declareSecurity } from '../http/openapi-security.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { AuthenticateHook, RestAuth } from '../rest-auth.js'
import { optionError } from '../settings/option-errors.js'
import { findUserAndSession, touchSession } from '../store/sessions.js'
import type { User } from '../types.js'
import type { AccessTokens, Claims } from './access-tokens.js'
import type { TokenTransport } from './token-transport.js'

interface AuthenticatedUser {
  user: UserRow
  sessionId: string
  /** When the password was last given, or the provider asked. */
  authenticatedAt: Date
}

// Beside the request, not on it: no log and no serializer of the host's meets the password hash here.
const identities = new WeakMap<FastifyRequest, AuthenticatedUser>()

// Milliseconds.
const touchIntervalMs = 60_000

interface AuthenticateOptions {
  db: Database
  clock: () => Date
  accessTokens: AccessTokens
  tokenTransport: TokenTransport
  userRecords: UserRecords
  /** Name of the cookie that the access token travels in, if it does. */
  cookie: string | undefined
}

export function createAuthenticate ({ db, clock, accessTokens, tokenTransport, userRecords, cookie }: AuthenticateOptions) {
  const claims = new WeakMap<FastifyRequest, Claims>()

  const createHook = ({ optional = false, stateless = false, maxAge = Infinity }: CheckedAuthentication): AuthenticateHook => declareSecurity(async function authenticate (request) {
    const token = tokenTransport.readAccessToken(request)
    if (token === undefined && !optional) throw failure('not_authenticated')
    const verified = token === undefined ? undefined : accessTokens.verify(token, clock())
    const identity =
      verified && !stateless
        ? await identify(verified, maxAge).catch(error => {
          throw redactForHost(error)
        })
        : undefined
    // Of two hooks of one request the last counts, alone.
    setOrDelete(claims, request, verified)
    setOrDelete(identities, request, identity)
    // The app's own type of the user follows from its options; what is stored was checked against them. It knows no null:
    // behind a plain `authenticate` there is none.
    request.user = (identity ? userRecords.toUser(identity.user) : null) as unknown as User
  }, { cookie, optional })

  async function identify ({ sub, sid }: Claims, maxAge: number): Promise<AuthenticatedUser> {
    const now = clock()
    const found = await findUserAndSession(db, sub, sid)
    if (!found) throw failure('user_not_found')
    const { user, session } = found
    if (!user.isActive) throw failure('user_inactive')
    if (!session || session.expiresAt <= now) throw failure('token_not_valid')
    if (ageOf(session, now) > maxAge) throw reauthenticationRequired(maxAge)
    if (now.getTime() - session.lastSeenAt.getTime() >= touchIntervalMs) await touchSession(db, session.id, now)
    return { user, sessionId: session.id, authenticatedAt: authenticatedAtOf(session) }
  }

  const plain = createHook({})
  function authenticate (given: CheckedAuthentication): AuthenticateHook
  function authenticate (given: FastifyRequest): Promise<void>
  function authenticate (given: FastifyRequest | CheckedAuthentication) {
    return 'raw' in given ? plain(given) : createHook(checked(given))
  }
  return {
    authenticate: declareSecurity(authenticate, { cookie }),
    claims: (request => claims.get(request) ?? null) satisfies RestAuth['claims']
  }
}

function setOrDelete<T> (of: WeakMap<FastifyRequest, T>, request: FastifyRequest, value: T | undefined): void {
  if (value === undefined) of.delete(request)
  else of.set(request, value)
}

export type Authenticate = ReturnType<typeof createAuthenticate>['authenticate']

function checked (options: CheckedAuthentication): CheckedAuthentication {
  for (const error of Value.Errors(Authentication, options)) refuseOption(`authenticate: ${optionError(error)}`)
  if (options.stateless && options.maxAge !== undefined) { refuseOption('authenticate: maxAge: needs the session, which stateless does not look up') }
  return options
}

/** Seconds since the password was last given. */
const ageOf = (session: SessionRow, now: Date) => (now.getTime() - authenticatedAtOf(session).getTime()) / 1000
const authenticatedAtOf = ({ authenticatedAt, createdAt }: SessionRow) => authenticatedAt ?? createdAt

/** RFC 9470 §3: the challenge says how recent it must be. */
const reauthenticationRequired = (maxAge: number) => new Failure('reauthentication_required', {
  headers: {
    'www-authenticate': `Bearer realm="api", error="insufficient_user_authentication", error_description="Confirm your password", max_age="${maxAge}"`
  }
})

/** The stored user and the session of an authenticated request. */
export function authenticatedUserOf (request: FastifyRequest): AuthenticatedUser {
  const identity = identities.get(request)
  if (!identity) throw failure('not_authenticated')
  return identity
}
