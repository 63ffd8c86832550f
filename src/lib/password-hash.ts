/**
 * argon2id, at most one hash per core. Imported hashes that take longer wait in a queue of their own, so that other
 * logins do not wait for them. Both queues have a limit: a flood must not exhaust the server (ASVS 15.2.2).
 */
import { availableParallelism } from 'node:os'
import { hash as argon2 } from '@node-rs/argon2'
import { createFairQueue, QueueFull } from './fair-queue.js'
import { verifyStoredHash } from './stored-password-hash.js'
import { argon2Work, createWorkInUse, workLeft, workOf, type Work } from './password-work.js'

export interface HashCost {
  /** KiB. */
  memoryCost: number
  /** Passes over the memory. */
  timeCost: number
  parallelism: number
  /** Put before each hash, so that only a hasher with the same tag can read it. */
  tag?: string
}

/** The queue was full before any work was done, for a known and an unknown user alike: no password was checked. */
export class NothingChecked extends QueueFull {}

const maxWaiting = 64
// Of Node's four threads for such work, slow hashes may occupy one. Each of those waiting may take half a second.
const slowAtOnce = 1
const maxWaitingSlow = 16

/**
 * Returns `hash` and `verify`, which throw `QueueFull` if `client` must come back later. `readHashes` returns stored
 * hashes, from which the hasher learns what work is in use; null stands for none.
 */
export function createHasher (cost: HashCost, readHashes: () => Promise<Array<string | null>> = async () => []) {
  const { memoryCost, timeCost, parallelism, tag = '' } = cost
  const own = argon2Work('argon2id', [memoryCost, timeCost, parallelism])
  const mainQueue = createFairQueue(availableParallelism(), maxWaiting)
  const slowQueue = createFairQueue(slowAtOnce, maxWaitingSlow)
  const queueOf = ({ kind, amount }: Work) =>
    kind.startsWith('argon2') && amount <= memoryCost * timeCost ? mainQueue : slowQueue
  const { note, all } = createWorkInUse(...own ? [own] : [])
  let learned: Promise<void> | undefined

  // NFC, because devices encode an é in different ways (NIST SP 800-63B-4 §3.1.1.2).
  const hash = async (password: string, client = '') =>
    `${tag}${await mainQueue(client, () => argon2(password.normalize('NFC'), { memoryCost, timeCost, parallelism }))}`
  const withoutTag = (stored: string) => stored.startsWith(tag) ? stored.slice(tag.length) : stored

  /**
   * Whether the password matches. Every failure does the same work, with a stored hash of any kind and without one:
   * that of verifying the hash, and then what is left of all the work in use. So its time reveals nothing.
   */
  async function verify (stored: string | null | undefined, password: string, client = ''): Promise<boolean> {
    await learn()
    try {
      return await verifyInFull(stored, password, client)
    } catch (error) {
      // With several kinds of work, a full queue may follow the check, and another one for an unknown user.
      const hasOneStep = [...all()].length === 1
      throw error instanceof QueueFull && hasOneStep ? new NothingChecked() : error
    }
  }

  async function verifyInFull (
    stored: string | null | undefined, password: string, client: string
  ): Promise<boolean> {
    const readable = withoutTag(stored ?? '')
    const work = workOf(readable)
    const matches = work && await queueOf(work)(client, () => verifyAny(readable, password))
    if (matches) return true
    const done = matches === false ? work : undefined
    if (done) note(done)
    for (const left of workLeft(all(), done)) {
      // A damaged hash may have parameters that its algorithm refuses.
      await queueOf(left)(client, () => left.spend(left.amount, password).catch(() => {}))
    }
    return false
  }

  /** Reads the stored hashes once; again if that failed. */
  async function learn (): Promise<void> {
    learned ??= readHashes().then(hashes => {
      for (const work of hashes.map(known => workOf(withoutTag(known ?? '')))) if (work) note(work)
    })
    await learned.catch(error => { learned = undefined; throw error })
  }

  /** Whether the stored hash, which this password matches, should give way to a new one. */
  function isOutdated (stored: string, password: string): boolean {
    if (/^(?:bcrypt\$|\$2)/.test(stored) && mayBeCut(password)) return false
    // A hash without the tag may belong to an app that could not read one with it, and its owner would be locked out.
    if (!stored.startsWith(tag)) return false
    return !stored.startsWith(`${tag}$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`)
  }

  return { hash, verify, isOutdated }
}

/**
 * bcrypt reads 72 bytes. So a password of so many may be another than the one that was hashed, and a new hash of it
 * would lock the owner out.
 */
const mayBeCut = (password: string): boolean => Buffer.byteLength(password) >= 72

/** Undefined if the hash turns out to be damaged: then no work was done. */
const verifyAny = async (stored: string, password: string): Promise<boolean | undefined> =>
  await verifyStoredHash(stored, password).catch(() => undefined)
