/** How much work it takes to verify a stored hash, so that the same work can be done where there is none. */
import { pbkdf2, scrypt, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import { hash as argon2 } from '@node-rs/argon2'
import { hash as bcrypt } from '@node-rs/bcrypt'

export interface Work {
  /** The algorithm, with every parameter that `amount` does not cover. Amounts of one kind add up. */
  kind: string
  amount: number
  spend: (amount: number, password: string) => Promise<unknown>
}

export const derivePbkdf2 = promisify(pbkdf2)
export const deriveScrypt: (
  password: string, salt: string | Buffer, size: number, options: ScryptOptions
) => Promise<Buffer> = promisify(scrypt)

// A stored hash is input too, so one that would take gigabytes or minutes is rejected before any work is done.
const isCount = (value: number, max: number) => Number.isInteger(value) && value >= 1 && value <= max
const maxIterations = 10_000_000
const maxBcryptRounds = 15
// KiB times passes: libsodium's strongest preset, about four seconds.
const maxArgon2Amount = 2 ** 22
// Four times what OWASP recommends, and 128 MiB.
const maxScryptAmount = 2 ** 22
const maxScryptBlocks = 2 ** 20

const argon2Types = { argon2d: 0, argon2i: 1, argon2id: 2 } as const

export function argon2Work (type: keyof typeof argon2Types, [m = 0, t = 0, p = 0]: number[]): Work | undefined {
  if (!isCount(m, 2 ** 20) || !isCount(t, 20) || !isCount(p, 16)) return undefined
  if (m < 8 * p || m * t > maxArgon2Amount) return undefined
  const options = { algorithm: argon2Types[type], memoryCost: m, timeCost: t, parallelism: p }
  return {
    kind: `${type} m=${m},t=${t},p=${p}`,
    amount: m * t,
    spend: async (_amount, password) => await argon2(password, options)
  }
}

function pbkdf2Work (digest: string, [iterations = 0]: number[]): Work | undefined {
  if (!isCount(iterations, maxIterations)) return undefined
  return {
    kind: `pbkdf2 ${digest}`,
    amount: iterations,
    spend: async (amount, password) => await derivePbkdf2(password, 'salt', amount, 20, digest)
  }
}

function scryptWork (_name: string, [N = 0, r = 0, p = 0]: number[]): Work | undefined {
  if (!isCount(N, 2 ** 18) || !isCount(r, 32) || !isCount(p, 16)) return undefined
  const isPowerOfTwo = N > 1 && Number.isInteger(Math.log2(N))
  if (!isPowerOfTwo || N * r > maxScryptBlocks || N * r * p > maxScryptAmount) return undefined
  return {
    kind: `scrypt N=${N},r=${r},p=${p}`,
    amount: N * r * p,
    spend: async (_amount, password) => await deriveScrypt(password, 'salt', 64, scryptOptions(N, r, p))
  }
}

const phcScryptWork = (name: string, [ln = 0, r = 0, p = 0]: number[]) => scryptWork(name, [2 ** ln, r, p])

/** What better-auth and Lucia use, and do not write into the hash. */
export const betterAuthScrypt = { N: 16384, r: 16, p: 1 }
const betterAuthWork = (name: string) => scryptWork(name, Object.values(betterAuthScrypt))

export const scryptOptions = (N: number, r: number, p: number): ScryptOptions => ({ N, r, p, maxmem: 256 * N * r })

function bcryptWork (_name: string, [rounds = 0]: number[]): Work | undefined {
  if (rounds < 4 || rounds > maxBcryptRounds) return undefined
  return {
    kind: 'bcrypt',
    amount: 2 ** rounds,
    // Each bit of the amount is one hash: from 2¹⁰ to 2¹² there is one of 2¹⁰ and one of 2¹¹.
    async spend (amount, password) {
      for (let cost = 4; cost <= maxBcryptRounds; cost++) if (amount & 2 ** cost) await bcrypt(password, cost)
    }
  }
}

/** The algorithm is the first group of each pattern, and the numbers are the rest. */
const formats: Array<[RegExp, (algorithm: never, numbers: number[]) => Work | undefined]> = [
  [/^(?:argon2)?\$(argon2(?:id|i|d))\$(?:v=\d+\$)?m=(\d+),t=(\d+),p=(\d+)(?:\$[+/\dA-Za-z]+){2}$/, argon2Work],
  [/^pbkdf2_(sha256|sha1)\$(\d+)\$[^$]+\$[+/\dA-Za-z]{27,43}=$/, pbkdf2Work],
  [/^(scrypt)\$(\d+)\$[^$]+\$(\d+)\$(\d+)\$[+/\dA-Za-z]{86}==$/, scryptWork],
  [/^(bcrypt(?:_sha256)?)\$\$2[abxy]\$(\d\d)\$[./\dA-Za-z]{53}$/, bcryptWork],
  [/^\$(2[aby])\$(\d\d)\$[./\dA-Za-z]{53}$/, bcryptWork],
  [/^\$(scrypt)\$ln=(\d+),r=(\d+),p=(\d+)\$[+/\dA-Za-z]+\$[+/\dA-Za-z]{22,}$/, phcScryptWork],
  [/^([\da-f]{32}):[\da-f]{128}$/, betterAuthWork]
]

/** The work of verifying this hash; undefined if it matches no password: unreadable, Django's `!…` or too expensive. */
export function workOf (hash: string): Work | undefined {
  for (const [pattern, read] of formats) {
    const [, algorithm, ...numbers] = pattern.exec(hash) ?? []
    if (algorithm !== undefined) return read(algorithm as never, numbers.map(Number))
  }
  return undefined
}

/** What remains to be done of all the work that is in use, once `done` of it is. */
export const workLeft = (inUse: Iterable<Work>, done?: Work): Work[] =>
  [...inUse]
    .map(work => ({ ...work, amount: work.amount - (work.kind === done?.kind ? done.amount : 0) }))
    .filter(({ amount }) => amount > 0)

/** Collects the work of stored hashes: of each kind the most. */
export function createWorkInUse (...works: Work[]) {
  const most = new Map<string, Work>()
  function note (work: Work): void {
    if (work.amount > (most.get(work.kind)?.amount ?? 0)) most.set(work.kind, work)
  }
  works.forEach(note)
  return { note, all: () => most.values() }
}
