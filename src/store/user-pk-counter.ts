/** The counter of integer keys. */
import { eq, sql } from 'drizzle-orm'
import type { Database, Db } from '../db/database.js'
import { isIntegerKey } from '../db/existing-table.js'
import { integerOfPk } from '../db/integer-pks.js'

/**
 * A key above that of every user, and above every key that was given before. Call it outside a transaction, which
 * would lock the counter until it ends, and whose rollback would give the key again.
 */
export async function takeNextPk (db: Database): Promise<number> {
  const { orm, dialect, users, userPkCounter: counter } = db
  const pk = integerOfPk(dialect, db)
  // The app may have written a key that JavaScript would round: no key follows it.
  const next = sql`(SELECT coalesce(max(${pk}), 0) + 1 FROM ${users} WHERE ${pk} <= 9007199254740991)`
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

/**
 * Keeps `takeNextPk` from giving this key, which did not come from it: the user may be deleted, but their events and
 * stateless tokens last longer. The counter is locked until the transaction ends only if it has to be raised.
 */
export async function raisePkCounter ({ orm, userPkCounter: counter }: Db, pk: string): Promise<void> {
  const last = Number(pk)
  if (!Number.isSafeInteger(last) || String(last) !== pk || last < 1) return
  const [found] = await orm.select({ last: counter.last }).from(counter).where(eq(counter.name, 'users'))
  if (found && found.last >= last) return
  await orm.insert(counter).values({ name: 'users', last }).onConflictDoUpdate({
    target: counter.name,
    set: { last: sql`CASE WHEN excluded.last > ${counter.last} THEN excluded.last ELSE ${counter.last} END` }
  })
}

/**
 * A key that the app's own table makes for a new row, by its default; undefined if it makes none and its keys are no
 * integers. Call it outside a transaction, as `takeNextPk`.
 */
export async function takeTablePk (db: Database): Promise<string | undefined> {
  const { orm, existing } = db
  if (!existing) return undefined
  if (existing.keyDefault === undefined) {
    return isIntegerKey(existing.keyType) ? String(await takeNextPk(db)) : undefined
  }
  const [row] = await orm.select({ pk: existing.keyDefault }).from(sql`(VALUES (1)) AS one`)
  return row?.pk
}
