/**
 * Signs Apple's client secret, a JWT that each app creates with its own key:
 * https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { refuseOption } from '../lib/refuse-option.js'
import { readSigningKey } from '../lib/signing-keys.js'

interface AppleKey {
  teamId: string
  keyId: string
  /** PKCS#8 PEM, as in the .p8 file; line breaks may be written as `\n`, as in environment variables. */
  privateKey: string
}

/** Apple allows six months at most. */
const lifetimeSeconds = 3600
/** A secret is replaced this long before it expires. */
const renewalSeconds = 600

/** Returns a function that signs a secret and renews it in time. Throws an option error for an invalid key. */
export function createAppleSecret (
  option: string,
  clientId: string,
  { teamId, keyId, privateKey }: AppleKey
): (now: Date) => Promise<string> {
  const key = readKey(option, privateKey)
  let current: { secret: Promise<string>, renewAt: number } | undefined
  return now => {
    const iat = Math.floor(now.getTime() / 1000)
    const exp = iat + lifetimeSeconds
    // The last condition: the clock was set back.
    if (!current || iat >= current.renewAt || iat < current.renewAt - lifetimeSeconds) {
      const claims = { iss: teamId, sub: clientId, aud: 'https://appleid.apple.com', iat, exp }
      current = { secret: sign(claims, keyId, key), renewAt: exp - renewalSeconds }
    }
    return current.secret
  }
}

/** Loads jose on demand, because only apps with Apple need it. */
async function sign (claims: JWTPayload, kid: string, key: KeyObject): Promise<string> {
  const { SignJWT } = await import('jose')
  return await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(key)
}

function readKey (option: string, privateKey: string): KeyObject {
  try {
    const { secret } = readSigningKey(privateKey.replaceAll('\\n', '\n'), 'ES256')
    if (typeof secret === 'object' && secret.private !== undefined) return createPrivateKey(secret.private)
  } catch (error) {
    return refuseOption(`${option}.privateKey: ${error instanceof Error ? error.message : 'invalid'}`)
  }
  return refuseOption(`${option}.privateKey: must be a private key: the content of Apple's file AuthKey_….p8`)
}
