/** One check of `doctor`: what it found, and what to mend. */
import { setTimeout as sleep } from 'node:timers/promises'
import { lineOf } from '../error-line.js'

/** `skipped`: it could not be checked from here, which is no fault. */
export type Status = 'ok' | 'warning' | 'failed' | 'skipped'

export interface Check {
  name: string
  status: Status
  /** One line. */
  message: string
}

// Longer than each step takes by its own limits: reaching a database, a mail server.
const timeoutMs = 20_000

/** Runs a check, whose errors are failures, within a time limit. */
export async function within (name: string, work: () => Promise<Check[]>): Promise<Check[]> {
  const tooLate = async (): Promise<Check[]> => {
    await sleep(timeoutMs, undefined, { ref: false })
    return [{ name, status: 'failed', message: `no answer within ${timeoutMs / 1000} s` }]
  }
  try {
    return await Promise.race([work(), tooLate()])
  } catch (error) {
    return [{ name, status: 'failed', message: lineOf(error).replace(/^fastify-rest-auth: /, '') }]
  }
}
