/**
 * Whether a user logs in from a device that they have not used before. A device that sends the token of an earlier
 * login is known. Without one it is recognised by its network and its browser, in any version.
 */
import type { FastifyRequest } from 'fastify'
import type { Db } from '../db/database.js'
import { networkOf } from '../lib/network.js'
import { hashToken } from '../lib/secrets.js'
import { secondsAfter } from '../lib/time.js'
import { findKnownDevice, hasKnownDevice, rememberDevice } from '../store/known-devices.js'
import type { TokenTransport } from './token-transport.js'
import type { TrustedDevices } from './trusted-devices.js'

// Once a day is enough, and saves a write at each login.
const rememberAgainSeconds = 86400
// More than anybody uses: a program may send another user agent each time.
const maxDevices = 50

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
    const found = await findKnownDevice(tx, device)
    // The first device of a user is no news.
    const isNew = !found && await hasKnownDevice(tx, userPk)
    if (!found || found.lastSeenAt <= secondsAfter(now, -rememberAgainSeconds)) {
      await rememberDevice(tx, { userPk, device, lastSeenAt: now }, maxDevices)
    }
    return isNew
  }

const deviceOf = (userPk: string, { ip, headers }: FastifyRequest): string =>
  hashToken(JSON.stringify([userPk, networkOf(ip), headers['user-agent']?.replace(/[\d.]+/g, '') ?? '']))
