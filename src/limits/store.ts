/** Where attempts are counted: what the database and Redis have in common. */

/** One limit for one client, account or mailbox. */
export interface Bucket {
  key: string
  /** How many attempts are allowed in `seconds`, from the first one. */
  quota: number
  seconds: number
}

/** A bucket with one more attempt in it, until that time. */
export interface Counted extends Bucket {
  resetsAt: Date
}

/** A bucket that is full until that time. */
export interface Full {
  bucket: Bucket
  resetsAt: Date
}

export interface LimitStore {
  /** Counts one attempt in every bucket; in none of them if one is full. Exact, also for many instances at once. */
  count: (buckets: readonly Bucket[], now: Date) => Promise<Counted[] | Full>
  /** Takes the attempt out of these buckets. */
  uncount: (counted: readonly Counted[]) => Promise<void>
  /** Empties these buckets. */
  clear: (buckets: readonly Bucket[]) => Promise<void>
}
