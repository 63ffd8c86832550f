/**
 * Deletes expired rows every ten minutes or so, beside the requests. Several instances may do so at the same time: a
 * row is deleted once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../db/database.js'
import { redactQueryError } from '../db/errors.js'
import { secondsAfter } from '../lib/time.js'
import type { RestAuth } from '../rest-auth.js'
import type { Settings } from '../settings/types.js'
import { expiredRows } from '../store/expired-rows.js'

const intervalMs = 600_000
const rowsAtOnce = 500
const pauseMs = 20
const days = 86400
/** How long sessions are kept that nobody can refresh, mails that were given up, and devices after their last use. */
const [sessionSeconds, failedMailSeconds, deviceSeconds] = [1 * days, 30 * days, 400 * days]

interface SweeperOptions {
  settings: Pick<Settings, 'audit'>
  db: Database
  clock: () => Date
  /** Undefined: for one sweep alone. */
  log: FastifyBaseLogger | undefined
  /** How long sent mails and their tokens are kept. */
  mailRetentionSeconds: number
}

export interface Sweeper {
  sweep: RestAuth['sweep']
  close: () => void
}

/** Sweeps from time to time until `close`. */
export function createSweeper ({ settings: { audit }, db, clock, log, mailRetentionSeconds }: SweeperOptions): Sweeper {
  const stop = new AbortController()
  let running: ReturnType<RestAuth['sweep']> | undefined

  async function sweepAll () {
    const now = clock()
    const before = {
      now,
      sessions: secondsAfter(now, -sessionSeconds),
      mails: secondsAfter(now, -mailRetentionSeconds),
      failedMails: secondsAfter(now, -failedMailSeconds),
      events: secondsAfter(now, -audit.retentionSeconds),
      knownDevices: secondsAfter(now, -deviceSeconds)
    }
    const deleted = {
      sessions: 0, oneTimeTokens: 0, socialTransactions: 0, mails: 0, limits: 0, events: 0, knownDevices: 0
    }
    // `Object.keys` forgets the type of a literal's keys.
    for (const kind of Object.keys(deleted) as Array<keyof typeof deleted>) {
      while (!stop.signal.aborted) {
        const count = await expiredRows[kind](db, before, rowsAtOnce)
        deleted[kind] += count
        if (count === 0) break
        await sleep(pauseMs)
      }
    }
    return deleted
  }

  // Of two calls at once, the second waits for the first.
  const sweep = async () => await (running ??= sweepAll().finally(() => { running = undefined }))
  const timer = setInterval(() => {
    sweep().catch(error => log?.warn({ err: redactQueryError(error) }, 'expired rows could not be deleted'))
  }, intervalMs * (0.5 + Math.random())).unref()

  function close (): void {
    stop.abort()
    clearInterval(timer)
  }

  return { sweep, close }
}
