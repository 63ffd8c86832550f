/** Mails are queued in the transaction that causes them and sent afterwards: none is lost, none delays a response. */
import { v7 as uuid } from 'uuid'
import type { Db } from '../db/database.js'
import { insertMail } from '../store/outbox.js'
import { createDispatcher, type DispatcherOptions } from './dispatcher.js'

export interface Recipient {
  /** The user with this address, if there is one: looked up when the mail is sent, so that the response can't tell. */
  address?: string | undefined
  userPk?: string
}

export interface Outbox {
  /** Queues a mail in the caller's transaction and returns its ID; call `wake` once that is committed. */
  enqueue: (tx: Db, template: string, recipient: Recipient, variables?: object) => Promise<string>
  /** Makes the dispatcher look for due mails soon; not at once, so that the response is out before the work begins. */
  wake: () => void
  /** Sends the mails that are due; resolves when each of them is sent or postponed. */
  flush: () => Promise<void>
  /** Sends the mails that are due, for at most five seconds; the rest waits for the next start. */
  close: () => Promise<void>
}

export function createOutbox (options: DispatcherOptions): Outbox {
  const { origin, clock } = options

  const enqueue: Outbox['enqueue'] = async (tx, template, { address, userPk }, variables = {}) => {
    const id = uuid()
    await insertMail(tx, {
      id,
      origin,
      template,
      address: address ?? null,
      userPk: userPk ?? null,
      variables,
      createdAt: clock()
    })
    return id
  }

  return { enqueue, ...createDispatcher(options) }
}
