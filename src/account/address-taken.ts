/** Registration with an address that has an account: only the owner of the mailbox may learn that it has one. */
import type { Database, Db } from '../db/database.js'
import type { Outbox } from '../mail/outbox.js'

/** Thrown inside `mailOwnerInstead`: the address has an account, and the response must not tell. */
export class AddressTaken extends Error {}

/** Runs `work` in a transaction. On `AddressTaken`, queues a mail to the address's owner and returns undefined. */
export async function mailOwnerInstead<T> (
  { db, outbox }: { db: Database, outbox: Outbox },
  address: string | null | undefined,
  work: (tx: Db) => Promise<T>
): Promise<T | undefined> {
  try {
    return await db.transaction(work)
  } catch (error) {
    // The transaction was rolled back, and with it what the app's hooks wrote for an account that was not created.
    if (!(error instanceof AddressTaken)) throw error
    await outbox.enqueue(db, 'account-exists', { address: address ?? undefined })
    return undefined
  }
}
