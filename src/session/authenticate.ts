/** Reads session and user at each request: logout, deactivation and a new password take effect with the next one. */
import { Errors } from '@sinclair/typebox/errors'
import type { FastifyRequest } from 'fastify'
import { Authentication, type CheckedAuthentication } from '../../schemas/options/authenticate.js'
import type { UserRecords } from '../account/user-records.js'
import type { AccessClaims, AuthenticateHook } from '../api-types.js'
import type { Database } from '../db/database.js'
import type { UserRow } from '../db/tables.js'
import { redactForHost, failure, Failure } from '../errors/failure.js'
import { declareSecurity } from '../http/openapi-security.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { RestAuth } from '../rest-auth.js'
import { authenticatingCookie, type CookieSettings } from '../settings/cookies.js'
import { optionError } from '../settings/option-errors.js'
import type { User } from '../types.js'
import type { AccessTokens, Claims } from './access-tokens.js'
import { authenticationOf, type AuthenticationEvent } from './authentication-event.js'
import { createSessionLookup, type PresentedToken } from './session-lookup.js'
import type { Sessions } from './sessions.js'
import type { TokenTransport } from './token-transport.js'

interface AuthenticatedUser {
  user: UserRow
  sessionId: string
  /** When and how the user last proved who they are. */
  authentication: Required<AuthenticationEvent>
}

// Not a property of the request: there, a log or serializer of the host could find the password hash.
const identities = new WeakMap<FastifyRequest, AuthenticatedUser>()

/** How old an authentication may be for what changes the ways to log in (ASVS 7.5.1). */
export const recentSeconds = 300

interface AuthenticateOptions {
  db: Database
  clock: () => Date
  /** Undefined: a session has a key. */
  accessTokens: AccessTokens | undefined
  sessions: Sessions
  tokenTransport: TokenTransport
  userRecords: UserRecords
  cookies: CookieSettings | undefined
}

/** The hook that `app.authenticate` is, and `claims` to read the claims of the token that it verified. */
export function createAuthenticate (options: AuthenticateOptions) {
  const { db, clock, accessTokens, sessions, tokenTransport, userRecords, cookies } = options
  const cookie = authenticatingCookie(cookies)
  const { find, recordUse } = createSessionLookup(db, sessions)
  const verifiedClaims = new WeakMap<FastifyRequest, Claims>()

  function createHook ({ optional = false, stateless = false, maxAge }: CheckedAuthentication): AuthenticateHook {
    return declareSecurity(async function authenticate (request) {
      const token = tokenTransport.readAccessToken(request)
      if (token === undefined && !optional) throw failure('not_authenticated')
      const claims = token === undefined ? undefined : accessTokens?.verify(token, clock())
      const identity = token === undefined || stateless ? undefined : await identify({ token, claims }, maxAge)
      // If two hooks run for one request, only the last counts.
      setOrDelete(verifiedClaims, request, claims)
      setOrDelete(identities, request, identity)
      // The app's `User` follows from the options that the stored row was checked against. It leaves null out, because
      // behind a plain `authenticate` there always is a user.
      request.user = (identity ? await userRecords.toRequestUser(identity.user) : null) as unknown as User
    }, { cookie, optional })
  }

  async function identify (presented: PresentedToken, maxAge?: number): Promise<AuthenticatedUser> {
    try {
      return await findAuthenticated(presented, maxAge)
    } catch (error) {
      throw redactForHost(error)
    }
  }

  async function findAuthenticated (presented: PresentedToken, maxAge = Infinity): Promise<AuthenticatedUser> {
    const now = clock()
    const { user, session } = await find(presented, now)
    if (!user.isActive) throw failure('user_inactive')
    if (!session || session.expiresAt <= now) throw failure('token_not_valid')
    const authentication = authenticationOf(session)
    if (ageSeconds(authentication.authenticatedAt, now) > maxAge) throw reauthenticationRequired(maxAge)
    await recordUse(session, presented, now)
    return { user, sessionId: session.id, authentication }
  }

  const plain = createHook({})
  function authenticate (given: CheckedAuthentication): AuthenticateHook
  function authenticate (given: FastifyRequest): Promise<void>
  function authenticate (given: FastifyRequest | CheckedAuthentication) {
    return 'raw' in given ? plain(given) : createHook(checked(given, accessTokens !== undefined))
  }

  // Its own claims are those that the app's options made.
  const claims: RestAuth['claims'] = request => (verifiedClaims.get(request) ?? null) as AccessClaims | null
  return { authenticate: declareSecurity(authenticate, { cookie }), claims }
}

export type Authenticate = ReturnType<typeof createAuthenticate>['authenticate']

function setOrDelete<T> (of: WeakMap<FastifyRequest, T>, request: FastifyRequest, value: T | undefined): void {
  if (value === undefined) of.delete(request)
  else of.set(request, value)
}

/** Throws an Error for an invalid option, as far as that does not depend on the options of the plugin. */
export function checkAuthentication (options: CheckedAuthentication): void {
  for (const error of Errors(Authentication, options)) refuseOption(`authenticate: ${optionError(error)}`)
  if (options.stateless && options.maxAge !== undefined) {
    refuseOption('authenticate: maxAge: needs the session, which stateless does not look up')
  }
}

function checked (options: CheckedAuthentication, hasClaims: boolean): CheckedAuthentication {
  checkAuthentication(options)
  if (options.stateless && !hasClaims) {
    refuseOption("authenticate: stateless: is not possible when tokens.format is 'opaque': a key holds no claims")
  }
  return options
}

const ageSeconds = (time: Date, now: Date) => (now.getTime() - time.getTime()) / 1000

/** RFC 9470 §3: the challenge contains the maximum age, in seconds. */
const reauthenticationRequired = (maxAge: number) => new Failure('reauthentication_required', {
  headers: {
    'www-authenticate':
      'Bearer realm="api", error="insufficient_user_authentication", ' +
      `error_description="Confirm your password", max_age="${maxAge}"`
  }
})

/** The stored user and the session of an authenticated request; throws `not_authenticated` for any other. */
export function authenticatedUserOf (request: FastifyRequest): AuthenticatedUser {
  const identity = identities.get(request)
  if (!identity) throw failure('not_authenticated')
  return identity
}

/** For a route that needs a recent authentication only for some of its requests: throws unless there was one. */
export function requireRecentAuthentication (request: FastifyRequest, now: Date): void {
  if (ageSeconds(authenticatedUserOf(request).authentication.authenticatedAt, now) > recentSeconds) {
    throw reauthenticationRequired(recentSeconds)
  }
}
