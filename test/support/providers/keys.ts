/** Keys with which the providers of the tests sign ID tokens; each provider has its own while its test runs. */
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose'
import type { Test } from '../build.js'

export interface SigningKey {
  kid: string
  publicJwk: JWK
  privateJwk: JWK
  sign: (claims: JWTPayload, header?: object) => Promise<string>
}

// Generating an RSA key takes longer than most tests.
const free: SigningKey[] = []
let made = 0

export async function takeSigningKey (t: Test): Promise<SigningKey> {
  const key = free.pop() ?? await createSigningKey()
  t.teardown(() => { free.push(key) })
  return key
}

async function createSigningKey (): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const kid = `key-${++made}`
  const use = { kid, use: 'sig', alg: 'RS256' }
  return {
    kid,
    publicJwk: { ...await exportJWK(publicKey), ...use },
    privateJwk: { ...await exportJWK(privateKey), ...use },
    sign: async (claims, header) =>
      await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, ...header }).sign(privateKey)
  }
}
