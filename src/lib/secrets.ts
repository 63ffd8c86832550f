/** Random tokens, their hashes, tokens derived from a secret, and a check for weak secrets. */
import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 random bits, safe in a URL (RFC 6749 §10.10 recommends 160). */
export const mintToken = (): string => randomBytes(32).toString('base64url')

/** The hash to store in place of a token. Unsalted SHA-256 is enough for 256 random bits (ASVS 6.5.2). */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url')

/** Whether the bytes are the same, in a time that does not tell where they differ. */
export const isEqual = (one: Buffer, other: Buffer): boolean =>
  one.length === other.length && timingSafeEqual(one, other)

/** A name for a signing secret that does not reveal it, for the `kid` of a token. */
export const keyId = (secret: string): string =>
  createHmac('sha256', secret).update('fastify-rest-auth kid').digest('base64url').slice(0, 8)

/** The same words give the same token, so it need not be stored (RFC 5869, RFC 2104). Each purpose has its own key. */
export function createTokenDeriver (secret: string, purpose: string): (...words: string[]) => string {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `fastify-rest-auth ${purpose}`, 32))
  return (...words) => createHmac('sha256', key).update(JSON.stringify(words)).digest('base64url')
}

const samples = /secret|password|changeme|change-me|example|keyboard|your-|replace|0123456789|abcdefgh/i

/** What makes a signing secret weak, or undefined. HS256 needs 256 random bits (RFC 7518 §3.2), not a phrase. */
export function weakness (secret: string): string | undefined {
  if (Buffer.byteLength(secret) < 32) return 'is shorter than 32 bytes'
  if (new Set(secret).size < 12) return 'has too few different characters'
  if (samples.test(secret)) return 'looks like an example value'
  const isHex = /^[\da-f]+$/i.test(secret)
  if (isHex && secret.length < 64) return `has only ${secret.length * 4} bits: 64 hex digits make 256`
  if (/\s/.test(secret)) return 'looks like a passphrase, which can be guessed'
  return undefined
}
