/** Counts attempts in Redis, for all instances together. The time is that of the app, as in the database. */
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { refuseOption } from '../lib/refuse-option.js'
import { clockSkewSeconds } from '../lib/time.js'
import type { LimitStore } from './store.js'

/** What is needed of a client of ioredis. */
interface RedisClient {
  eval: (script: string, keyCount: number, ...keysAndValues: string[]) => Promise<unknown>
  del: (...keys: string[]) => Promise<unknown>
}

// In braces, so that a cluster keeps all keys on one node, and a script may use several.
const keyOf = ({ key }: { key: string }) => `{fastify-rest-auth}:${key}`

// Redis forgets a key by its own clock, a little after its count is over by ours. A count that ends later than one
// that begins now is from before our clock was set back.
const skewMs = clockSkewSeconds * 1000

/**
 * ARGV: now, then quota and length of each bucket. Returns 0 and the end times, or the number of the bucket that is
 * full for longest, and its end.
 */
const countScript = `
local now = tonumber(ARGV[1])
local function read(i)
  local used, resets = unpack(redis.call('HMGET', KEYS[i], 'used', 'resets_at'))
  local length = tonumber(ARGV[2 * i + 1])
  resets = tonumber(resets or 0)
  local live = resets > now and resets <= now + length + ${skewMs}
  return live, tonumber(used or 0), resets, length
end
local full, latest = 0, 0
for i = 1, #KEYS do
  local live, used, resets = read(i)
  if live and used >= tonumber(ARGV[2 * i]) and resets > latest then full, latest = i, resets end
end
if full > 0 then return { full, string.format('%.0f', latest) } end
local result = { 0 }
for i = 1, #KEYS do
  local live, used, resets, length = read(i)
  if not live then used, resets = 0, now + length end
  redis.call('HSET', KEYS[i], 'used', used + 1, 'resets_at', string.format('%.0f', resets))
  redis.call('PEXPIRE', KEYS[i], length + ${skewMs})
  result[i + 1] = string.format('%.0f', resets)
end
return result`

/** ARGV: the end time of the count that each attempt belongs to. */
const uncountScript = `
for i = 1, #KEYS do
  local used, resets = unpack(redis.call('HMGET', KEYS[i], 'used', 'resets_at'))
  if resets == ARGV[i] and tonumber(used) > 0 then redis.call('HINCRBY', KEYS[i], 'used', -1) end
end`

// A login waits no longer for Redis.
const timeoutMs = 2000

/** `target` is a URL or a client of ioredis; `onError` gets the errors of a connection of our own. */
export async function createRedisStore (
  target: string | object, onError: (error: Error) => void
): Promise<LimitStore & { close: () => Promise<void> }> {
  const { client, close } = typeof target === 'string'
    ? await connect(target, onError)
    : { client: checked(target), close: async () => {} }
  const run = async (script: string, keys: readonly string[], values: readonly string[]) =>
    await inTime(client.eval(script, keys.length, ...keys, ...values))
  return {
    async count (buckets, now) {
      const values = buckets.flatMap(({ quota, seconds }) => [String(quota), String(seconds * 1000)])
      const reply = await run(countScript, buckets.map(keyOf), [String(now.getTime()), ...values])
      const [full = 0, ...times] = Array.from(Object(reply), Number)
      const timeOf = (index: number) => new Date(times[index] ?? 0)
      const bucket = buckets[full - 1]
      return bucket
        ? { bucket, resetsAt: timeOf(0) }
        : buckets.map((counted, index) => ({ ...counted, resetsAt: timeOf(index) }))
    },
    async uncount (counted) {
      if (counted.length === 0) return
      await run(uncountScript, counted.map(keyOf), counted.map(({ resetsAt }) => String(resetsAt.getTime())))
    },
    async clear (buckets) {
      if (buckets.length > 0) await inTime(client.del(...buckets.map(keyOf)))
    },
    close
  }
}

/** Without a connection, a command fails at once instead of waiting for one. */
async function connect (url: string, onError: (error: Error) => void) {
  const { Redis } = await import('ioredis').catch(error => {
    throw new Error('limits.store: Redis needs the package ioredis (npm install ioredis)', { cause: error })
  })
  const client = new Redis(url, { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 })
  client.on('error', onError)
  // The app also starts while Redis is down, and uses it once it is back.
  await inTime(client.connect()).catch(() => {})
  return { client, close: async () => { client.disconnect() } }
}

function checked (client: object): RedisClient {
  if ('eval' in client && typeof client.eval === 'function' && 'del' in client) return client as RedisClient
  return refuseOption('limits.store: must be a redis:// URL or an ioredis client')
}

async function inTime<T> (work: Promise<T>): Promise<T> {
  const answered = new AbortController()
  try {
    const tooLate = late(answered.signal)
    tooLate.catch(() => {})
    return await Promise.race([work, tooLate])
  } finally {
    answered.abort()
    work.catch(() => {})
  }
}

async function late (signal: AbortSignal): Promise<never> {
  await sleep(timeoutMs, undefined, { ref: false, signal })
  // Where this process was busy for so long, the answer may have arrived, but was not read yet.
  await setImmediate(undefined, { ref: false, signal })
  throw new Error(`Redis did not answer within ${timeoutMs} ms`)
}
