/**
 * Sessions end on the server.
 *
 *   POST /logout       that of the access token, of the refresh token, or of both; stale or unknown ones are no error
 *   POST /logout/all   every one of the user
 */
import { bearerToken, identityOf } from '../authenticate.js'
import type { Feature } from '../context.js'
import { readRefresh } from '../sessions.js'
import { deleteSessionOfRefreshToken } from '../store/refresh-tokens.js'
import { deleteSession, deleteSessions } from '../store/sessions.js'

export const logout: Feature = (app, { contract, db, accessTokens, sessions, authenticate }) => {
  app.post('/logout', { schema: contract.logout }, async request => {
    const claims = request.headers.authorization ? readBearer(request) : undefined
    if (claims) await deleteSession(db, claims.sid)
    const refresh = readRefresh(request.body)
    if (refresh !== undefined) await deleteSessionOfRefreshToken(db, sessions.refreshDigest(refresh))
    return { detail: 'Successfully logged out.' }
  })

  app.post('/logout/all', { schema: contract.logoutAll, onRequest: authenticate }, async request => {
    await deleteSessions(db, identityOf(request).user.pk)
    return { detail: 'Successfully logged out.' }
  })

  /** An expired token still names its session, and ending it harms nobody. */
  function readBearer (request: Parameters<typeof bearerToken>[0]) {
    try {
      return accessTokens.read(bearerToken(request))
    } catch {
      return undefined
    }
  }
}
