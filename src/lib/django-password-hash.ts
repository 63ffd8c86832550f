/** Verifies the password hashes of Django (`PASSWORD_HASHERS`), so that imported passwords keep working. */
import { createHash, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { verify as verifyArgon2 } from '@node-rs/argon2'
import { compare as verifyBcrypt } from 'bcryptjs'
import pLimit from 'p-limit'

type Verifier = (parts: string[], password: string, hash: string) => Promise<boolean>

const derivePbkdf2 = promisify(pbkdf2)

// A stored hash is input too, so hashes with higher costs are rejected before any work is done.
const maxIterations = 10_000_000
const maxScryptN = 2 ** 18
const maxBcryptRounds = 15

const pbkdf2Verifier =
  (algorithm: 'sha256' | 'sha1'): Verifier =>
    async ([, iterations = '', salt = '', expected = ''], password) => {
      const rounds = Number(iterations)
      if (!Number.isInteger(rounds) || rounds < 1 || rounds > maxIterations) return false
      const known = Buffer.from(expected, 'base64')
      return isEqual(await derivePbkdf2(password, salt, rounds, algorithm === 'sha256' ? 32 : 20, algorithm), known)
    }

const scryptVerifier: Verifier = async ([, work = '', salt = '', r = '', p = '', expected = ''], password) => {
  const N = Number(work)
  if (!Number.isInteger(N) || N < 2 || N > maxScryptN || Number(r) > 32 || Number(p) > 16) return false
  const options = { N, r: Number(r), p: Number(p), maxmem: 256 * N * Number(r) }
  const derived = await new Promise<Buffer>((resolve, reject) => {
    scrypt(password, salt, 64, options, (error, key) => error ? reject(error) : resolve(key))
  })
  return isEqual(derived, Buffer.from(expected, 'base64'))
}

const argon2Verifier: Verifier = async (_parts, password, hash) => {
  const [, m = '', t = '', p = ''] = /\$m=(\d+),t=(\d+),p=(\d+)\$/.exec(hash) ?? []
  if (m === '' || Number(m) > 1048576 || Number(t) > 20 || Number(p) > 16) return false
  return await verifyArgon2(hash.slice('argon2'.length), password)
}

// bcryptjs runs on the event loop, in slices, so hashes are verified one at a time.
const bcryptTurns = pLimit(1)

const bcryptVerifier = (prehashed: boolean): Verifier => async (_parts, password, hash) => {
  const crypt = hash.slice(hash.indexOf('$') + 1)
  if (!(Number(crypt.split('$')[2]) <= maxBcryptRounds)) return false
  return await bcryptTurns(() =>
    verifyBcrypt(prehashed ? createHash('sha256').update(password).digest('hex') : password, crypt)
  )
}

const verifiers = new Map<string, Verifier>([
  ['pbkdf2_sha256', pbkdf2Verifier('sha256')],
  ['pbkdf2_sha1', pbkdf2Verifier('sha1')],
  ['scrypt', scryptVerifier],
  ['argon2', argon2Verifier],
  ['bcrypt_sha256', bcryptVerifier(true)],
  ['bcrypt', bcryptVerifier(false)]
])

/** Whether the password matches; false for an unreadable hash (`!…` is Django's "no usable password"). */
export async function verifyDjangoHash (hash: string, password: string): Promise<boolean> {
  const parts = hash.split('$')
  try {
    return await verifiers.get(parts[0] ?? '')?.(parts, password, hash) ?? false
  } catch {
    // A damaged hash fails closed, like a wrong password.
    return false
  }
}

const isEqual = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)
