/** Apple has no client secret but one that the app signs for itself: https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { refuseOption } from '../lib/refuse-option.js'
import { readSigningKey } from '../lib/signing-keys.js'

interface AppleKey {
  teamId: string
  keyId: string
  /** PKCS#8 PEM, as in the .p8 file; `\n` for line breaks will do, as environment variables have it. */
  privateKey: string
}

/** Seconds that a secret is good for; Apple allows half a year. */
const lifetime = 3600

/** Signs a secret, and a new one from ten minutes before it ends. A key that can't is refused at once, by the option's path. */
export function createAppleSecret (option: string, clientId: string, { teamId, keyId, privateKey }: AppleKey): (now: Date) => Promise<string> {
  const key = readKey(option, privateKey)
  let current: { secret: Promise<string>, until: number } | undefined
  return now => {
    const time = Math.floor(now.getTime() / 1000)
    if (!current || time >= current.until || time < current.until - lifetime) {
      current = {
        secret: sign(
          { iss: teamId, sub: clientId, aud: 'https://appleid.apple.com', iat: time, exp: time + lifetime },
          keyId,
          key
        ),
        until: time + lifetime - 600
      }
    }
    return current.secret
  }
}

/** jose takes time to load, which only whoever logs in by Apple need spend. */
async function sign (claims: JWTPayload, kid: string, key: KeyObject): Promise<string> {
  const { SignJWT } = await import('jose')
  return await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(key)
}

function readKey (option: string, privateKey: string): KeyObject {
  try {
    const { secret } = readSigningKey(privateKey.replaceAll('\\n', '\n'), 'ES256')
    if (typeof secret === 'object' && secret.private !== undefined) return createPrivateKey(secret.private)
  } catch (error) {
    return refuseOption(`${option}.privateKey: ${(error as Error).message}`)
  }
  return refuseOption(`${option}.privateKey: is no private key; Apple gives it in a file AuthKey_….p8`)
}
