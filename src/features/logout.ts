/**
 * Ends sessions on the server and deletes the cookies.
 *
 *   POST /logout       ends the session of the access token, the refresh token, or both; expired or unknown tokens
 *                      are not an error
 *   POST /logout/all   ends all sessions of the user
 */
import type { FastifyRequest } from 'fastify'
import type { Feature } from '../context.js'
import { authenticatedUserOf } from '../session/authenticate.js'
import { deleteSessionOfRefreshToken } from '../store/refresh-tokens.js'
import { deleteSession, deleteSessions } from '../store/sessions.js'

export const logout: Feature = (app, context) => {
  const { contract, db, events, accessTokens, sessions, tokenTransport, authenticate } = context

  app.post('/logout', { schema: contract.logout }, async (request, reply) => {
    for (const token of tokenTransport.presentedTokens(request, request.body)) await endSessionOf(token, request)
    tokenTransport.clear(reply)
    return { detail: 'Successfully logged out.' }
  })

  app.post('/logout/all', { schema: contract.logoutAll, onRequest: authenticate }, async (request, reply) => {
    const { user: { pk }, sessionId } = authenticatedUserOf(request)
    await db.transaction(async tx => {
      await deleteSessions(tx, pk)
      await events.record(tx, request, { type: 'sessions_ended', userPk: pk, sessionId })
    })
    tokenTransport.clear(reply)
    return { detail: 'Successfully logged out.' }
  })

  async function endSessionOf (token: string, request: FastifyRequest): Promise<void> {
    // An expired token still identifies its session, and ending that session does no harm.
    const claims = accessTokens?.read(token)
    await db.transaction(async tx => {
      const ended = claims
        ? await deleteSession(tx, claims.sid)
        : await deleteSessionOfRefreshToken(tx, sessions.refreshKeys(token))
      if (!ended) return
      await events.record(tx, request, { type: 'logged_out', userPk: ended.userPk, sessionId: ended.id })
    })
  }
}
