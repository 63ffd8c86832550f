/** Runs one call of a social client: fetches the metadata, enforces the deadline, and logs a failure. */
import type { Metadata } from './discovery.js'
import { logProviderError, ProviderError, withinTime, type ProviderLog } from './provider-error.js'

interface ProviderCallOptions {
  metadataOf: (signal: AbortSignal) => Promise<Metadata>
  log: ProviderLog
  timeoutMs: number
}

export function createProviderCall (provider: string, { metadataOf, log, timeoutMs }: ProviderCallOptions) {
  return async function withMetadata<T> (
    call: (metadata: Metadata, signal: AbortSignal) => Promise<T>,
    whatFailed?: string
  ): Promise<T> {
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      return await withinTime(metadataOf(signal).then(async metadata => await call(metadata, signal)), signal)
    } catch (error) {
      if (error instanceof ProviderError) logProviderError(log, provider, error, whatFailed)
      throw error
    }
  }
}
