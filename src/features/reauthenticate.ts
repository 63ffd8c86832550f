/**
 * Step-up authentication: a user enters the password again, for routes with `authenticate({ maxAge })`.
 *
 *   POST /reauthenticate
 */
import type { Feature } from '../context.js'
import { Failure, fieldError } from '../errors/failure.js'
import { networkOf } from '../lib/network.js'
import { withdrawnIfUnchecked } from '../limits/limiter.js'
import { authenticatedUserOf } from '../session/authenticate.js'
import { storedAmr } from '../session/authentication-event.js'
import { renewSession } from '../store/sessions.js'

export const reauthenticate: Feature = (app, { contract, db, clock, events, limits, passwords, authenticate }) => {
  app.post('/reauthenticate', { schema: contract.reauthenticate, onRequest: authenticate }, async request => {
    const { user, sessionId, authentication } = authenticatedUserOf(request)
    const attempt = await limits.count('reauthenticate', request, { account: user.pk })
    const matches = await withdrawnIfUnchecked(attempt, async () =>
      await passwords.verify(user.passwordHash, request.body.password, networkOf(request.ip)))
    // The session may have ended, or the password changed, while the hash was being verified.
    const renewed = { authenticatedAt: clock(), amr: storedAmr([...authentication.amr, 'pwd']) }
    const isConfirmed = matches && await renewSession(db, sessionId, user, renewed)
    const type = isConfirmed ? 'reauthenticated' : 'reauthentication_failed'
    await events.record(db, request, { type, userPk: user.pk, sessionId })
    if (!isConfirmed) {
      throw new Failure('validation_error', { fields: [fieldError('password', 'incorrect_password')] })
    }
    await attempt.succeeded()
    return { detail: 'Password confirmed.' }
  })
}
