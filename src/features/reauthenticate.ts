/**
 * Before what matters, who is logged in shows to be there still: `authenticate({ maxAge })` asks for it.
 *
 *   POST /reauthenticate
 */
import type { Feature } from '../context.js'
import { Failure, fieldError } from '../errors/failure.js'
import { authenticatedUserOf } from '../session/authenticate.js'
import { renewSession } from '../store/sessions.js'

export const reauthenticate: Feature = (app, { contract, db, clock, passwords, authenticate }) => {
  app.post('/reauthenticate', { schema: contract.reauthenticate, onRequest: authenticate }, async request => {
    const { user, sessionId } = authenticatedUserOf(request)
    const matches = await passwords.verify(user.passwordHash, request.body.password)
    // The session, or the password that was verified, may be gone by now.
    if (!matches || !(await renewSession(db, sessionId, user, clock()))) { throw new Failure('validation_error', { fields: [fieldError('password', 'incorrect_password')] }) }
    return { detail: 'Password confirmed.' }
  })
}
