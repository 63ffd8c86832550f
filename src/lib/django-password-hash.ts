/** Verifies the password hashes of Django (`PASSWORD_HASHERS`), so that imported passwords keep working. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { verify as verifyArgon2 } from '@node-rs/argon2'
import { verify as verifyBcrypt } from '@node-rs/bcrypt'
import { derivePbkdf2, deriveScrypt, scryptOptions } from './password-work.js'

type Verifier = (parts: string[], password: string, hash: string) => Promise<boolean>

const pbkdf2Verifier =
  (digest: 'sha256' | 'sha1', size: number): Verifier =>
    async ([, iterations, salt = '', expected = ''], password) =>
      isEqual(await derivePbkdf2(password, salt, Number(iterations), size, digest), Buffer.from(expected, 'base64'))

const scryptVerifier: Verifier = async ([, N, salt = '', r, p, expected = ''], password) => {
  const derived = await deriveScrypt(password, salt, 64, scryptOptions(Number(N), Number(r), Number(p)))
  return isEqual(derived, Buffer.from(expected, 'base64'))
}

const argon2Verifier: Verifier = async (_parts, password, hash) =>
  await verifyArgon2(hash.slice('argon2'.length), password)

const cryptOf = (hash: string) => hash.slice(hash.indexOf('$') + 1)

const verifiers = new Map<string, Verifier>([
  ['pbkdf2_sha256', pbkdf2Verifier('sha256', 32)],
  ['pbkdf2_sha1', pbkdf2Verifier('sha1', 20)],
  ['scrypt', scryptVerifier],
  ['argon2', argon2Verifier],
  ['bcrypt_sha256', async (_parts, password, hash) =>
    await verifyBcrypt(createHash('sha256').update(password).digest('hex'), cryptOf(hash))],
  ['bcrypt', async (_parts, password, hash) => await verifyBcrypt(password, cryptOf(hash))]
])

/** Whether the password matches a hash that `workOf` can read. Throws if the hash turns out to be damaged. */
export async function verifyDjangoHash (hash: string, password: string): Promise<boolean> {
  const parts = hash.split('$')
  return await verifiers.get(parts[0] ?? '')?.(parts, password, hash) ?? false
}

const isEqual = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)
