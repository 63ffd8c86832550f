/** The one-time tokens table: digests of what was mailed. */
import { and, eq, gt, lte } from 'drizzle-orm'
import type { Db } from '../db/database.js'
import type { OneTimeTokenRow } from '../db/tables.js'

export type Purpose = 'email-verification' | 'password-reset'

export async function insertToken ({ orm, oneTimeTokens }: Db, row: OneTimeTokenRow): Promise<void> {
  await orm.insert(oneTimeTokens).values(row)
}

/** The token of a mail that is tried again, under the digest it has now; undefined when it was spent or has expired. */
export async function renewToken ({ orm, oneTimeTokens }: Db, mailId: string, digest: string, now: Date): Promise<OneTimeTokenRow | undefined> {
  const [row] = await orm
    .update(oneTimeTokens)
    .set({ digest })
    .where(and(eq(oneTimeTokens.mailId, mailId), gt(oneTimeTokens.expiresAt, now)))
    .returning()
  return row
}

/** A token that is still good, left as it is. */
export async function findToken ({ orm, oneTimeTokens }: Db, purpose: Purpose, digest: string, now: Date): Promise<OneTimeTokenRow | undefined> {
  const [row] = await orm.select().from(oneTimeTokens)
    .where(and(eq(oneTimeTokens.digest, digest), eq(oneTimeTokens.purpose, purpose), gt(oneTimeTokens.expiresAt, now)))
  return row
}

/** Whoever deletes the row owns the action; of two racers one gets undefined. */
export async function spendToken ({ orm, oneTimeTokens }: Db, purpose: Purpose, digest: string, now: Date): Promise<OneTimeTokenRow | undefined> {
  const [row] = await orm
    .delete(oneTimeTokens)
    .where(and(eq(oneTimeTokens.digest, digest), eq(oneTimeTokens.purpose, purpose), gt(oneTimeTokens.expiresAt, now)))
    .returning()
  return row
}

/** Every token of a user, or those of one purpose. */
export async function deleteTokens ({ orm, oneTimeTokens }: Db, userPk: string, purpose?: Purpose): Promise<void> {
  await orm
    .delete(oneTimeTokens)
    .where(and(eq(oneTimeTokens.userPk, userPk), purpose && eq(oneTimeTokens.purpose, purpose)))
}

export async function deleteExpiredTokens ({ orm, oneTimeTokens }: Db, now: Date): Promise<void> {
  await orm.delete(oneTimeTokens).where(lte(oneTimeTokens.expiresAt, now))
}
