/** `app.restAuth.mail`: sends the app's own mails through the outbox, and shows what is in it. */
import type { QueuedMail } from '../api-types.js'
import type { Context } from '../context.js'
import type { MailRow } from '../db/tables.js'
import type { RestAuth } from '../rest-auth.js'
import { listMails, retryFailedMails } from '../store/outbox.js'
import { findUser } from '../store/users.js'
import type { BaseUser } from '../types.js'
import { withoutQueryValues } from './without-query-values.js'

type MailApi = RestAuth['mail']
type Options = Pick<Context, 'db' | 'clock' | 'outbox' | 'templates' | 'userRecords'>

/** `send` throws a TypeError for an unknown template, and for a user without an address. */
export function createMailApi ({ db, clock, outbox, templates, userRecords }: Options): MailApi {
  const send: MailApi['send'] = async (template, { pk }, variables = {}, { tx } = {}) => {
    if (!templates.has(template)) {
      throw new TypeError(`mail.send: there is no template ${template}; there is ${templates.names().join(', ')}`)
    }
    // The type of the app's transaction depends on its database; the query builder is the same.
    const scope = tx ? { ...db, orm: tx as unknown as typeof db.orm } : db
    const userPk = userRecords.storedPk(pk)
    const user = await findUser(scope, userPk)
    if (!user?.email) throw new TypeError('mail.send: the user has no address')
    const id = await outbox.enqueue(scope, template, { userPk }, variables)
    outbox.wake()
    return id
  }

  const list: MailApi['list'] = async ({ state } = {}) => (await listMails(db, state))
    .map(row => toMail(row, row.userPk === null ? null : userRecords.toPk(row.userPk)))

  const retry: MailApi['retry'] = async id => {
    const revived = await retryFailedMails(db, clock(), id)
    outbox.wake()
    return revived
  }

  return withoutQueryValues({ send, list, retry, flush: async () => await outbox.flush() })
}

const toMail = (
  { id, template, address, createdAt, dueAt, attempts, sentAt, failedAt, lastError }: MailRow,
  userPk: BaseUser['pk'] | null
): QueuedMail => ({
  id,
  template,
  state: sentAt ? 'sent' : failedAt ? 'failed' : 'waiting',
  // The app's type of it follows from `account.pk`.
  userPk: userPk as QueuedMail['userPk'],
  address,
  attempts,
  createdAt,
  dueAt,
  sentAt,
  failedAt,
  lastError
})
