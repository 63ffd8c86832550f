/**
 * The outbox table. A row is due at `dueAt`; whoever claims it moves that time into the future, which is the lease,
 * and whoever fails moves it further, which is the retry. A row that is done for has none.
 */
import { and, asc, count, eq, gt, isNotNull, isNull, lte, ne, or } from 'drizzle-orm'
import type { Db } from '../db/database.js'
import type { MailRow } from '../db/tables.js'

export type MailState = 'waiting' | 'sent' | 'failed'

export interface Claim {
  origin: string
  now: Date
  abandoned: Date
  leaseEnd: Date
  limit: number
}

export async function insertMail ({ orm, outbox }: Db, row: Pick<MailRow, 'id' | 'origin' | 'template' | 'createdAt'> & Partial<MailRow>): Promise<void> {
  await orm.insert(outbox).values({ variables: {}, attempts: 0, dueAt: row.createdAt, ...row })
}

/**
 * Takes at most `limit` rows that are due, each for one process only, until `leaseEnd`; none when there are none. They are
 * those of `origin`, and those that are due since `abandoned`: their registration of the plugin is no more.
 */
export async function claimMails ({ orm, outbox }: Db, { origin, now, abandoned, leaseEnd, limit }: Claim): Promise<MailRow[]> {
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
    // Where another process was faster with every one of them, it has left the next.
    if (claimed.length > 0 || due.length === 0) return claimed
  }
}

/** Notes what became of a claimed mail; not if the lease has gone to another meanwhile. */
export async function recordOutcome ({ orm, outbox }: Db, { id, attempts }: MailRow, outcome: Partial<Pick<MailRow, 'dueAt' | 'sentAt' | 'failedAt' | 'lastError' | 'userPk' | 'admittedAt'>>): Promise<void> {
  await orm
    .update(outbox)
    .set(outcome)
    .where(and(eq(outbox.id, id), eq(outbox.attempts, attempts), isNotNull(outbox.dueAt)))
}

export async function deleteMail ({ orm, outbox }: Db, id: string): Promise<void> {
  await orm.delete(outbox).where(eq(outbox.id, id))
}

/**
 * How many other mails of this template were let through to the user since then. When they were asked for says nothing:
 * behind a long queue all of them are old. Nor does it help to have them bounce.
 */
export async function countMails ({ orm, outbox }: Db, { id, template }: MailRow, userPk: string, since: Date): Promise<number> {
  const [row] = await orm
    .select({ count: count() })
    .from(outbox)
    .where(
      and(eq(outbox.userPk, userPk), eq(outbox.template, template), ne(outbox.id, id), gt(outbox.admittedAt, since))
    )
  return row?.count ?? 0
}

/** Whether a later mail of this template is there for the user. */
export async function hasLaterMail ({ orm, outbox }: Db, { id, template }: MailRow, userPk: string): Promise<boolean> {
  const later = await orm
    .select({ id: outbox.id })
    .from(outbox)
    .where(and(eq(outbox.userPk, userPk), eq(outbox.template, template), gt(outbox.id, id), isNull(outbox.failedAt)))
    .limit(1)
  return later.length > 0
}

/** Oldest first. */
export async function listMails ({ orm, outbox }: Db, state?: MailState): Promise<MailRow[]> {
  const of = { waiting: isNotNull(outbox.dueAt), sent: isNotNull(outbox.sentAt), failed: isNotNull(outbox.failedAt) }
  return await orm.select().from(outbox).where(state && of[state]).orderBy(asc(outbox.createdAt), asc(outbox.id))
}

/** Gives dead letters (or the one of that id) their tries again; answers with how many. */
export async function retryFailedMails ({ orm, outbox }: Db, now: Date, id?: string): Promise<number> {
  const revived = await orm
    .update(outbox)
    .set({ dueAt: now, failedAt: null, attempts: 0 })
    .where(and(isNotNull(outbox.failedAt), id === undefined ? undefined : eq(outbox.id, id)))
    .returning({ id: outbox.id })
  return revived.length
}

/** Sweeps what was sent before then. */
export async function deleteSentMails ({ orm, outbox }: Db, before: Date): Promise<void> {
  await orm.delete(outbox).where(lte(outbox.sentAt, before))
}
