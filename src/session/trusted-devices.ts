/**
 * A device that a user has logged in at keeps a token that says so (OWASP, "Slow Down Online Guessing Attacks with
 * Device Cookies"). With it, its attempts count apart: strangers who try passwords elsewhere do not keep the user out.
 */
import { randomBytes } from 'node:crypto'
import { createTokenDeriver, isEqual } from '../lib/secrets.js'

/** As long as browsers keep a cookie (RFC 6265bis §5.5). */
export const deviceTokenSeconds = 400 * 86400

export interface TrustedDevices {
  /** A new token for a user. */
  issue: (userPk: string) => string
  /** The ID of the device; undefined if the token is not one of this user's, or too old. */
  idOf: (token: string | undefined, userPk: string) => string | undefined
}

/** The first secret signs, all verify. */
export function createTrustedDevices (secrets: readonly string[], clock: () => Date): TrustedDevices {
  const signers = secrets.map(secret => createTokenDeriver(secret, 'trusted devices'))
  const secondsNow = () => Math.floor(clock().getTime() / 1000)

  return {
    issue (userPk) {
      const [id, issued] = [randomBytes(16).toString('base64url'), String(secondsNow())]
      return [id, issued, signers[0]?.(userPk, id, issued)].join('.')
    },

    idOf (token = '', userPk) {
      const [id = '', issued = '', signature = ''] = token.split('.')
      const isGenuine = signers.some(sign => isEqual(Buffer.from(sign(userPk, id, issued)), Buffer.from(signature)))
      return isGenuine && secondsNow() - Number(issued) < deviceTokenSeconds ? id : undefined
    }
  }
}
