/** One call of a social client: its metadata first, all of it in time, and a word in the log if it fails. */
import type { Metadata } from './discovery.js'
import { logProviderError, ProviderError, withinTime, type ProviderLog } from './provider-error.js'

interface ProviderCallOptions {
  metadataOf: (signal: AbortSignal) => Promise<Metadata>
  log: ProviderLog
  /** Milliseconds. */
  timeoutMs: number
}

export function createProviderCall (provider: string, { metadataOf, log, timeoutMs }: ProviderCallOptions) {
  return async function withMetadata<T> (talk: (metadata: Metadata, signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      return await withinTime(metadataOf(signal).then(async metadata => await talk(metadata, signal)), signal)
    } catch (error) {
      if (error instanceof ProviderError) logProviderError(log, provider, error)
      throw error
    }
  }
}
