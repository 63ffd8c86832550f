/**
 * A user sees where he is logged in, and ends what he does not know (ASVS 7.5.2).
 *
 *   GET    /sessions
 *   DELETE /sessions/:id   another user's, and one that is over, are not found
 */
import { validate as isUuid } from 'uuid'
import type { Feature } from '../context.js'
import type { SessionRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { authenticatedUserOf } from '../session/authenticate.js'
import { deleteOwnSession, listLiveSessions } from '../store/sessions.js'

export const sessions: Feature = (app, { contract, db, clock, authenticate }) => {
  app.get('/sessions', { schema: contract.listSessions, onRequest: authenticate }, async request => {
    const { user, sessionId } = authenticatedUserOf(request)
    const rows = await listLiveSessions(db, user.pk, sessionId, clock())
    return rows.map(row => toAnswer(row, sessionId))
  })

  app.delete<{ Params: { id: string } }>(
    '/sessions/:id',
    { schema: contract.endSession, onRequest: authenticate },
    async (request, reply) => {
      const { id } = request.params
      // Not everything that an address can hold is text to PostgreSQL.
      if (!isUuid(id) || !(await deleteOwnSession(db, authenticatedUserOf(request).user.pk, id))) { throw failure('not_found') }
      reply.code(204)
    }
  )
}

const toAnswer = ({ id, ip, userAgent, createdAt, lastSeenAt, expiresAt }: SessionRow, current: string) => ({
  id,
  ip,
  user_agent: userAgent,
  created_at: createdAt.toISOString(),
  last_seen_at: lastSeenAt.toISOString(),
  expires_at: expiresAt.toISOString(),
  current: id === current
})
