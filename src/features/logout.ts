/**
 * Ends sessions on the server and deletes the cookies.
 *
 *   POST /logout       ends the session of the access token, the refresh token, or both; expired or unknown tokens
 *                      are not an error
 *   POST /logout/all   ends all sessions of the user
 */
import type { Feature } from '../context.js'
import { authenticatedUserOf } from '../session/authenticate.js'
import { deleteSessionOfRefreshToken } from '../store/refresh-tokens.js'
import { deleteSession, deleteSessions } from '../store/sessions.js'

export const logout: Feature = (app, { contract, db, accessTokens, sessions, tokenTransport, authenticate }) => {
  app.post('/logout', { schema: contract.logout }, async (request, reply) => {
    for (const token of tokenTransport.presentedTokens(request, request.body)) await endSessionOf(token)
    tokenTransport.clear(reply)
    return { detail: 'Successfully logged out.' }
  })

  app.post('/logout/all', { schema: contract.logoutAll, onRequest: authenticate }, async (request, reply) => {
    await deleteSessions(db, authenticatedUserOf(request).user.pk)
    tokenTransport.clear(reply)
    return { detail: 'Successfully logged out.' }
  })

  async function endSessionOf (token: string): Promise<void> {
    // An expired token still identifies its session, and ending that session does no harm.
    const claims = accessTokens?.read(token)
    if (claims) await deleteSession(db, claims.sid)
    else await deleteSessionOfRefreshToken(db, sessions.refreshKeys(token))
  }
}
