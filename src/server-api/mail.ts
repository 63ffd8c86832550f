/** `app.restAuth.mail`: the app's own mails, by the same machinery, and a look into the outbox. */
import type { Context } from '../context.js'
import type { MailRow } from '../db/tables.js'
import type { RestAuth, QueuedMail } from '../rest-auth.js'
import { listMails, retryFailedMails } from '../store/outbox.js'
import { findUser } from '../store/users.js'
import { withoutQueryValues } from './without-query-values.js'

export function createMailApi ({ db, clock, outbox, templates }: Pick<Context, 'db' | 'clock' | 'outbox' | 'templates'>): RestAuth['mail'] {
  return withoutQueryValues({
    async send (template, { pk }, variables = {}, { tx } = {}) {
      if (!templates.has(template)) { throw new TypeError(`mail.send: there is no template ${template}; there is ${templates.names().join(', ')}`) }
      // The app's own type of Drizzle follows from its database: the query builder is the same.
      const scope = tx ? { ...db, orm: tx as unknown as typeof db.orm } : db
      const user = await findUser(scope, pk)
      if (!user?.email) throw new TypeError('mail.send: the user has no address')
      const id = await outbox.enqueue(scope, template, { userPk: pk }, variables)
      outbox.wake()
      return id
    },
    list: async ({ state } = {}) => (await listMails(db, state)).map(toMail),
    async retry (id) {
      const revived = await retryFailedMails(db, clock(), id)
      outbox.wake()
      return revived
    },
    flush: async () => await outbox.flush()
  } satisfies RestAuth['mail'])
}

const toMail = ({ id, template, address, userPk, createdAt, dueAt, attempts, sentAt, failedAt, lastError }: MailRow): QueuedMail => ({
  id,
  template,
  state: sentAt ? 'sent' : failedAt ? 'failed' : 'waiting',
  userPk,
  address,
  attempts,
  createdAt,
  dueAt,
  sentAt,
  failedAt,
  lastError
})
