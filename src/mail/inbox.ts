/** The last mails of this process, for the viewer of development. */
import type { OutgoingMail } from '../types.js'

export interface ViewedMail extends OutgoingMail {
  /** At most 100 characters: Fastify takes no longer ones in a path. */
  id: string
  at: Date
}

export interface Inbox {
  /** A mail that is there already is replaced, and the newest again. */
  add: (mail: ViewedMail) => void
  /** Newest first. */
  list: () => ViewedMail[]
  find: (id: string) => ViewedMail | undefined
}

/** The last mails that this process sent, in memory. */
export function createInbox (size = 50): Inbox {
  const mails = new Map<string, ViewedMail>()
  return {
    add: mail => {
      mails.delete(mail.id)
      mails.set(mail.id, mail)
      const [oldest] = mails.keys()
      if (mails.size > size && oldest !== undefined) mails.delete(oldest)
    },
    list: () => [...mails.values()].reverse(),
    find: id => mails.get(id)
  }
}
