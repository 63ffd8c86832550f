/**
 * Sends the queued mails. Claiming a row moves its due time ahead, so the mails of a killed process are due again a
 * minute later. One that was sent but not recorded is sent twice, with the same Message-ID and link.
 */
import { AsyncResource } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import pLimit from 'p-limit'
import type { Database } from '../db/database.js'
import { redactQueryError } from '../db/errors.js'
import type { MailRow } from '../db/tables.js'
import { secondsAfter } from '../lib/time.js'
import { claimMails, deleteMail, deleteSentMails, deleteUndeliverable, recordOutcome } from '../store/outbox.js'
import { PermanentMailError, type MailMessage } from './message.js'
import type { MailPolicy } from './policies.js'
import type { PreparedMail } from './prepare.js'
import type { Transport } from './transport.js'

// The lease outlasts the longest attempt, which the transport ends after 30 seconds.
const leaseSeconds = 60
const firstRetrySeconds = 30
const maxAttempts = 8
const batchSize = 10
// For one statement, which other queries wait for on SQLite.
const undeliverableAtOnce = 500
// Rows of another registration of the plugin that nobody claimed for so long: that registration no longer exists.
const orphanedAfterSeconds = 3600
// A mail goes out soon after the transaction that queued it; polling finds those that other processes left behind.
const wakeDelayMs = 25
const pollMs = 5000
// For rendering a mail, which may call the app's functions; and for `close`, which first sends the mails that are due,
// then cuts the connections and waits a grace period for the outcomes to be recorded.
const timeoutMs = 5000
const closeGraceMs = 1000

const jittered = (delayMs: number) => delayMs * (0.5 + Math.random())
/** Waits no longer than that: then it resolves to undefined, while the work continues. */
const within = <T>(ms: number, work: Promise<T>) => Promise.race([work, sleep(ms, undefined, { ref: false })])

export interface DispatcherOptions {
  /** The path of this registration of the plugin; others on the same database have their own templates and links. */
  origin: string
  db: Database
  clock: () => Date
  log: FastifyBaseLogger
  transport: Transport
  policies: Record<string, MailPolicy>
  retentionSeconds: number
  prepare: (mail: MailRow, policy: MailPolicy) => Promise<PreparedMail | undefined>
  compose: (mail: MailRow, prepared: PreparedMail, policy: MailPolicy) => Promise<MailMessage>
  onMessage?: ((id: string, message: MailMessage) => void) | undefined
  /** Nothing is sent but by `flush`. */
  isManual: boolean
}

/** Starts polling at once; `close` ends it. */
export function createDispatcher (options: DispatcherOptions) {
  const takeTurn = pLimit(1)
  const stop = new AbortController()
  const deliver = createDeliver(options, stop.signal)
  let [isAwake, isClosed] = [false, false]

  const flush = () => takeTurn(async () => {
    while (!stop.signal.aborted) {
      const mails = await claimDueMails(options)
      if (mails.length === 0) return
      await Promise.all(mails.map(deliver))
      await deleteSentMails(options.db, secondsAfter(options.clock(), -options.retentionSeconds))
    }
  })
  const flushOrLog = () => flush().catch(error => logDatabaseError(options.log, error))

  // Bound: a timer started inside a transaction would believe that it is part of it. A second mail does not restart
  // the timer, so that the first is not delayed.
  const wake = AsyncResource.bind(() => {
    if (isClosed || isAwake || options.isManual) return
    isAwake = true
    setTimeout(() => {
      isAwake = false
      if (!isClosed) void flushOrLog()
    }, jittered(wakeDelayMs)).unref()
  })
  const polling = setInterval(wake, jittered(pollMs)).unref()

  async function close (): Promise<void> {
    isClosed = true
    clearInterval(polling)
    const flushed = options.isManual ? Promise.resolve() : flushOrLog()
    await within(timeoutMs, flushed)
    stop.abort()
    await options.transport.close()
    await within(closeGraceMs, flushed)
  }

  return { wake, flush, close }
}

async function claimDueMails ({ origin, db, clock }: DispatcherOptions): Promise<MailRow[]> {
  const now = clock()
  const limit = undeliverableAtOnce
  while (await deleteUndeliverable(db, { origin, now, limit }) === limit);
  const abandoned = secondsAfter(now, -orphanedAfterSeconds)
  return await claimMails(db, { origin, now, abandoned, leaseEnd: secondsAfter(now, leaseSeconds), limit: batchSize })
}

/** Delivers one claimed mail; a failure is logged and recorded, never thrown. */
function createDeliver (
  { db, clock, log, transport, policies, prepare, compose, onMessage }: DispatcherOptions,
  stopped: AbortSignal
) {
  return async function deliver (mail: MailRow): Promise<void> {
    try {
      await attempt(mail)
    } catch (error) {
      await postponeOrGiveUp(mail, error).catch(failure => logDatabaseError(log, failure))
    }
  }

  async function attempt (mail: MailRow): Promise<void> {
    const policy = (Object.hasOwn(policies, mail.template) && policies[mail.template]) || anyUserPolicy
    const prepared = await prepare(mail, policy)
    if (!prepared) return await deleteMail(db, mail.id)
    const message = await within(timeoutMs, compose(mail, prepared, policy))
    if (!message) throw new Error(`the mail was not written within ${timeoutMs / 1000} s`)
    // Once its lease has run out, the next start sends it.
    if (stopped.aborted) return
    onMessage?.(mail.id, message)
    await transport.send(message)
    await recordOutcome(db, mail, { dueAt: null, sentAt: clock() })
  }

  async function postponeOrGiveUp (mail: MailRow, error: unknown): Promise<void> {
    const { id, template, attempts } = mail
    const isHopeless = error instanceof PermanentMailError || attempts >= maxAttempts
    const err = redactQueryError(error)
    const lastError = (err instanceof Error ? err.message : String(err)).slice(0, 500)
    const context = { mail: { id, template, attempts }, err }
    if (isHopeless) log.error(context, 'mail given up')
    else log.warn(context, 'mail not sent yet')
    const retryAt = secondsAfter(clock(), firstRetrySeconds * 2 ** (attempts - 1))
    const outcome = isHopeless ? { dueAt: null, failedAt: clock() } : { dueAt: retryAt }
    await recordOutcome(db, mail, { ...outcome, lastError })
  }
}

/** For the app's own templates: every user with an address gets them, as often as the app sends them. */
const anyUserPolicy: MailPolicy = { isWanted: () => true }

const logDatabaseError = (log: FastifyBaseLogger, error: unknown) =>
  log.warn({ err: redactQueryError(error) }, 'the outbox is not available')
