/**
 * Shows users where they are logged in and lets them end any of these sessions (ASVS 7.5.2).
 *
 *   GET    /sessions       lists the user's sessions
 *   DELETE /sessions/:id   ends one; returns 404 if it has ended or belongs to another user
 */
import { validate as isUuid } from 'uuid'
import type { Feature } from '../context.js'
import type { SessionRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { authenticatedUserOf } from '../session/authenticate.js'
import { shownLastSeen } from '../session/last-seen.js'
import { deleteOwnSession, listLiveSessions } from '../store/sessions.js'
import { readPage } from '../validation/page-query.js'

export const sessions: Feature = (app, { contract, db, clock, events, authenticate }) => {
  app.get('/sessions', { schema: contract.listSessions, onRequest: authenticate }, async request => {
    const { user, sessionId } = authenticatedUserOf(request)
    const rows = await listLiveSessions(db, user.pk, { current: sessionId, now: clock(), ...readPage(request) })
    return rows.map(row => toListItem(row, sessionId))
  })

  app.delete<{ Params: { id: string } }>(
    '/sessions/:id',
    { schema: contract.endSession, onRequest: authenticate },
    async (request, reply) => {
      const { id } = request.params
      const { user: { pk } } = authenticatedUserOf(request)
      // PostgreSQL rejects some text that a URL can contain, such as NUL.
      await db.transaction(async tx => {
        if (!isUuid(id) || !await deleteOwnSession(tx, pk, id)) throw failure('not_found')
        await events.record(tx, request, { type: 'session_ended', userPk: pk, sessionId: id })
      })
      reply.code(204)
    }
  )
}

const toListItem = (row: SessionRow, current: string) => ({
  id: row.id,
  ip: row.ip,
  user_agent: row.userAgent,
  created_at: row.createdAt.toISOString(),
  last_seen_at: shownLastSeen(row).toISOString(),
  expires_at: row.expiresAt.toISOString(),
  current: row.id === current
})
