/** Counts attempts in the app's database, for all instances together. */
import type { Database } from '../db/database.js'
import type { RateLimitRow } from '../db/tables.js'
import { secondsAfter } from '../lib/time.js'
import { countOnce, deleteLimits, latestEnd, listLimits, uncount } from '../store/rate-limits.js'
import type { Bucket, Counted, Full, LimitStore } from './store.js'

export function createDatabaseStore (db: Database): LimitStore {
  /** The full bucket that is full for longest. */
  async function findFull (buckets: readonly Bucket[], rows: RateLimitRow[], now: Date): Promise<Full | undefined> {
    const stored = await listLimits(db, rows.map(({ key }) => key), now)
    const full = stored.flatMap(({ key, used, resetsAt }) => {
      const bucket = buckets.find(bucket => bucket.key === key)
      return bucket && used >= bucket.quota && resetsAt <= latestEnd(rows) ? [{ bucket, resetsAt }] : []
    })
    return full.sort((one, other) => other.resetsAt.getTime() - one.resetsAt.getTime())[0]
  }

  const count: LimitStore['count'] = async (buckets, now) => {
    const rows = buckets
      .map(({ key, quota, seconds }) => ({ key, quota, used: 1, resetsAt: secondsAfter(now, seconds) }))
      // Two requests that lock the same rows in different orders would wait for each other.
      .sort((a, b) => a.key < b.key ? -1 : 1)
    // A flood of refused attempts writes nothing.
    const full = await findFull(buckets, rows, now)
    if (full) return full
    const stored = await countOnce(db, rows, now)
    const counted: Counted[] = []
    for (const bucket of buckets) {
      const row = stored.find(({ key }) => key === bucket.key)
      if (row) counted.push({ ...bucket, resetsAt: row.resetsAt })
    }
    if (counted.length === buckets.length) return counted
    // Between the two statements, other requests have filled a bucket.
    await takeBack(counted)
    return await findFull(buckets, rows, now) ?? await count(buckets, now)
  }

  async function takeBack (counted: readonly Counted[]): Promise<void> {
    for (const { key, quota, resetsAt } of counted) await uncount(db, { key, quota, resetsAt, used: 1 })
  }

  return {
    count,
    uncount: takeBack,
    clear: async buckets => {
      if (buckets.length > 0) await deleteLimits(db, buckets.map(({ key }) => key))
    }
  }
}
