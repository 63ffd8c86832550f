/**
 * What is fetched when it is needed and kept for a while. Whoever waits at the same time waits for one fetch; a failure is
 * told to them and forgotten.
 */
import { withinTime } from './provider-error.js'

export interface CachedFetch<T> {
  get: (signal: AbortSignal) => Promise<T>
  /** Fetches again, unless that was tried within so many milliseconds: then what is there. */
  refetch: (signal: AbortSignal, cooldownMs: number) => Promise<T>
}

interface CachedFetchOptions<T> {
  load: (signal: AbortSignal) => Promise<T>
  /** Milliseconds. */
  ttlMs: number
  timeoutMs: number
  clock: () => Date
}

export function createCachedFetch<T> ({ load, ttlMs, timeoutMs, clock }: CachedFetchOptions<T>): CachedFetch<T> {
  let kept: { value: T, at: number } | undefined
  let triedAt = -Infinity
  let running: Promise<T> | undefined

  const fetchOnce = async () => {
    triedAt = clock().getTime()
    const value = await load(AbortSignal.timeout(timeoutMs))
    kept = { value, at: clock().getTime() }
    return value
  }
  // Not in the time of the one who came first: the others have theirs.
  const fetchForAll = async (signal: AbortSignal) => {
    running ??= fetchOnce().finally(() => { running = undefined })
    return await withinTime(running, signal)
  }
  const isWithin = (time: number, spanMs: number) => clock().getTime() < time + spanMs

  return {
    get: async signal => kept && isWithin(kept.at, ttlMs) ? kept.value : await fetchForAll(signal),
    refetch: async (signal, cooldown) =>
      kept && !running && isWithin(triedAt, cooldown) ? kept.value : await fetchForAll(signal)
  }
}
