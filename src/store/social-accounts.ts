/** The social accounts table: which identity opens whose account. */
import { and, asc, eq, ne } from 'drizzle-orm'
import type { Db } from '../db/database.js'
import type { SocialAccountRow } from '../db/tables.js'

export async function findSocialAccount ({ orm, socialAccounts }: Db, issuer: string, subject: string): Promise<SocialAccountRow | undefined> {
  const [row] = await orm
    .select()
    .from(socialAccounts)
    .where(and(eq(socialAccounts.issuer, issuer), eq(socialAccounts.subject, subject)))
  return row
}

/** False when the identity opens an account already: the index decides. */
export async function insertSocialAccount ({ orm, socialAccounts }: Db, row: SocialAccountRow): Promise<boolean> {
  return (
    (await orm.insert(socialAccounts).values(row).onConflictDoNothing().returning({ id: socialAccounts.id })).length > 0
  )
}

/** Notes a login; false when the account was disconnected meanwhile. */
export async function useSocialAccount ({ orm, socialAccounts }: Db, id: string, changes: Partial<Pick<SocialAccountRow, 'lastLogin' | 'provider' | 'tokens'>>): Promise<boolean> {
  return (
    (
      await orm
        .update(socialAccounts)
        .set(changes)
        .where(eq(socialAccounts.id, id))
        .returning({ id: socialAccounts.id })
    ).length > 0
  )
}

/** Oldest first. */
export const listSocialAccounts = async ({ orm, socialAccounts }: Db, userPk: string): Promise<SocialAccountRow[]> =>
  await orm
    .select()
    .from(socialAccounts)
    .where(eq(socialAccounts.userPk, userPk))
    .orderBy(asc(socialAccounts.createdAt), asc(socialAccounts.id))

export async function getSocialAccount ({ orm, socialAccounts }: Db, id: string): Promise<SocialAccountRow | undefined> {
  const [row] = await orm.select().from(socialAccounts).where(eq(socialAccounts.id, id))
  return row
}

export async function deleteSocialAccount ({ orm, socialAccounts }: Db, id: string): Promise<boolean> {
  return (
    (await orm.delete(socialAccounts).where(eq(socialAccounts.id, id)).returning({ id: socialAccounts.id })).length > 0
  )
}

/** Disconnects all of a user's, but for the one kept. */
export async function deleteSocialAccounts ({ orm, socialAccounts }: Db, userPk: string, kept = ''): Promise<void> {
  await orm.delete(socialAccounts).where(and(eq(socialAccounts.userPk, userPk), ne(socialAccounts.id, kept)))
}
