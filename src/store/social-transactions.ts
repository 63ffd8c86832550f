/** The social transactions table: digests of the social logins under way, each of which can be used once. */
import { and, eq, gt, isNull, lte } from 'drizzle-orm'
import type { Db } from '../db/database.js'
import type { SocialTransactionRow } from '../db/tables.js'

/** `redirect`: the browser is at the provider; `login`: it is back, to fetch its login; `id-token`: used already. */
export type TransactionPurpose = 'redirect' | 'login' | 'id-token'

type Transaction = SocialTransactionRow & { purpose: TransactionPurpose }

/** Stores a transaction and deletes the expired ones; false if there is one of that digest. */
export async function insertTransaction ({ orm, socialTransactions }: Db, row: Transaction): Promise<boolean> {
  await orm.delete(socialTransactions).where(lte(socialTransactions.expiresAt, row.createdAt))
  const inserted = await orm
    .insert(socialTransactions)
    .values(row)
    .onConflictDoNothing()
    .returning({ digest: socialTransactions.digest })
  return inserted.length > 0
}

type Key = Pick<Transaction, 'digest' | 'purpose' | 'origin' | 'provider' | 'browser'>

/** Deleting the row is the claim: of two concurrent calls one gets undefined, like another browser or provider. */
export async function spendTransaction (
  { orm, socialTransactions: table }: Db,
  { digest, purpose, origin, provider, browser }: Key,
  now: Date
): Promise<SocialTransactionRow | undefined> {
  const [row] = await orm.delete(table).where(and(
    eq(table.digest, digest), eq(table.purpose, purpose), eq(table.origin, origin), eq(table.provider, provider),
    browser === null ? isNull(table.browser) : eq(table.browser, browser), gt(table.expiresAt, now)
  )).returning()
  return row
}
