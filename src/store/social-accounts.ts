/** The social accounts table: which identity (issuer, subject) belongs to which user. */
import { and, asc, eq, ne } from 'drizzle-orm'
import type { Db } from '../db/database.js'
import type { SocialAccountRow } from '../db/tables.js'

export async function findSocialAccount (
  { orm, socialAccounts }: Db,
  issuer: string,
  subject: string
): Promise<SocialAccountRow | undefined> {
  const [row] = await orm
    .select()
    .from(socialAccounts)
    .where(and(eq(socialAccounts.issuer, issuer), eq(socialAccounts.subject, subject)))
  return row
}

/** False if the identity belongs to a user already: the unique index decides. */
export async function insertSocialAccount ({ orm, socialAccounts }: Db, row: SocialAccountRow): Promise<boolean> {
  const inserted = await orm
    .insert(socialAccounts)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: socialAccounts.id })
  return inserted.length > 0
}

type Use = Partial<Pick<SocialAccountRow, 'lastLogin' | 'provider' | 'tokens'>>

/** Records a login; false if the social account was disconnected meanwhile. */
export async function useSocialAccount ({ orm, socialAccounts }: Db, id: string, changes: Use): Promise<boolean> {
  const updated = await orm
    .update(socialAccounts)
    .set(changes)
    .where(eq(socialAccounts.id, id))
    .returning({ id: socialAccounts.id })
  return updated.length > 0
}

export const listSocialAccounts = async ({ orm, socialAccounts }: Db, userPk: string): Promise<SocialAccountRow[]> =>
  await orm
    .select()
    .from(socialAccounts)
    .where(eq(socialAccounts.userPk, userPk))
    .orderBy(asc(socialAccounts.createdAt), asc(socialAccounts.id))

export async function getSocialAccount (
  { orm, socialAccounts }: Db,
  id: string
): Promise<SocialAccountRow | undefined> {
  const [row] = await orm.select().from(socialAccounts).where(eq(socialAccounts.id, id))
  return row
}

export async function deleteSocialAccount ({ orm, socialAccounts }: Db, id: string): Promise<boolean> {
  const deleted = await orm.delete(socialAccounts).where(eq(socialAccounts.id, id)).returning({ id: socialAccounts.id })
  return deleted.length > 0
}

export async function deleteSocialAccounts ({ orm, socialAccounts }: Db, userPk: string, kept = ''): Promise<void> {
  await orm.delete(socialAccounts).where(and(eq(socialAccounts.userPk, userPk), ne(socialAccounts.id, kept)))
}
