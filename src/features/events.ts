/**
 * Shows users what has happened to their account.
 *
 *   GET /events   lists the events, newest first; only with the option `audit`
 */
import { eventKindOf } from '../../schemas/events.js'
import type { Feature } from '../context.js'
import type { EventRow } from '../db/tables.js'
import { authenticatedUserOf } from '../session/authenticate.js'
import { listEvents } from '../store/events.js'
import { readPage } from '../validation/page-query.js'

export const events: Feature = (app, { settings, contract, db, authenticate }) => {
  if (!settings.audit.isOn) return
  app.get('/events', { schema: contract.listEvents, onRequest: authenticate }, async request => {
    const { user } = authenticatedUserOf(request)
    // A database may give the key of a deleted user again, whose events are not this one's. A row of the app's own
    // table may have no time.
    const createdAt: Date | null = user.createdAt
    const filter = { userPk: user.pk, ...(createdAt && { since: createdAt }), ...readPage(request) }
    return (await listEvents(db, filter)).map(toListItem)
  })
}

const toListItem = ({ id, type, at, sessionId, ip, userAgent, details }: EventRow) => ({
  id,
  type,
  outcome: eventKindOf(type).outcome,
  at: at.toISOString(),
  session_id: sessionId,
  ip,
  user_agent: userAgent,
  ...(details.provider !== undefined && { provider: details.provider }),
  ...(details.fields && { fields: [...details.fields] }),
  ...(details.newDevice !== undefined && { new_device: details.newDevice })
})
