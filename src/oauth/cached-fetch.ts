/** Fetches a value on demand and caches it. Concurrent callers share one fetch; failures are not cached. */
import { withinTime } from './provider-error.js'

export interface CachedFetch<T> {
  get: (signal: AbortSignal) => Promise<T>
  /** Fetches again, unless the last attempt was less than `cooldownMs` ago: then the cached value. */
  refetch: (signal: AbortSignal, cooldownMs: number) => Promise<T>
}

interface CachedFetchOptions<T> {
  load: (signal: AbortSignal) => Promise<T>
  ttlMs: number
  timeoutMs: number
  clock: () => Date
}

export function createCachedFetch<T> ({ load, ttlMs, timeoutMs, clock }: CachedFetchOptions<T>): CachedFetch<T> {
  let cached: { value: T, fetchedAt: number } | undefined
  let lastAttemptAt = -Infinity
  let running: Promise<T> | undefined

  const fetchOnce = async () => {
    lastAttemptAt = clock().getTime()
    const value = await load(AbortSignal.timeout(timeoutMs))
    cached = { value, fetchedAt: clock().getTime() }
    return value
  }
  // Each caller waits until its own deadline; the shared fetch has another one.
  const fetchShared = async (signal: AbortSignal) => {
    running ??= fetchOnce().finally(() => { running = undefined })
    return await withinTime(running, signal)
  }
  const isWithin = (time: number, spanMs: number) => clock().getTime() < time + spanMs

  return {
    get: async signal => cached && isWithin(cached.fetchedAt, ttlMs) ? cached.value : await fetchShared(signal),
    refetch: async (signal, cooldownMs) =>
      cached && !running && isWithin(lastAttemptAt, cooldownMs) ? cached.value : await fetchShared(signal)
  }
}
