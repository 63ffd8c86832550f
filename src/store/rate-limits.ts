/** The rate limits table: how often each key was counted, and when its count starts again. */
import { and, eq, gt, gte, inArray, lt, lte, sql } from 'drizzle-orm'
import type { Db } from '../db/database.js'
import type { RateLimitRow } from '../db/tables.js'
import { clockSkewSeconds, secondsAfter } from '../lib/time.js'

/** Those of `keys` whose count is not over yet. */
export const listLimits = async ({ orm, rateLimits }: Db, keys: string[], now: Date): Promise<RateLimitRow[]> =>
  await orm.select().from(rateLimits).where(and(inArray(rateLimits.key, keys), gt(rateLimits.resetsAt, now)))

/**
 * Counts once for each key and returns the new counts, except for keys whose `quota` is used up: `rows` holds what a
 * count begins with. One statement, so that of many requests at once exactly `quota` are counted.
 */
export async function countOnce ({ orm, rateLimits }: Db, rows: RateLimitRow[], now: Date): Promise<RateLimitRow[]> {
  const { key, used, resetsAt } = rateLimits
  const given = { quota: sql`excluded.quota`, resetsAt: sql`excluded.resets_at` }
  const isOver = sql`(${lte(resetsAt, now)} OR ${gt(resetsAt, latestEnd(rows))})`
  return await orm.insert(rateLimits).values(rows).onConflictDoUpdate({
    target: key,
    set: {
      used: sql`CASE WHEN ${isOver} THEN 1 ELSE ${used} + 1 END`,
      quota: given.quota,
      resetsAt: sql`CASE WHEN ${isOver} THEN ${given.resetsAt} ELSE ${resetsAt} END`
    },
    setWhere: sql`${isOver} OR ${lt(used, given.quota)}`
  }).returning()
}

/** A count that ends later than then is from before the clock was set back, and over. */
export const latestEnd = (rows: ReadonlyArray<Pick<RateLimitRow, 'resetsAt'>>): Date =>
  secondsAfter(new Date(Math.max(...rows.map(({ resetsAt }) => resetsAt.getTime()))), clockSkewSeconds)

/** Takes a count back, if it belongs to the time that the row is about. */
export async function uncount ({ orm, rateLimits }: Db, { key, resetsAt }: RateLimitRow): Promise<void> {
  await orm.update(rateLimits).set({ used: sql`${rateLimits.used} - 1` })
    .where(and(eq(rateLimits.key, key), eq(rateLimits.resetsAt, resetsAt), gte(rateLimits.used, 1)))
}

export async function deleteLimits ({ orm, rateLimits }: Db, keys: string[]): Promise<void> {
  await orm.delete(rateLimits).where(inArray(rateLimits.key, keys))
}
