/**
 * Limits how often an action is tried. An attempt is counted before the work begins, so that of many at once no more
 * than allowed get through; what succeeds is not a guess, and is taken out again.
 */
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { limitedActions, type LimitedAction, type LimitedActionName } from '../../schemas/limited-actions.js'
import { messageOf } from '../../schemas/errors.js'
import { redactQueryError } from '../db/errors.js'
import { Failure } from '../errors/failure.js'
import { isForwarded } from '../lib/local-request.js'
import { networkOf } from '../lib/network.js'
import { NothingChecked } from '../lib/password-hash.js'
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
  /** Nothing was tried: the attempt no longer counts. */
  withdraw: () => Promise<void>
}

/** Runs the check of one password. If the server is too busy to check it, the attempt is withdrawn. */
export const withdrawnIfUnchecked = async <T>(attempt: Attempt, check: () => Promise<T>): Promise<T> =>
  await check().catch(async error => {
    if (error instanceof NothingChecked) await attempt.withdraw()
    throw error
  })

interface LimiterOptions {
  settings: LimitSettings
  store: LimitStore
  /** Tells the app from others that use the same store. */
  scope: string
  clock: () => Date
  log: FastifyBaseLogger
  /** Called when a limit is reached. */
  onReached: (request: FastifyRequest, action: LimitedActionName) => Promise<void>
}

export function createLimiter ({ settings: { actions }, store, scope, clock, log, onReached }: LimiterOptions) {
  /** Counts an attempt. Throws 429 `too_many_requests` if a limit is reached. */
  async function count (action: LimitedActionName, request: FastifyRequest, subject: Subject = {}): Promise<Attempt> {
    const limits = actions.get(action)?.filter(({ by }) => by === 'ip' || subject[by] !== undefined) ?? []
    if (limits.length === 0) return unlimited
    warnOfProxy(request)
    const now = clock()
    const buckets = limits.map(limit => toBucket(action, limit, networkOf(request.ip), subject))
    const counted = await countOrLog(action, buckets, now)
    if (!counted) return unlimited
    if ('bucket' in counted) {
      await onReached(request, action)
      throw tooManyRequests(action, counted, now)
    }
    const isOfAddress = (_bucket: Counted, index: number) => limits[index]?.by === 'ip'
    return {
      // An address keeps what others have tried from it: only this attempt is taken out.
      succeeded: async () => await orLog(async () => {
        await store.uncount(counted.filter(isOfAddress))
        await store.clear(counted.filter((bucket, index) => !isOfAddress(bucket, index)))
      }),
      withdraw: async () => await orLog(async () => await store.uncount(counted))
    }
  }

  let isWarned = false
  function warnOfProxy ({ ip, raw }: FastifyRequest): void {
    if (isWarned || ip !== raw.socket.remoteAddress || !isForwarded(raw)) return
    isWarned = true
    log.warn('fastify-rest-auth: requests come through a proxy, and all clients share its limits by address; ' +
      'set the option trustProxy of Fastify to its address (see docs/limits.md)')
  }

  /** After a new password, the failures of the old one no longer count. */
  async function clear (action: LimitedActionName, accounts: readonly string[]): Promise<void> {
    const limits = actions.get(action)?.filter(({ by }) => by === 'account') ?? []
    const buckets = limits.flatMap(limit => accounts.map(account => toBucket(action, limit, '', { account })))
    await orLog(async () => await store.clear(buckets))
  }

  function toBucket (
    action: LimitedActionName, { rule, by, quota, seconds }: Limit, network: string, subject: Subject
  ): Bucket {
    const parts = [by === 'account' ? null : network, by === 'ip' ? null : subject[by]]
    return { key: hashToken(JSON.stringify([scope, action, rule, ...parts])), quota, seconds }
  }

  /** Undefined without the store: then no password may be tried, and everything else is allowed. */
  async function countOrLog (action: LimitedActionName, buckets: readonly Bucket[], now: Date) {
    try {
      return await store.count(buckets, now)
    } catch (error) {
      logFailure(error, action)
      const { triesPassword = false }: LimitedAction = limitedActions[action]
      if (!triesPassword) return undefined
      throw new Failure('service_unavailable', { headers: { 'retry-after': '1' } })
    }
  }

  const orLog = async (work: () => Promise<void>): Promise<void> => { await work().catch(error => logFailure(error)) }
  const logFailure = (error: unknown, action?: LimitedActionName) =>
    log.error({ err: redactQueryError(error), action }, 'the limits are not available')

  return { count, clear }
}
export type Limiter = ReturnType<typeof createLimiter>

const unlimited: Attempt = { succeeded: async () => {}, withdraw: async () => {} }

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
