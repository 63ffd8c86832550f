/** Random secrets: what is handed out, what is stored of it, and what is too weak to sign with. */
import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** 256 random bits, safe in a URL (RFC 6749 §10.10 asks for 160). */
export const mintToken = (): string => randomBytes(32).toString('base64url')

/** What the database keeps of a 256-bit token: a plain hash is enough where guessing is hopeless (ASVS 6.5.2). */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url')

/** Names a signing secret without telling it, for the `kid` of a token. */
export const keyId = (secret: string): string =>
  createHmac('sha256', secret).update('fastify-rest-auth kid').digest('base64url').slice(0, 8)

/**
 * A maker of tokens that are the same for the same words and hopeless to guess without the secret (RFC 5869, RFC 2104):
 * what can be made again need not be stored. Each purpose has a key of its own.
 */
export function createTokenDeriver (secret: string, purpose: string): (...words: string[]) => string {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `fastify-rest-auth ${purpose}`, 32))
  return (...words) => createHmac('sha256', key).update(JSON.stringify(words)).digest('base64url')
}

const samples = /secret|password|changeme|change-me|example|keyboard|your-|replace|0123456789|abcdefgh/i

/** What is wrong with a signing secret, or undefined: HS256 wants 256 bits (RFC 7518 §3.2), not a phrase. */
export function weakness (secret: string): string | undefined {
  if (Buffer.byteLength(secret) < 32) return 'is shorter than 32 bytes'
  if (new Set(secret).size < 12) return 'repeats itself'
  if (samples.test(secret)) return 'looks like a sample'
  return undefined
}
