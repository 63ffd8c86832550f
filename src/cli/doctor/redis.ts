/** Checks the Redis of `limits.store`. */
import { createRedisStore } from '../../limits/redis-store.js'
import type { Settings } from '../../settings/types.js'
import type { Check } from './check.js'

export async function checkRedis ({ limits: { store: target } }: Settings): Promise<Check[]> {
  if (target === undefined) return []
  let problem: Error | undefined
  const store = await createRedisStore(target, error => { problem = error })
  try {
    // No limit: this runs the script without counting anything.
    await store.count([], new Date())
    return [{ name: 'redis', status: 'ok', message: 'answers' }]
  } catch (error) {
    const { message } = problem ?? (error instanceof Error ? error : new Error(String(error)))
    const line = `does not answer (${message}); logins are refused until it does`
    return [{ name: 'redis', status: 'failed', message: line }]
  } finally {
    await store.close()
  }
}
