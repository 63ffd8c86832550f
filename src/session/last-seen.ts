/** A session's last use is recorded once a minute, and shown by the minute. */
import { secondsAfter } from '../lib/time.js'

const minuteMs = 60_000

/** A last use at or before this time is stale: a use `now` replaces it. */
export const staleAt = (now: Date): Date => secondsAfter(now, -minuteMs / 1000)

/** The minute of the last use, or the exact start of the session if that is later. */
export const shownLastSeen = ({ lastSeenAt, createdAt }: { lastSeenAt: Date, createdAt: Date }): Date =>
  new Date(Math.max(Math.floor(lastSeenAt.getTime() / minuteMs) * minuteMs, createdAt.getTime()))
