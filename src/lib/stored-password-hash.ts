/** Verifies stored hashes: our own, and those of other systems, so that imported passwords keep working. */
import { createHash } from 'node:crypto'
import { verify as verifyArgon2 } from '@node-rs/argon2'
import { verify as verifyBcrypt } from '@node-rs/bcrypt'
import { betterAuthScrypt, derivePbkdf2, deriveScrypt, scryptOptions } from './password-work.js'
import { isEqual } from './secrets.js'

type Verifier = (parts: string[], password: string, hash: string) => Promise<boolean>

const pbkdf2Verifier =
  (digest: 'sha256' | 'sha1', size: number): Verifier =>
    async ([, iterations, salt = '', expected = ''], password) =>
      isEqual(await derivePbkdf2(password, salt, Number(iterations), size, digest), Buffer.from(expected, 'base64'))

const scryptVerifier: Verifier = async ([, N, salt = '', r, p, expected = ''], password) => {
  const derived = await deriveScrypt(password, salt, 64, scryptOptions(Number(N), Number(r), Number(p)))
  return isEqual(derived, Buffer.from(expected, 'base64'))
}

/** A PHC string: `$scrypt$ln=14,r=8,p=1$salt$key`, in base64 without padding. */
const phcScryptVerifier: Verifier = async ([, , parameters = '', salt = '', expected = ''], password) => {
  const [ln = 0, r = 0, p = 0] = parameters.match(/\d+/g)?.map(Number) ?? []
  const key = Buffer.from(expected, 'base64')
  const saltBytes = Buffer.from(salt, 'base64')
  return isEqual(await deriveScrypt(password, saltBytes, key.length, scryptOptions(2 ** ln, r, p)), key)
}

/** `salt:key` in hexadecimal digits; the digits are the salt. */
const betterAuthVerifier: Verifier = async (_parts, password, hash) => {
  const [salt = '', expected = ''] = hash.split(':')
  const key = Buffer.from(expected, 'hex')
  const { N, r, p } = betterAuthScrypt
  return isEqual(await deriveScrypt(password.normalize('NFKC'), salt, key.length, scryptOptions(N, r, p)), key)
}

const cryptOf = (hash: string) => hash.slice(hash.indexOf('$') + 1)

// By how a hash begins. The first six are those of Django's `PASSWORD_HASHERS`; our own begin with `$argon2id$`.
const verifiers: Array<[start: string, Verifier]> = [
  ['pbkdf2_sha256$', pbkdf2Verifier('sha256', 32)],
  ['pbkdf2_sha1$', pbkdf2Verifier('sha1', 20)],
  ['scrypt$', scryptVerifier],
  ['argon2$', async (_parts, password, hash) => await verifyArgon2(hash.slice('argon2'.length), password)],
  ['bcrypt_sha256$', async (_parts, password, hash) =>
    await verifyBcrypt(createHash('sha256').update(password).digest('hex'), cryptOf(hash))],
  ['bcrypt$', async (_parts, password, hash) => await verifyBcrypt(password, cryptOf(hash))],
  ['$2', async (_parts, password, hash) => await verifyBcrypt(password, hash)],
  ['$argon2', async (_parts, password, hash) => await verifyArgon2(hash, password.normalize('NFC'))],
  ['$scrypt$', phcScryptVerifier],
  ['', betterAuthVerifier]
]

/** Whether the password matches a hash that `workOf` can read. Throws if the hash turns out to be damaged. */
export async function verifyStoredHash (hash: string, password: string): Promise<boolean> {
  const [, verify] = verifiers.find(([start]) => hash.startsWith(start)) ?? []
  return await verify?.(hash.split('$'), password, hash) ?? false
}
