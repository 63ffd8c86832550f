/**
 * Sessions end on the server, and cookies are taken back.
 *
 *   POST /logout       that of the access token, of the refresh token, or of both; stale or unknown ones are no error
 *   POST /logout/all   every one of the user
 */
import type { Feature } from '../context.js'
import { authenticatedUserOf } from '../session/authenticate.js'
import { deleteSessionOfRefreshToken } from '../store/refresh-tokens.js'
import { deleteSession, deleteSessions } from '../store/sessions.js'

export const logout: Feature = (app, { contract, db, accessTokens, sessions, tokenTransport, authenticate }) => {
  app.post('/logout', { schema: contract.logout }, async (request, reply) => {
    // An expired token still names its session, and ending it harms nobody.
    const access = ifThereIs(() => tokenTransport.readAccessToken(request))
    const claims = access && accessTokens.read(access)
    if (claims) await deleteSession(db, claims.sid)
    const refresh = ifThereIs(() => tokenTransport.readRefreshToken(request, request.body))
    if (refresh) await deleteSessionOfRefreshToken(db, sessions.refreshDigest(refresh))
    tokenTransport.clear(reply)
    return { detail: 'Successfully logged out.' }
  })

  app.post('/logout/all', { schema: contract.logoutAll, onRequest: authenticate }, async (request, reply) => {
    await deleteSessions(db, authenticatedUserOf(request).user.pk)
    tokenTransport.clear(reply)
    return { detail: 'Successfully logged out.' }
  })
}

function ifThereIs (find: () => string | undefined): string | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}
