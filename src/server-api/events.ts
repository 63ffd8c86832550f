/** `app.restAuth.events`: what the option `audit` has stored. */
import type { Context } from '../context.js'
import type { RestAuth } from '../rest-auth.js'
import { listEvents } from '../store/events.js'
import { checkLimit } from './check-limit.js'
import { withoutQueryValues } from './without-query-values.js'

type EventsApi = RestAuth['events']
type Options = Pick<Context, 'db' | 'events' | 'settings' | 'userRecords'>

export function createEventsApi ({ db, events, settings: { audit }, userRecords }: Options): EventsApi {
  const list: EventsApi['list'] = async ({ userPk, after, limit = 100 } = {}) => {
    if (!audit.isOn) throw new Error('events.list: no events are stored; set the option audit')
    checkLimit('events.list', limit)
    const stored = userPk === undefined ? undefined : userRecords.storedPk(userPk)
    return (await listEvents(db, { userPk: stored, after, limit })).map(events.toEvent)
  }
  return withoutQueryValues<EventsApi>({ list })
}
