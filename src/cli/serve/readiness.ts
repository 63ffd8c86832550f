/** Whether the server can answer requests. Anybody may ask: so one check runs at a time, and its result is kept. */
import { setTimeout as sleep } from 'node:timers/promises'

const keptMs = 1000
const timeoutMs = 2000

export interface Readiness {
  /** Resolves within two seconds; false from `close` on. */
  isReady: () => Promise<boolean>
  close: () => void
}

/** `check` may reject, or take long: the server is not ready then. */
export function createReadiness (check: () => Promise<boolean>): Readiness {
  let running: Promise<boolean> | undefined
  let kept = { isReady: false, untilMs: 0 }
  let isClosed = false

  async function run (): Promise<boolean> {
    const isReady = await check().catch(() => false)
    kept = { isReady, untilMs: performance.now() + keptMs }
    running = undefined
    return isReady
  }

  return {
    async isReady () {
      if (performance.now() < kept.untilMs) return kept.isReady && !isClosed
      running ??= run()
      return await Promise.race([running, sleep(timeoutMs, false, { ref: false })]) && !isClosed
    },
    close: () => { isClosed = true }
  }
}
