/**
 * Closes the login with a password after many failures in a row (NIST SP 800-63B-4 §3.2.2), until a day has passed or
 * there is a new password. Sessions, other ways to log in, resets, and devices that have logged in before go on.
 */
import type { FastifyRequest } from 'fastify'
import type { Database } from '../db/database.js'
import type { LoginFailuresRow, UserRow } from '../db/tables.js'
import type { Events } from '../events/create-events.js'
import { hashToken } from '../lib/secrets.js'
import { clockSkewSeconds, secondsAfter } from '../lib/time.js'
import type { Outbox } from '../mail/outbox.js'
import { countLoginFailure, deleteLoginFailures, findLoginFailures } from '../store/login-failures.js'
import { countOnce, deleteLimits, listLimits } from '../store/rate-limits.js'

const lockSeconds = 86400

interface LockoutOptions {
  db: Database
  clock: () => Date
  events: Events
  outbox: Outbox
  /** How many failures in a row lock the login; undefined: none do. */
  max: number | undefined
}

interface FailedLogin {
  /** What was sent, in canonical form. */
  identifier: string
  device: string | undefined
  request: FastifyRequest
}

/** Without a `device`, every function does the same work if there is no such user: its time would tell. */
export interface Lockout {
  /** Whether a password of this user is not to be tried. A trusted device of the user is locked by its own failures. */
  isLocked: (user: UserRow | undefined, device?: string) => Promise<boolean>
  /** Records a wrong password. The one that locks the login queues a mail to the user. */
  recordFailure: (user: UserRow | undefined, failed: FailedLogin) => Promise<void>
  /** After a login: the next failure is the first again. */
  clear: (user: UserRow, device?: string) => Promise<void>
}

export const createLockout = ({ max, ...options }: LockoutOptions): Lockout =>
  max === undefined
    ? { isLocked: async () => false, recordFailure: async () => {}, clear: async () => {} }
    : createLock({ ...options, max })

function createLock ({ db, clock, events, outbox, max }: LockoutOptions & { max: number }): Lockout {
  const isLock = ({ lockedAt }: LoginFailuresRow, now: Date) =>
    lockedAt !== null && lockedAt <= secondsAfter(now, clockSkewSeconds) && lockedAt > secondsAfter(now, -lockSeconds)

  async function recordOfUser (user: UserRow, request: FastifyRequest, now: Date): Promise<void> {
    await db.transaction(async tx => {
      const row = await countLoginFailure(tx, { userPk: user.pk, max, now, over: secondsAfter(now, -lockSeconds) })
      // It is `max` once: with the failure that locks.
      if (row?.failures !== max) return
      const variables = { failures: max, opens_at: secondsAfter(now, lockSeconds) }
      await outbox.enqueue(tx, 'login-locked', { userPk: user.pk }, variables)
      await events.record(tx, request, { type: 'login_locked', userPk: user.pk })
      tx.afterCommit(outbox.wake)
    })
  }

  /** Without a mail: who has the device can still use another one. */
  const countOfDevice = (device: string, now: Date) =>
    ({ key: keyOf('device', device), used: 1, quota: max, resetsAt: secondsAfter(now, lockSeconds) })

  return {
    async isLocked (user, device) {
      const now = clock()
      if (device !== undefined) {
        const [row] = await listLimits(db, [keyOf('device', device)], now)
        return row !== undefined && row.used >= max
      }
      const row = await findLoginFailures(db, user?.pk ?? '')
      return row !== undefined && isLock(row, now)
    },

    async recordFailure (user, { identifier, device, request }) {
      const now = clock()
      if (device !== undefined) await countOnce(db, [countOfDevice(device, now)], now)
      else if (user) await recordOfUser(user, request, now)
      else await db.transaction(async tx => await countOnce(tx, [countOfUnknown(identifier, now)], now))
    },

    async clear ({ pk }, device) {
      if (device !== undefined) await deleteLimits(db, [keyOf('device', device)])
      if (await findLoginFailures(db, pk)) await deleteLoginFailures(db, pk)
    }
  }
}

const keyOf = (kind: string, name: string) => hashToken(JSON.stringify([kind, name]))

/** A count that nobody reads, but that costs as much as that of a user. */
const countOfUnknown = (identifier: string, now: Date) => ({
  key: keyOf('unknown user', identifier),
  used: 1,
  quota: 1_000_000,
  resetsAt: secondsAfter(now, lockSeconds)
})
