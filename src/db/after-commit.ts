/** What a transaction leaves to be done once it has ended well, such as a line in the log. */
import type { Db } from './database.js'

type AfterCommit = Db['afterCommit']

/** Outside of a transaction every statement is stored at once. */
export const runNow: AfterCommit = work => work()

/** Runs an attempt at a transaction, then what it asked for. What an attempt that fails asked for is forgotten. */
export async function untilCommitted<T> (attempt: (afterCommit: AfterCommit) => Promise<T>): Promise<T> {
  const waiting: Array<() => void> = []
  const result = await attempt(work => { waiting.push(work) })
  for (const work of waiting) work()
  return result
}
