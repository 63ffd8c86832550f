/**
 * Logs a user in with an identifier (e-mail address or username) and a password.
 *
 *   POST /login
 *
 * An unknown identifier, a wrong password and a deactivated account return the same error after the same work.
 * `email_not_verified` requires the correct password, so it reveals no account.
 */
import type { Feature } from '../context.js'
import type { UserRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { canonicalEmail } from '../lib/email.js'
import { findUserByEmail, findUserByUsername } from '../store/users.js'

export const login: Feature = (app, { settings, contract, db, userRecords, passwords, sessions }) => {
  const { loginMethods, emailVerification } = settings.account
  const identifier = loginMethods.length === 2 ? 'either "username" or "email"' : `"${loginMethods[0]}"`

  app.post('/login', { schema: contract.login }, async (request, reply) => {
    const { email, username, password } = request.body
    if (!email && !username) throw failure('identifier_required', { identifier })
    const found = await findByIdentifier(email, username)
    // A deactivated account counts as unknown: with the right password, too, the whole work is done.
    const matches = await passwords.verify(found?.isActive ? found.passwordHash : undefined, password)
    if (!found || !matches) throw failure('invalid_credentials')
    if (emailVerification === 'mandatory' && !found.emailVerified) throw failure('email_not_verified')

    const passwordHash = passwords.isOutdated(found.passwordHash ?? '', password)
      ? await passwords.hash(password)
      : undefined
    // Verifying the hash takes long enough for the account to be deactivated or the password to be changed.
    const { session, user } = await sessions.logInIfUnchanged(db, found, request, {
      orElse: 'invalid_credentials',
      passwordHash
    })
    return await sessions.respond(db, session, userRecords.toUser(user), request, reply)
  })

  /** If both are sent, the address counts, as in dj-rest-auth. */
  async function findByIdentifier (email?: string, username = ''): Promise<UserRow | undefined> {
    if (email) return await findByAddress(email)
    // A form may have one field for both. The owner of an address comes first: a username cannot take its place.
    const owner = loginMethods.length === 2 ? await findByAddress(username) : undefined
    return owner ?? await findUserByUsername(db, username)
  }

  async function findByAddress (email: string): Promise<UserRow | undefined> {
    const canonical = canonicalEmail(email)
    return canonical === undefined ? undefined : await findUserByEmail(db, canonical)
  }
}
