/**
 * No mail is ever lost, and none delays an answer: a flow puts a row into the outbox in its own transaction; the
 * dispatcher, after the answer, claims it, renders it, sends it, and tries again until it is sent or hopeless.
 *
 * Several processes may run one each. A row is claimed by moving its due time ahead, so whatever a killed process
 * had claimed is due again a minute later. SMTP knows no exactly-once: a process that dies between the server's
 * answer and our note of it sends a mail twice, with the same Message-ID and the same link.
 */
import { AsyncResource } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import pLimit from 'p-limit'
import { v7 as uuid } from 'uuid'
import type { Database, Db } from '../db/database.js'
import { redactQueryError } from '../db/errors.js'
import type { MailRow } from '../db/tables.js'
import { secondsAfter } from '../lib/time.js'
import { claimMails, deleteMail, deleteSentMails, insertMail, recordOutcome } from '../store/outbox.js'
import { PermanentMailError, type MailMessage } from './message.js'
import { retentionSeconds, type MailPolicy } from './policies.js'
import type { PreparedMail } from './prepare.js'
import type { Transport } from './transport.js'

// Seconds. The lease outlasts the longest attempt, which the transport ends after 30.
const leaseSeconds = 60
const firstRetrySeconds = 30
const maxTries = 8
const batchSize = 10
const orphanedAfterSeconds = 3600
// Milliseconds: the look after a flow, the looks for what other processes left, how long closing waits for mails and a
// mail for the app's own functions, and how long closing waits for what it has cut off to be noted.
const wakeDelayMs = 25
const pollMs = 5000
const timeoutMs = 5000
const closeGraceMs = 1000
const jittered = (delay: number) => delay * (0.5 + Math.random())

export interface Recipient {
  /** Whoever has this address, if anybody: looked up when the mail is sent, so that the answer can't tell. */
  address?: string | undefined
  userPk?: string
}

interface OutboxOptions {
  /** The path of this registration of the plugin: others on the same database have templates and links of their own. */
  origin: string
  db: Database
  clock: () => Date
  log: FastifyBaseLogger
  transport: Transport
  policies: Record<string, MailPolicy>
  prepare: (mail: MailRow, kind: MailPolicy) => Promise<PreparedMail | undefined>
  compose: (mail: MailRow, admitted: PreparedMail, kind: MailPolicy | undefined) => Promise<MailMessage>
  /** Hears of every message before it is sent. */
  onMessage?: ((id: string, message: MailMessage) => void) | undefined
}

const anyUserPolicy: MailPolicy = { isWanted: () => true }

export function createOutbox ({ origin, db, clock, log, transport, policies, prepare, compose, onMessage }: OutboxOptions) {
  const turns = pLimit(1)
  const later = (seconds: number) => secondsAfter(clock(), seconds)
  // The first look is not put off by every further mail.
  let woken = false
  let closed = false
  let stopped = false

  async function drain (): Promise<void> {
    for (;;) {
      const mails = stopped
        ? []
        : await claimMails(db, {
          origin,
          now: clock(),
          abandoned: later(-orphanedAfterSeconds),
          leaseEnd: later(leaseSeconds),
          limit: batchSize
        })
      if (mails.length === 0) return
      await Promise.all(mails.map(deliver))
      await deleteSentMails(db, later(-retentionSeconds))
    }
  }

  async function deliver (mail: MailRow): Promise<void> {
    try {
      const kind = (Object.hasOwn(policies, mail.template) && policies[mail.template]) || anyUserPolicy
      const admitted = await prepare(mail, kind)
      if (!admitted) return await deleteMail(db, mail.id)
      const message = await Promise.race([compose(mail, admitted, kind), sleep(timeoutMs, undefined, { ref: false })])
      if (!message) throw new Error(`the mail was not written within ${timeoutMs / 1000} s`)
      // Its lease runs out, and the next start sends it.
      if (stopped) return
      onMessage?.(mail.id, message)
      await transport.send(message)
      await recordOutcome(db, mail, { dueAt: null, sentAt: clock() })
    } catch (error) {
      await postpone(mail, error).catch(complain)
    }
  }

  async function postpone (mail: MailRow, error: unknown): Promise<void> {
    const { id, template, attempts } = mail
    const isHopeless = error instanceof PermanentMailError || attempts >= maxTries
    const err = redactQueryError(error)
    const lastError = (err instanceof Error ? err.message : String(err)).slice(0, 500)
    log[isHopeless ? 'error' : 'warn'](
      { mail: { id, template, attempts }, err },
      isHopeless ? 'mail given up' : 'mail not sent yet'
    )
    await recordOutcome(
      db,
      mail,
      isHopeless
        ? { dueAt: null, failedAt: clock(), lastError }
        : { dueAt: later(firstRetrySeconds * 2 ** (attempts - 1)), lastError }
    )
  }

  const complain = (error: unknown) => log.warn({ err: redactQueryError(error) }, 'the outbox could not be read')
  const run = () => turns(drain).catch(complain)
  // A timer started in a transaction would else believe itself inside it.
  const wake = AsyncResource.bind(() => {
    if (closed || woken) return
    woken = true
    setTimeout(() => {
      woken = false
      if (!closed) void run()
    }, jittered(wakeDelayMs)).unref()
  })
  const timer = setInterval(wake, jittered(pollMs)).unref()

  return {
    /** Queues a mail in the flow's own transaction; call `wake` once that is committed. */
    async enqueue (tx: Db, template: string, { address, userPk }: Recipient, variables: object = {}): Promise<string> {
      const id = uuid()
      await insertMail(tx, {
        id,
        origin,
        template,
        address: address ?? null,
        userPk: userPk ?? null,
        variables,
        createdAt: clock()
      })
      return id
    },

    /** Has the dispatcher look soon: not at once, so that the answer is out before whatever the mail costs. */
    wake,

    /** Sends whatever is due, and resolves when it is sent or postponed. */
    flush: () => turns(drain),

    /** Sends what is due, as far as that takes no longer than five seconds; the rest waits for the next start. */
    async close (): Promise<void> {
      closed = true
      clearInterval(timer)
      const sent = run()
      await Promise.race([sent, sleep(timeoutMs, undefined, { ref: false })])
      stopped = true
      await transport.close()
      await Promise.race([sent, sleep(closeGraceMs, undefined, { ref: false })])
    }
  }
}
export type Outbox = ReturnType<typeof createOutbox>
