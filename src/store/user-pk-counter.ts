/** The counter of integer keys. */
import { sql } from 'drizzle-orm'
import type { Database } from '../db/database.js'
import { integerOfPk } from '../db/integer-pks.js'

/**
 * A key above that of every user, and above every key that was given before. Call it outside a transaction, which
 * would lock the counter until it ends, and whose rollback would give the key again.
 */
export async function takeNextPk ({ orm, dialect, users, userPkCounter: counter }: Database): Promise<number> {
  const next = sql`(SELECT coalesce(max(${integerOfPk[dialect]}), 0) + 1 FROM ${users})`
  const [row] = await orm
    .insert(counter)
    .values({ name: 'users', last: next })
    .onConflictDoUpdate({
      target: counter.name,
      set: { last: sql`CASE WHEN excluded.last > ${counter.last} THEN excluded.last ELSE ${counter.last} + 1 END` }
    })
    .returning({ last: counter.last })
  if (!row || !Number.isSafeInteger(row.last)) throw new Error("account.pk: 'integer': there is no higher key left")
  return row.last
}
