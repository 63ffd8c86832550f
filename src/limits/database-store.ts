/** Counts attempts in the app's database, for all instances together. */
import type { Database } from '../db/database.js'
import { secondsAfter } from '../lib/time.js'
import { countOnce, deleteLimits, listLimits, uncount } from '../store/rate-limits.js'
import type { Bucket, Counted, Full, LimitStore } from './store.js'

export function createDatabaseStore (db: Database): LimitStore {
  async function findFull (buckets: readonly Bucket[], now: Date): Promise<Full | undefined> {
    const rows = await listLimits(db, buckets.map(({ key }) => key), now)
    for (const bucket of buckets) {
      const row = rows.find(({ key }) => key === bucket.key)
      const isFull = row && row.used >= bucket.quota && row.resetsAt <= secondsAfter(now, bucket.seconds)
      if (isFull) return { bucket, resetsAt: row.resetsAt }
    }
    return undefined
  }

  const count: LimitStore['count'] = async (buckets, now) => {
    // A flood of refused attempts writes nothing.
    const full = await findFull(buckets, now)
    if (full) return full
    const rows = buckets
      .map(({ key, quota, seconds }) => ({ key, quota, used: 1, resetsAt: secondsAfter(now, seconds) }))
      // Two requests that lock the same rows in different orders would wait for each other.
      .sort((a, b) => a.key < b.key ? -1 : 1)
    const stored = await countOnce(db, rows, now)
    const counted: Counted[] = []
    for (const bucket of buckets) {
      const row = stored.find(({ key }) => key === bucket.key)
      if (row) counted.push({ ...bucket, resetsAt: row.resetsAt })
    }
    if (counted.length === buckets.length) return counted
    // Between the two statements, other requests have filled a bucket.
    await takeBack(counted)
    return await findFull(buckets, now) ?? await count(buckets, now)
  }

  async function takeBack (counted: readonly Counted[]): Promise<void> {
    for (const { key, quota, resetsAt } of counted) await uncount(db, { key, quota, resetsAt, used: 1 })
  }

  return {
    count,
    uncount: takeBack,
    clear: async buckets => await deleteLimits(db, buckets.map(({ key }) => key))
  }
}
