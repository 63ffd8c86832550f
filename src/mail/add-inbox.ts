/** Keeps the last mails of a development server and shows them beside the documentation. */
import type { FastifyInstance } from 'fastify'
import type { Settings } from '../settings/types.js'
import { createInbox, type Inbox } from './inbox.js'
import { addMailViewer } from './viewer.js'

const inboxes = new WeakMap<FastifyInstance['server'], Inbox>()

/** The inbox of the server, which all registrations share; undefined where `path` is false, as in production. */
export function addInbox (app: FastifyInstance, path: Settings['mailViewer']): Inbox | undefined {
  if (path === false) return undefined
  const inbox = inboxes.get(app.server) ?? createInbox()
  inboxes.set(app.server, inbox)
  if (!app.hasRoute({ method: 'GET', url: `${app.prefix}${path}` })) addMailViewer(app, path, inbox)
  return inbox
}
