/** The one-time tokens table: digests of the tokens that were mailed. */
import { and, eq, gt, lte } from 'drizzle-orm'
import type { Db } from '../db/database.js'
import type { OneTimeTokenRow } from '../db/tables.js'

/** What a token permits, as the table stores it. Mail templates have names of their own, though two are the same. */
export const tokenPurposes = { verifyEmail: 'email-verification', resetPassword: 'password-reset' } as const
export type TokenPurpose = typeof tokenPurposes[keyof typeof tokenPurposes]

export async function insertToken ({ orm, oneTimeTokens }: Db, row: OneTimeTokenRow): Promise<void> {
  await orm.insert(oneTimeTokens).values(row)
}

/** Gives the token of a mail that is sent again its present digest; undefined if it was spent or has expired. */
export async function renewToken (
  { orm, oneTimeTokens }: Db,
  mailId: string,
  digest: string,
  now: Date
): Promise<OneTimeTokenRow | undefined> {
  const [row] = await orm.update(oneTimeTokens).set({ digest })
    .where(and(eq(oneTimeTokens.mailId, mailId), gt(oneTimeTokens.expiresAt, now))).returning()
  return row
}

type Mailed = Pick<OneTimeTokenRow, 'userPk' | 'purpose' | 'address' | 'passwordDigest'>

/** Makes the tokens that were mailed since then valid until `expiresAt`, expired ones too; false if there are none. */
export async function prolongTokens (
  { orm, oneTimeTokens: table }: Db,
  { userPk, purpose, address, passwordDigest }: Mailed,
  since: Date,
  expiresAt: Date
): Promise<boolean> {
  const prolonged = await orm
    .update(table)
    .set({ expiresAt })
    .where(
      and(
        eq(table.userPk, userPk),
        eq(table.purpose, purpose),
        eq(table.address, address),
        // Only a reset depends on the password.
        purpose === tokenPurposes.resetPassword ? eq(table.passwordDigest, passwordDigest) : undefined,
        gt(table.createdAt, since)
      )
    )
    .returning({ digest: table.digest })
  return prolonged.length > 0
}

const isValid = ({ oneTimeTokens: table }: Db, purpose: TokenPurpose, digest: string, now: Date) =>
  and(eq(table.digest, digest), eq(table.purpose, purpose), gt(table.expiresAt, now))

export async function findToken (
  db: Db,
  purpose: TokenPurpose,
  digest: string,
  now: Date
): Promise<OneTimeTokenRow | undefined> {
  const [row] = await db.orm.select().from(db.oneTimeTokens).where(isValid(db, purpose, digest, now))
  return row
}

/** Deletes a valid token and returns it. Of two concurrent calls one gets undefined: deleting the row is the claim. */
export async function spendToken (
  db: Db,
  purpose: TokenPurpose,
  digest: string,
  now: Date
): Promise<OneTimeTokenRow | undefined> {
  const [row] = await db.orm.delete(db.oneTimeTokens).where(isValid(db, purpose, digest, now)).returning()
  return row
}

export async function deleteTokens (
  { orm, oneTimeTokens }: Db,
  userPk: string,
  purpose?: TokenPurpose
): Promise<void> {
  await orm
    .delete(oneTimeTokens)
    .where(and(eq(oneTimeTokens.userPk, userPk), purpose && eq(oneTimeTokens.purpose, purpose)))
}

export async function deleteExpiredTokens ({ orm, oneTimeTokens }: Db, before: Date): Promise<void> {
  await orm.delete(oneTimeTokens).where(lte(oneTimeTokens.expiresAt, before))
}
