/**
 * Limits how often an action is tried. An attempt is counted before the work begins, so that of many at once no more
 * than allowed get through; what succeeds is not a guess, and is taken out again.
 */
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { LimitedActionName } from '../../schemas/limited-actions.js'
import { messageOf } from '../../schemas/errors.js'
import { redactQueryError } from '../db/errors.js'
import { Failure } from '../errors/failure.js'
import { networkOf } from '../lib/network.js'
import { hashToken } from '../lib/secrets.js'
import type { Limit, LimitSettings } from '../settings/limits.js'
import type { Bucket, Counted, Full, LimitStore } from './store.js'

/** Whom an attempt is about, in canonical form. Looked up nowhere: an unknown account has the same limits. */
export interface Subject {
  account?: string | undefined
  mailbox?: string | undefined
}

export interface Attempt {
  /** The attempt was no guess: it no longer counts, and the earlier ones at this account neither. */
  succeeded: () => Promise<void>
}

interface LimiterOptions {
  settings: LimitSettings
  store: LimitStore
  /** Tells the app from others that use the same store. */
  scope: string
  clock: () => Date
  log: FastifyBaseLogger
}

/** Actions that guess a password. While their limits are unknown, none of them may be tried. */
const guesses: ReadonlySet<LimitedActionName> = new Set(['login', 'reauthenticate', 'passwordChange'])

export function createLimiter ({ settings: { actions }, store, scope, clock, log }: LimiterOptions) {
  /** Counts an attempt. Throws 429 `too_many_requests` if a limit is reached. */
  async function count (action: LimitedActionName, request: FastifyRequest, subject: Subject = {}): Promise<Attempt> {
    const limits = actions.get(action)?.filter(({ by }) => by === 'ip' || subject[by] !== undefined) ?? []
    if (limits.length === 0) return unlimited
    const now = clock()
    const buckets = limits.map(limit => toBucket(action, limit, request, subject))
    const counted = await orWithout(action, () => store.count(buckets, now))
    if (counted && 'bucket' in counted) throw tooManyRequests(action, counted, now)
    return { succeeded: async () => { if (counted) await orWithout(undefined, () => forget(counted, limits)) } }
  }

  function toBucket (
    action: LimitedActionName, { rule, by, quota, seconds }: Limit, { ip }: FastifyRequest, subject: Subject
  ): Bucket {
    const network = by === 'account' ? undefined : networkOf(ip)
    const name = by === 'ip' ? undefined : subject[by]
    return { key: hashToken(JSON.stringify([scope, action, rule, network, name])), quota, seconds }
  }

  /** An address keeps what others have tried from it: only this attempt is taken out. */
  async function forget (counted: readonly Counted[], limits: readonly Limit[]): Promise<void> {
    const isOfAddress = (_bucket: Counted, index: number) => limits[index]?.by === 'ip'
    await store.uncount(counted.filter(isOfAddress))
    await store.clear(counted.filter((bucket, index) => !isOfAddress(bucket, index)))
  }

  /** Without the store, guesses are refused and everything else is allowed. */
  async function orWithout<T> (action: LimitedActionName | undefined, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      log.error({ err: redactQueryError(error), action }, 'the limits are not available')
      if (action === undefined || !guesses.has(action)) return undefined
      throw new Failure('service_unavailable', { headers: { 'retry-after': '1' } })
    }
  }

  return { count }
}
export type Limiter = ReturnType<typeof createLimiter>

const unlimited: Attempt = { succeeded: async () => {} }

/** RFC 6585 §4, draft-ietf-httpapi-ratelimit-headers. Only the limit that is reached: others tell of other people. */
function tooManyRequests (action: string, { bucket: { quota, seconds }, resetsAt }: Full, now: Date): Failure {
  const wait = Math.max(1, Math.ceil((resetsAt.getTime() - now.getTime()) / 1000))
  return new Failure('too_many_requests', {
    message: messageOf('too_many_requests', { seconds: wait }),
    headers: {
      'retry-after': String(wait),
      'ratelimit-policy': `"${action}";q=${quota};w=${seconds}`,
      ratelimit: `"${action}";r=0;t=${wait}`
    }
  })
}
