/**
 * Whether a user logs in from a device that they have not used before. A device that sends the token of an earlier
 * login is known. Without one it is recognised by its network and its browser, whatever the version of the browser.
 */
import type { FastifyRequest } from 'fastify'
import type { Db } from '../db/database.js'
import { networkOf } from '../lib/network.js'
import { hashToken } from '../lib/secrets.js'
import { secondsAfter } from '../lib/time.js'
import { listKnownDevices, rememberDevice } from '../store/known-devices.js'
import type { TokenTransport } from './token-transport.js'
import type { TrustedDevices } from './trusted-devices.js'

/** To write it at each login would cost more, and tell nothing more. */
const rememberAgainSeconds = 86400

export interface KnownDevicesOptions {
  clock: () => Date
  tokenTransport: TokenTransport
  trustedDevices: TrustedDevices
}

/** Returns a function that remembers the device of a login, and tells whether it is new. */
export const createKnownDevices = ({ clock, tokenTransport, trustedDevices }: KnownDevicesOptions) =>
  async function isNewDevice (tx: Db, userPk: string, request: FastifyRequest): Promise<boolean> {
    if (trustedDevices.idOf(tokenTransport.readDeviceToken(request), userPk) !== undefined) return false
    const [now, device] = [clock(), deviceOf(userPk, request)]
    const known = await listKnownDevices(tx, userPk)
    const found = known.find(row => row.device === device)
    if (!found || found.lastSeenAt <= secondsAfter(now, -rememberAgainSeconds)) {
      await rememberDevice(tx, { userPk, device, lastSeenAt: now })
    }
    // The first device of a user is no news.
    return known.length > 0 && !found
  }

const deviceOf = (userPk: string, { ip, headers }: FastifyRequest): string =>
  hashToken(JSON.stringify([userPk, networkOf(ip), headers['user-agent']?.replace(/[\d.]+/g, '') ?? '']))
