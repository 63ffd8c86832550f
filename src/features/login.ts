/**
 * Logs a user in with an identifier (e-mail address or username) and a password.
 *
 *   POST /login
 *
 * An unknown identifier, a wrong password and a deactivated account return the same error after the same work.
 * `email_not_verified` requires the correct password, so it reveals no account.
 */
import type { FastifyRequest } from 'fastify'
import { identifierIn } from '../../schemas/login.js'
import { identifierKey } from '../account/identifier-key.js'
import type { Feature } from '../context.js'
import type { UserRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { canonicalEmail } from '../lib/email.js'
import { masked } from '../lib/mask.js'
import { networkOf } from '../lib/network.js'
import { withdrawnIfUnchecked } from '../limits/limiter.js'
import { byPassword } from '../session/authentication-event.js'
import { findUserByEmail, findUserByUsername } from '../store/users.js'

type Find = () => Promise<UserRow | undefined>

/** Whom an identifier may name. */
interface Candidate {
  user: UserRow | undefined
  /** The ID of the trusted device that sends the request; undefined if it is not one of this user's. */
  device: string | undefined
}

interface Guess {
  /** The identifier, in canonical form. */
  account: string
  /** The network that it comes from. */
  client: string
  password: string
}

export const login: Feature = (app, context) => {
  const { settings, contract, db, events, limits, lockout, trustedDevices, tokenTransport, passwords, sessions } =
    context
  const { loginMethods } = settings.account
  const isLimited = settings.limits.actions.has('login') || settings.limits.lockout !== undefined

  app.post('/login', { schema: contract.login }, async (request, reply) => {
    const { email, username, password } = request.body
    if (!email && !username) throw failure('identifier_required', { identifier: identifierIn(loginMethods) })
    const guess: Guess = { account: identifierKey(email, username), client: networkOf(request.ip), password }
    const candidates = await findAll(lookupsOf(email, username), tokenTransport.readDeviceToken(request))
    const device = onlyDeviceOf(candidates)
    const attempt = await limits.count('login', request, {
      account: device === undefined ? guess.account : `device ${device}`
    })
    const check = async () => await findByPassword(candidates, guess, request)
    // Of two candidates, the first may have been checked when the queue was full for the second.
    const found = candidates.length === 1 ? await withdrawnIfUnchecked(attempt, check) : await check()
    if (!found) throw await failed(request, guess, candidates)

    const loggedIn = await logIn(found.user, guess, request).catch(async error => {
      await attempt.withdraw()
      throw error
    })
    // A user whose name is the address of another one must not clear the failures of that one.
    if (found.user === candidates[0]?.user) await attempt.succeeded()
    else await attempt.withdraw()
    await lockout.clear(found.user, found.device)
    const body = await sessions.respond(db, loggedIn, request, reply)
    if (isLimited && found.device === undefined) {
      tokenTransport.sendDeviceToken(reply, trustedDevices.issue(found.user.pk))
    }
    return body
  })

  async function failed (request: FastifyRequest, { account }: Guess, candidates: readonly Candidate[]) {
    const [known, ...others] = candidates.flatMap(({ user }) => user?.pk ?? [])
    // If it may name two users, it was not meant for a certain one.
    const userPk = others.length === 0 ? known : undefined
    await events.record(db, request, { type: 'login_failed', userPk, identifier: masked(account) })
    return failure('invalid_credentials')
  }

  async function logIn (user: UserRow, { client, password }: Guess, request: FastifyRequest) {
    const passwordHash = passwords.isOutdated(user.passwordHash ?? '', password)
      ? await passwords.hash(password, client)
      : undefined
    // Verifying the hash takes long enough for the account to be deactivated or the password to be changed.
    return await sessions.logInIfUnchanged(db, user, request, {
      ...byPassword,
      orElse: 'invalid_credentials',
      passwordHash
    })
  }

  /** Whom the identifiers may name, the likeliest first. If both are sent, the address counts, as in dj-rest-auth. */
  function lookupsOf (email?: string, username = ''): Find[] {
    const byAddress = canonicalEmail(email || username)
    const owner: Find = async () => byAddress === undefined ? undefined : await findUserByEmail(db, byAddress)
    const named: Find = async () => await findUserByUsername(db, username)
    if (email) return [owner]
    // A form may have one field for both.
    return loginMethods.length === 2 && byAddress !== undefined ? [owner, named] : [named]
  }

  async function findAll (lookups: readonly Find[], deviceToken: string | undefined): Promise<Candidate[]> {
    const found: Candidate[] = []
    for (const find of lookups) {
      const user = await find()
      found.push({ user, device: user && trustedDevices.idOf(deviceToken, user.pk) })
    }
    return found
  }

  /**
   * The first user whose password it is. Every candidate costs the same work, also one that does not exist: a user
   * whose name spells an address could otherwise learn from the time of their own login whether it has an account.
   */
  async function findByPassword (
    candidates: readonly Candidate[], { account, client, password }: Guess, request: FastifyRequest
  ): Promise<Candidate & { user: UserRow } | undefined> {
    for (const { user, device } of candidates) {
      const isLocked = await lockout.isLocked(user, device)
      // Deactivated and locked accounts count as unknown: with the right password, too, the whole work is done.
      const hash = user?.isActive && !isLocked ? user.passwordHash : undefined
      const matches = await passwords.verify(hash, password, client)
      if (user && matches) return { user, device }
    }
    for (const { user, device } of candidates) {
      await lockout.recordFailure(user?.isActive ? user : undefined, { identifier: account, device, request })
    }
    return undefined
  }
}

/**
 * The trusted device, for an identifier that names one user. If it names two, one of them could have guesses at the
 * other counted at devices of their own.
 */
function onlyDeviceOf (candidates: readonly Candidate[]): string | undefined {
  const [known, ...others] = candidates.filter(({ user }) => user !== undefined)
  return others.length === 0 ? known?.device : undefined
}
