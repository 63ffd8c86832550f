/**
 * The provider's tokens, where the app asked to keep them: encrypted (RFC 7516), so that the database alone, or a copy of
 * it, opens nothing at the provider; and bound to their account, so that none can be put in another's place.
 */
import { hkdfSync } from 'node:crypto'
import type { SocialAccountRow } from '../db/tables.js'
import { keyId } from '../lib/secrets.js'
import type { ProviderTokens } from '../oauth/types.js'

type Owner = Pick<SocialAccountRow, 'issuer' | 'subject'>

const keyOf = (secret: string) =>
  new Uint8Array(hkdfSync('sha256', secret, '', 'fastify-rest-auth provider tokens', 32))

/** Of several secrets the first encrypts, all decrypt. */
export function createProviderTokens (secrets: readonly string[]) {
  const [current = ''] = secrets

  return {
    async encrypt (tokens: ProviderTokens, { issuer, subject }: Owner): Promise<string> {
      const { CompactEncrypt } = await import('jose')
      return await new CompactEncrypt(new TextEncoder().encode(JSON.stringify({ issuer, subject, tokens })))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: keyId(current) }).encrypt(keyOf(current))
    },

    /** Undefined where they were sealed by a secret that is no more. */
    async decrypt (sealed: string, owner: Owner): Promise<ProviderTokens | undefined> {
      const { compactDecrypt, decodeProtectedHeader } = await import('jose')
      const { kid } = decodeProtectedHeader(sealed)
      const secret = secrets.find(one => keyId(one) === kid)
      if (secret === undefined) return undefined
      const { plaintext } = await compactDecrypt(sealed, keyOf(secret), {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM']
      })
      const { issuer, subject, tokens } = JSON.parse(new TextDecoder().decode(plaintext))
      return issuer === owner.issuer && subject === owner.subject ? tokens : undefined
    }
  }
}
export type SealedTokens = ReturnType<typeof createProviderTokens>
