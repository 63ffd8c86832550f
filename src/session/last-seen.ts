/** A session's last use is recorded once a minute, and shown by the minute. */

const minuteMs = 60_000

/** A use at or before this time is to be replaced by one that happens `now`. */
export const staleAt = (now: Date): Date => new Date(now.getTime() - minuteMs)

/** The minute of the last use, or the exact start of the session if that is later. */
export const shownLastSeen = ({ lastSeenAt, createdAt }: { lastSeenAt: Date, createdAt: Date }): Date =>
  new Date(Math.max(Math.floor(lastSeenAt.getTime() / minuteMs) * minuteMs, createdAt.getTime()))
