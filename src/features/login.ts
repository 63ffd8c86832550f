/**
 * Logs a user in with an identifier (e-mail address or username) and a password.
 *
 *   POST /login
 *
 * An unknown identifier, a wrong password and a deactivated account return the same error after the same work.
 * `email_not_verified` requires the correct password, so it reveals no account.
 */
import { identifierIn } from '../../schemas/login.js'
import type { Feature } from '../context.js'
import type { UserRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { canonicalEmail } from '../lib/email.js'
import { networkOf } from '../lib/network.js'
import { usernameKey } from '../lib/username.js'
import { byPassword } from '../session/authentication-event.js'
import { findUserByEmail, findUserByUsername } from '../store/users.js'

type Find = () => Promise<UserRow | undefined>

interface Guess {
  /** The identifier, in canonical form. */
  account: string
  /** The network that it comes from. */
  client: string
  password: string
}

export const login: Feature = (app, { settings, contract, db, limits, lockout, passwords, sessions }) => {
  const { loginMethods } = settings.account

  app.post('/login', { schema: contract.login }, async (request, reply) => {
    const { email, username, password } = request.body
    if (!email && !username) throw failure('identifier_required', { identifier: identifierIn(loginMethods) })
    const [account, client] = [accountOf(email || username), networkOf(request.ip)]
    const attempt = await limits.count('login', request, { account })
    const found = await findByPassword(lookupsOf(email, username), { account, client, password })
    if (!found) throw failure('invalid_credentials')

    const passwordHash = passwords.isOutdated(found.passwordHash ?? '', password)
      ? await passwords.hash(password, client)
      : undefined
    // Verifying the hash takes long enough for the account to be deactivated or the password to be changed.
    const loggedIn = await sessions.logInIfUnchanged(db, found, request, {
      ...byPassword,
      orElse: 'invalid_credentials',
      passwordHash
    })
    await attempt.succeeded()
    await lockout.clear(loggedIn.user)
    return await sessions.respond(db, loggedIn, request, reply)
  })

  /** The identifier in the form in which the lookups compare it. */
  const accountOf = (identifier = '') => canonicalEmail(identifier) ?? usernameKey(identifier)

  /** Whom the identifiers may name, the likeliest first. If both are sent, the address counts, as in dj-rest-auth. */
  function lookupsOf (email?: string, username = ''): Find[] {
    const byAddress = canonicalEmail(email || username)
    const owner: Find = async () => byAddress === undefined ? undefined : await findUserByEmail(db, byAddress)
    const named: Find = async () => await findUserByUsername(db, username)
    if (email) return [owner]
    // A form may have one field for both.
    return loginMethods.length === 2 && byAddress !== undefined ? [owner, named] : [named]
  }

  /**
   * The first user whose password it is. Every lookup costs the same work, also if it finds nobody: a user whose name
   * spells an address could otherwise learn from the time of their own login whether the address has an account.
   */
  async function findByPassword (
    lookups: readonly Find[], { account, client, password }: Guess
  ): Promise<UserRow | undefined> {
    const tried: UserRow[] = []
    for (const find of lookups) {
      const found = await find()
      const isOpen = !await lockout.isLocked(found) && found?.isActive
      // A deactivated account counts as unknown, and so does a locked one: with the right password, too, the whole
      // work is done.
      const matches = await passwords.verify(isOpen ? found.passwordHash : undefined, password, client)
      if (found && matches) return found
      if (found?.isActive) tried.push(found)
    }
    await lockout.recordFailure(tried[0], account)
    return undefined
  }
}
