/**
 * Closes the login with a password after many failures in a row (NIST SP 800-63B-4 §3.2.2), until a day has passed or
 * the password is reset. Sessions, other ways to log in and resets go on, so that nobody can lock a user out.
 */
import type { Database } from '../db/database.js'
import type { LoginFailuresRow, UserRow } from '../db/tables.js'
import { hashToken } from '../lib/secrets.js'
import { secondsAfter } from '../lib/time.js'
import type { Outbox } from '../mail/outbox.js'
import { countLoginFailure, deleteLoginFailures, findLoginFailures } from '../store/login-failures.js'
import { countOnce } from '../store/rate-limits.js'

const lockSeconds = 86400
/** Clocks of several servers may differ by that. */
const clockSkewSeconds = 60

interface LockoutOptions {
  db: Database
  clock: () => Date
  outbox: Outbox
  /** How many failures in a row lock the login; undefined: none do. */
  max: number | undefined
}

/** Every function does the same work if there is no such user: its time would tell. */
export interface Lockout {
  /** Whether a password of this user is not to be tried. */
  isLocked: (user: UserRow | undefined) => Promise<boolean>
  /** Records a wrong password. The one that locks the login queues a mail to the user. */
  recordFailure: (user: UserRow | undefined, identifier: string) => Promise<void>
  /** After a login: the next failure is the first again. */
  clear: (user: UserRow) => Promise<void>
}

export function createLockout ({ db, clock, outbox, max }: LockoutOptions): Lockout {
  if (max === undefined) return { isLocked: async () => false, recordFailure: async () => {}, clear: async () => {} }

  const isLock = ({ lockedAt }: LoginFailuresRow, now: Date) =>
    lockedAt !== null && lockedAt <= secondsAfter(now, clockSkewSeconds) && lockedAt > secondsAfter(now, -lockSeconds)

  return {
    async isLocked (user) {
      const row = await findLoginFailures(db, user?.pk ?? '')
      return row !== undefined && isLock(row, clock())
    },

    async recordFailure (user, identifier) {
      const now = clock()
      const isLocking = await db.transaction(async tx => {
        if (!user) {
          await countOnce(tx, [unknownUser(identifier, now)], now)
          return false
        }
        const row = await countLoginFailure(tx, { userPk: user.pk, max, now, over: secondsAfter(now, -lockSeconds) })
        if (row?.failures !== max) return false
        const variables = { failures: max, opens_at: secondsAfter(now, lockSeconds) }
        await outbox.enqueue(tx, 'login-locked', { userPk: user.pk }, variables)
        return true
      })
      if (isLocking) outbox.wake()
    },

    async clear ({ pk }) {
      if (await findLoginFailures(db, pk)) await deleteLoginFailures(db, pk)
    }
  }
}

/** A count that nobody reads, but that costs as much as that of a user. */
const unknownUser = (identifier: string, now: Date) => ({
  key: hashToken(JSON.stringify(['unknown user', identifier])),
  used: 1,
  quota: 1_000_000,
  resetsAt: secondsAfter(now, lockSeconds)
})
