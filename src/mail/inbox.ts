/** The last mails of this process, for the mail viewer in development. */
import type { OutgoingMail } from '../types.js'

export interface ViewedMail extends OutgoingMail {
  /** At most 100 characters: Fastify accepts no longer path parameter. */
  id: string
  at: Date
}

export interface Inbox {
  /** Replaces the mail of the same ID, and makes it the newest. */
  add: (mail: ViewedMail) => void
  /** Newest first. */
  list: () => ViewedMail[]
  find: (id: string) => ViewedMail | undefined
}

export function createInbox (maxMails = 50): Inbox {
  const mails = new Map<string, ViewedMail>()
  return {
    add: mail => {
      mails.delete(mail.id)
      mails.set(mail.id, mail)
      const [oldest] = mails.keys()
      if (mails.size > maxMails && oldest !== undefined) mails.delete(oldest)
    },
    list: () => [...mails.values()].reverse(),
    find: id => mails.get(id)
  }
}
