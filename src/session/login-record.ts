/** What is recorded of every login, and the mail to a user who logs in from a new device. */
import type { FastifyRequest } from 'fastify'
import type { EventDetails } from '../../schemas/events.js'
import type { Db } from '../db/database.js'
import type { SessionRow } from '../db/tables.js'
import type { Events } from '../events/create-events.js'
import { describeClient } from '../lib/client.js'
import type { Outbox } from '../mail/outbox.js'
import type { Settings } from '../settings/types.js'
import { authenticationOf } from './authentication-event.js'
import { createKnownDevices, type KnownDevicesOptions } from './known-devices.js'

export interface LoginRecordOptions extends KnownDevicesOptions {
  events: Events
  outbox: Outbox
  settings: Settings
}

/** Returns a function for the transaction of a login, called when its session is stored. */
export function createLoginRecord ({ events, outbox, settings, ...options }: LoginRecordOptions) {
  const isNewDevice = createKnownDevices(options)

  return async function recordLoginEvent (
    tx: Db, session: SessionRow, request: FastifyRequest, details: EventDetails = {}
  ): Promise<void> {
    const { id: sessionId, userPk } = session
    const newDevice = await isNewDevice(tx, userPk, request)
    const { amr } = authenticationOf(session)
    await events.record(tx, request, { type: 'login_succeeded', userPk, sessionId, amr, newDevice, ...details })
    if (!newDevice || !settings.sessions.notifyNewDevice) return
    await outbox.enqueue(tx, 'new-device', { userPk }, describeClient(request))
    tx.afterCommit(outbox.wake)
  }
}
