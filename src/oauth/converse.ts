/** One call of a social client: its metadata first, all of it in time, and a word in the log if it fails. */
import type { FastifyBaseLogger } from 'fastify'
import type { Metadata } from './discovery.js'
import { ProviderProblem, withinTime } from './problem.js'

interface Circumstances {
  metadataOf: (signal: AbortSignal) => Promise<Metadata>
  log: Pick<FastifyBaseLogger, 'warn' | 'error'>
  /** Milliseconds. */
  patience: number
}

export function createConverse (provider: string, { metadataOf, log, patience }: Circumstances) {
  return async function converse<T> (talk: (metadata: Metadata, signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.timeout(patience)
    try {
      return await withinTime(metadataOf(signal).then(async metadata => await talk(metadata, signal)), signal)
    } catch (error) {
      // What the app's people have to mend is an error; the rest happens.
      if (error instanceof ProviderProblem) log[error.ours ? 'error' : 'warn']({ provider, code: error.code, reason: error.reason }, 'a provider confirmed no login')
      throw error
    }
  }
}
