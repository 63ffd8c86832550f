/** The social transactions table: digests of what is under way with a provider, each good once. */
import { and, eq, gt, isNull, lte } from 'drizzle-orm'
import type { Db } from '../db/database.js'
import type { SocialTransactionRow } from '../db/tables.js'

/** `redirect`: a browser is at the provider. `login`: it is back, and its login waits to be fetched. `id-token`: one that was used. */
export type TransactionPurpose = 'redirect' | 'login' | 'id-token'

/** Stores a transaction, and sweeps those that are over; false when there is one of that digest. */
export async function insertTransaction ({ orm, socialTransactions }: Db, row: SocialTransactionRow & { purpose: TransactionPurpose }): Promise<boolean> {
  await orm.delete(socialTransactions).where(lte(socialTransactions.expiresAt, row.createdAt))
  return (
    (
      await orm
        .insert(socialTransactions)
        .values(row)
        .onConflictDoNothing()
        .returning({ digest: socialTransactions.digest })
    ).length > 0
  )
}

type Key = Pick<SocialTransactionRow, 'digest' | 'origin' | 'provider' | 'browser'> & { purpose: TransactionPurpose }

/** Whoever deletes the row owns the login; of two racers one gets undefined, and so does another browser or provider. */
export async function spendTransaction ({ orm, socialTransactions: table }: Db, { digest, purpose, origin, provider, browser }: Key, now: Date): Promise<SocialTransactionRow | undefined> {
  const [row] = await orm.delete(table).where(and(
    eq(table.digest, digest), eq(table.purpose, purpose), eq(table.origin, origin), eq(table.provider, provider),
    browser === null ? isNull(table.browser) : eq(table.browser, browser), gt(table.expiresAt, now)
  )).returning()
  return row
}
