/**
 * Encrypts the provider's tokens (JWE, RFC 7516) if the app stores them, so that a leaked database gives no access to
 * the provider. Each ciphertext is bound to its social account, so that it can't be moved to another one.
 */
import { hkdfSync } from 'node:crypto'
import type { SocialAccountRow } from '../db/tables.js'
import { keyId } from '../lib/secrets.js'
import type { ProviderTokens } from '../oauth/types.js'

type Owner = Pick<SocialAccountRow, 'issuer' | 'subject'>

const keyOf = (secret: string) =>
  new Uint8Array(hkdfSync('sha256', secret, '', 'fastify-rest-auth provider tokens', 32))

/** The first secret encrypts; every secret can decrypt. */
export function createProviderTokens (secrets: readonly string[]) {
  const [current = ''] = secrets

  async function encrypt (tokens: ProviderTokens, { issuer, subject }: Owner): Promise<string> {
    const { CompactEncrypt } = await import('jose')
    return await new CompactEncrypt(new TextEncoder().encode(JSON.stringify({ issuer, subject, tokens })))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: keyId(current) })
      .encrypt(keyOf(current))
  }

  /** Undefined if their secret is no longer configured, or they belong to another account. */
  async function decrypt (ciphertext: string, owner: Owner): Promise<ProviderTokens | undefined> {
    const { compactDecrypt, decodeProtectedHeader } = await import('jose')
    const { kid } = decodeProtectedHeader(ciphertext)
    const secret = secrets.find(one => keyId(one) === kid)
    if (secret === undefined) return undefined
    const { plaintext } = await compactDecrypt(ciphertext, keyOf(secret), {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM']
    })
    const { issuer, subject, tokens } = JSON.parse(new TextDecoder().decode(plaintext))
    return issuer === owner.issuer && subject === owner.subject ? tokens : undefined
  }

  return { encrypt, decrypt }
}
export type ProviderTokenCipher = ReturnType<typeof createProviderTokens>
