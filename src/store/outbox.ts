/** The outbox. Claiming a row moves `dueAt` ahead (the lease), as a failed attempt does; a finished mail has none. */
import { and, asc, count, eq, gt, inArray, isNotNull, isNull, lte, ne, notExists, or } from 'drizzle-orm'
import { comparedEmail } from '../db/compared-email.js'
import type { Db } from '../db/database.js'
import type { MailRow } from '../db/tables.js'

export type MailState = 'waiting' | 'sent' | 'failed'

export interface Claim {
  origin: string
  now: Date
  /** Rows due since then belong to a registration that no longer exists: anybody may claim them. */
  abandoned: Date
  leaseEnd: Date
  limit: number
}

type NewMail = Pick<MailRow, 'id' | 'origin' | 'template' | 'createdAt'> & Partial<MailRow>

export async function insertMail ({ orm, outbox }: Db, row: NewMail): Promise<void> {
  await orm.insert(outbox).values({ variables: {}, attempts: 0, dueAt: row.createdAt, ...row })
}

/** Claims at most `limit` due rows until `leaseEnd`; each goes to one process only. An empty list: nothing is due. */
export async function claimMails (
  { orm, outbox }: Db,
  { origin, now, abandoned, leaseEnd, limit }: Claim
): Promise<MailRow[]> {
  for (;;) {
    const due = await orm
      .select({ id: outbox.id, attempts: outbox.attempts })
      .from(outbox)
      .where(and(lte(outbox.dueAt, now), or(eq(outbox.origin, origin), lte(outbox.dueAt, abandoned))))
      .orderBy(asc(outbox.dueAt), asc(outbox.id))
      .limit(limit)
    const claimed: MailRow[] = []
    for (const { id, attempts } of due) {
      const [row] = await orm.update(outbox).set({ dueAt: leaseEnd, attempts: attempts + 1 })
        .where(and(eq(outbox.id, id), eq(outbox.attempts, attempts), lte(outbox.dueAt, now))).returning()
      if (row) claimed.push(row)
    }
    // If other processes claimed all of these rows first, look for the next ones.
    if (claimed.length > 0 || due.length === 0) return claimed
  }
}

/**
 * Deletes at most `limit` due mails to addresses that nobody has, in one statement: many requests for unknown addresses
 * must not delay other mails. Returns how many.
 */
export async function deleteUndeliverable (
  db: Db, { origin, now, limit }: Pick<Claim, 'origin' | 'now' | 'limit'>
): Promise<number> {
  const { orm, outbox, users } = db
  const owner = orm.select({ pk: users.pk }).from(users).where(eq(comparedEmail(db), outbox.address))
  const undeliverable = orm.select({ id: outbox.id }).from(outbox).where(and(
    eq(outbox.origin, origin), lte(outbox.dueAt, now), eq(outbox.attempts, 0), isNull(outbox.userPk), notExists(owner)
  )).limit(limit)
  const deleted = await orm.delete(outbox).where(inArray(outbox.id, undeliverable)).returning({ id: outbox.id })
  return deleted.length
}

type Outcome = Partial<Pick<MailRow, 'dueAt' | 'sentAt' | 'failedAt' | 'lastError' | 'userPk' | 'admittedAt'>>

/** Records the outcome of an attempt, unless another process has claimed the mail meanwhile. */
export async function recordOutcome (
  { orm, outbox }: Db,
  { id, attempts }: MailRow,
  outcome: Outcome
): Promise<void> {
  await orm
    .update(outbox)
    .set(outcome)
    .where(and(eq(outbox.id, id), eq(outbox.attempts, attempts), isNotNull(outbox.dueAt)))
}

export async function deleteMail ({ orm, outbox }: Db, id: string): Promise<void> {
  await orm.delete(outbox).where(eq(outbox.id, id))
}

/**
 * How many other mails of this template were prepared for the user since then. The time they were queued would not do:
 * behind a long queue all of them are old. Mails that bounced count too, so bouncing does not evade the limit.
 */
export async function countMails (
  { orm, outbox }: Db,
  { id, template }: MailRow,
  userPk: string,
  since: Date
): Promise<number> {
  const [row] = await orm
    .select({ count: count() })
    .from(outbox)
    .where(
      and(eq(outbox.userPk, userPk), eq(outbox.template, template), ne(outbox.id, id), gt(outbox.admittedAt, since))
    )
  return row?.count ?? 0
}

/** Whether a later mail of this template was prepared for the user, and not given up. */
export async function hasLaterMail (
  { orm, outbox }: Db,
  { id, template }: MailRow,
  userPk: string
): Promise<boolean> {
  const later = await orm
    .select({ id: outbox.id })
    .from(outbox)
    .where(and(eq(outbox.userPk, userPk), eq(outbox.template, template), gt(outbox.id, id), isNull(outbox.failedAt)))
    .limit(1)
  return later.length > 0
}

/** All mails, or those in one state; oldest first. */
export async function listMails ({ orm, outbox }: Db, state?: MailState): Promise<MailRow[]> {
  const isIn = { waiting: isNotNull(outbox.dueAt), sent: isNotNull(outbox.sentAt), failed: isNotNull(outbox.failedAt) }
  return await orm.select().from(outbox).where(state && isIn[state]).orderBy(asc(outbox.createdAt), asc(outbox.id))
}

/** Queues the mails that were given up (or the one of that ID) again; returns how many. */
export async function retryFailedMails ({ orm, outbox }: Db, now: Date, id?: string): Promise<number> {
  const revived = await orm
    .update(outbox)
    .set({ dueAt: now, failedAt: null, attempts: 0 })
    .where(and(isNotNull(outbox.failedAt), id === undefined ? undefined : eq(outbox.id, id)))
    .returning({ id: outbox.id })
  return revived.length
}

export async function deleteSentMails ({ orm, outbox }: Db, before: Date): Promise<void> {
  await orm.delete(outbox).where(lte(outbox.sentAt, before))
}
