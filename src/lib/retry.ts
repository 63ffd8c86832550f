/** Retries an operation that another process or request got in the way of. */
import { setTimeout as sleep } from 'node:timers/promises'

interface RetryOptions {
  attempts: number
  /** Whether this error is worth another attempt; may throw a better error instead. */
  when: (error: unknown) => boolean | Promise<boolean>
  /** The pause before the next attempt, none by default. `attempt` counts from 1, and took `tookMs`. */
  waitMs?: (attempt: number, tookMs: number) => number
}

/** Runs `work` until it succeeds; throws its error when no attempt is left or the error is another one. */
export async function retry<T> (work: () => Promise<T>, { attempts, when, waitMs }: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const startedMs = performance.now()
    try {
      return await work()
    } catch (error) {
      if (attempt === attempts || !await when(error)) throw error
      if (waitMs) await sleep(waitMs(attempt, performance.now() - startedMs))
    }
  }
}
