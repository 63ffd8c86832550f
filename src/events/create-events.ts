/**
 * Says what has happened to accounts: in the log, to the hook `event` and, with the option `audit`, in a table. A row
 * is written in the transaction of the act; log and hook follow when it is stored, so neither tells of what was undone.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { v7 as uuid } from 'uuid'
import { eventKindOf, type EventDetails, type EventType } from '../../schemas/events.js'
import type { Db } from '../db/database.js'
import type { EventRow } from '../db/tables.js'
import { clientOf } from '../lib/client.js'
import type { Settings } from '../settings/types.js'
import { insertEvent } from '../store/events.js'
import type { AuthEvent, BaseUser } from '../types.js'

const closeTimeoutMs = 5000

interface NewEvent extends EventDetails {
  type: EventType
  /** The user it is about, if there is one. */
  userPk?: string | undefined
  sessionId?: string | undefined
}

export interface Events {
  /**
   * Records an event in the caller's transaction, or at once outside of one. `request` is undefined for what the app's
   * own code does.
   */
  record: (tx: Db, request: FastifyRequest | undefined, event: NewEvent) => Promise<void>
  /** The event as the app sees it. */
  toEvent: (row: EventRow) => AuthEvent
  /** Waits for the hooks that are under way, for five seconds at most. */
  close: () => Promise<void>
}

interface EventsOptions {
  settings: Pick<Settings, 'audit' | 'hooks'>
  clock: () => Date
  log: FastifyBaseLogger
  /** The key of a user as the app sees it. */
  toPk: (stored: string) => BaseUser['pk'] | null
}

export function createEvents ({ settings: { audit, hooks }, clock, log: appLog, toPk }: EventsOptions): Events {
  const running = new Set<Promise<void>>()

  async function record (tx: Db, request: FastifyRequest | undefined, event: NewEvent): Promise<void> {
    const { type, userPk = null, sessionId = null, ...details } = event
    const client = request ? clientOf(request) : { ip: null, userAgent: null }
    const row = { id: uuid(), type, at: clock(), userPk, sessionId, ...client, details: withoutUndefined(details) }
    if (audit.isOn && eventKindOf(type).isStored !== false) await insertEvent(tx, row)
    tx.afterCommit(() => publish(row, request?.log ?? appLog))
  }

  function publish (row: EventRow, log: FastifyBaseLogger): void {
    const { id: _id, type, at: _at, details, ...who } = row
    const { outcome, message, isAlarm } = eventKindOf(type)
    const level = isAlarm ? 'error' : outcome === 'success' ? 'info' : 'warn'
    log[level]({ event: type, outcome, ...who, ...details }, message)
    if (hooks.event) runHook(row, log)
  }

  /** The response does not wait for it: the app may send the event to another server. */
  function runHook (row: EventRow, log: FastifyBaseLogger): void {
    const run = (async () => { await hooks.event?.(toEvent(row)) })()
      .catch((error: unknown) => log.error({ err: error, event: row.type }, 'the hook "event" failed'))
      .finally(() => running.delete(run))
    running.add(run)
  }

  const toEvent: Events['toEvent'] = ({ userPk, details, ...row }) => ({
    ...row,
    outcome: eventKindOf(row.type).outcome,
    // The type of the app's keys follows from its options, as does their form.
    userPk: userPk === null ? null : toPk(userPk) as AuthEvent['userPk'],
    ...details
  })

  async function close (): Promise<void> {
    const isDone = await Promise.race([Promise.all(running), sleep(closeTimeoutMs, undefined, { ref: false })])
    if (!isDone) appLog.warn('the app closes before the hook "event" has ended')
  }

  return { record, toEvent, close }
}

const withoutUndefined = (details: EventDetails): EventDetails =>
  Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined))
