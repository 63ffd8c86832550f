/**
 * An identifier and its password open a session.
 *
 *   POST /login   unknown, wrong, deactivated: one answer, after the same work; unverified is told only who knows the password
 */
import type { Feature } from '../context.js'
import type { UserRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { canonicalEmail } from '../lib/email.js'
import { usernameKey } from '../lib/username.js'
import { findUserByEmail, findUserByUsername, recordLogin } from '../store/users.js'

export const login: Feature = (app, { settings, contract, db, clock, userRecords, passwords, sessions }) => {
  const { loginMethods, emailVerification } = settings.account
  const identifier = loginMethods.length === 2 ? 'either "username" or "email"' : `"${loginMethods[0]}"`

  app.post('/login', { schema: contract.login }, async (request, reply) => {
    const { email, username, password } = request.body
    if (!email && !username) throw failure('identifier_required', { identifier })
    const found = await findByIdentifier(email, username)
    const matches = await passwords.verify(found?.passwordHash, password)
    if (!found || !matches || !found.isActive) throw failure('invalid_credentials')
    if (emailVerification === 'mandatory' && !found.emailVerified) throw failure('email_not_verified')

    const rehashed = passwords.isOutdated(found.passwordHash ?? '')
      ? { passwordHash: await passwords.hash(password) }
      : {}
    const session = sessions.create(found.pk, request)
    const row = await db.transaction(async tx => {
      const user = await recordLogin(tx, found, { lastLogin: clock(), ...rehashed })
      // Deactivated, or its password changed, while the hash was being verified.
      if (!user) throw failure('invalid_credentials')
      await sessions.insert(tx, session)
      return user
    })

    return await sessions.respond(db, session, userRecords.toUser(row), request, reply)
  })

  /** Where both are sent the address counts, as in dj-rest-auth. */
  async function findByIdentifier (
    email: string | undefined,
    username: string | undefined
  ): Promise<UserRow | undefined> {
    if (!email) return await findUserByUsername(db, usernameKey(username ?? ''))
    const canonical = canonicalEmail(email)
    return canonical === undefined ? undefined : await findUserByEmail(db, canonical)
  }
}
