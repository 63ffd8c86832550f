/** Whether the server can answer requests. Anybody may ask: so one check runs at a time, and its result is kept. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { lineOf } from '../error-line.js'
import { withoutPasswords } from '../redact.js'

const keptMs = 1000
const timeoutMs = 2000

export interface Readiness {
  /** Resolves within two seconds; false from `close` on. */
  isReady: () => Promise<boolean>
  close: () => void
}

/** `check` may reject, or take long: the server is not ready then. The log says why, once for each outage. */
export function createReadiness (
  check: () => Promise<void>, log: Pick<FastifyBaseLogger, 'info' | 'warn'>
): Readiness {
  let running: Promise<boolean> | undefined
  let kept = { isReady: false, untilMs: 0 }
  let wasReady = true
  let isClosed = false

  function note (problem?: string): void {
    const isReady = problem === undefined
    if (isReady === wasReady || isClosed) return
    wasReady = isReady
    if (isReady) log.info('ready again')
    else log.warn(`not ready: ${problem}`)
  }

  async function run (): Promise<boolean> {
    const problem = await check().then(() => undefined, reasonOf)
    kept = { isReady: problem === undefined, untilMs: performance.now() + keptMs }
    running = undefined
    note(problem)
    return kept.isReady
  }

  return {
    async isReady () {
      if (performance.now() < kept.untilMs) return kept.isReady && !isClosed
      running ??= run()
      const isReady = await Promise.race([running, sleep(timeoutMs, undefined, { ref: false })])
      if (isReady === undefined) note(`no answer within ${timeoutMs / 1000} s`)
      return isReady === true && !isClosed
    },
    close: () => { isClosed = true }
  }
}

/** Only the line: the error itself may have the values of a query. */
const reasonOf = (error: unknown): string => withoutPasswords(lineOf(error)).replace(/^fastify-rest-auth: /, '')
