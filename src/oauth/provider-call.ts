/** One call of a social client: its metadata first, all of it in time, and a word in the log if it fails. */
import type { Metadata } from './discovery.js'
import { logProblem, ProviderProblem, withinTime, type ProblemLog } from './provider-error.js'

interface Circumstances {
  metadataOf: (signal: AbortSignal) => Promise<Metadata>
  log: ProblemLog
  /** Milliseconds. */
  patience: number
}

export function createConverse (provider: string, { metadataOf, log, patience }: Circumstances) {
  return async function converse<T> (talk: (metadata: Metadata, signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.timeout(patience)
    try {
      return await withinTime(metadataOf(signal).then(async metadata => await talk(metadata, signal)), signal)
    } catch (error) {
      if (error instanceof ProviderProblem) logProblem(log, provider, error)
      throw error
    }
  }
}
