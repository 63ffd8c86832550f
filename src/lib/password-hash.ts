/**
 * Passwords are hashed with argon2id, off the event loop, at most one a core at a time; where 64 already wait,
 * the next is refused, so that a flood of logins can't exhaust the server (ASVS 15.2.2).
 */
import { availableParallelism } from 'node:os'
import { hash as argon2, verify as verifyArgon2 } from '@node-rs/argon2'
import pLimit from 'p-limit'
import { verifyDjangoHash } from './django-password-hash.js'

export interface HashCost {
  /** KiB. */
  memoryCost: number
  timeCost: number
  parallelism: number
}

/** Thrown when the queue is full: try again in a second. */
export class HasherBusy extends Error {}

const waitingAtMost = 64
const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/

/** A stored hash is input too: one that would take gigabytes or minutes is refused unread. */
const isAffordable = (hash: string): boolean => {
  const [, m, t, p] = (phc.exec(hash) ?? []).map(Number)
  return m !== undefined && t !== undefined && p !== undefined && m <= 1048576 && t <= 20 && p <= 16
}

/** A damaged hash proves nothing: it matches no password. */
const verifyOwn = async (hash: string, password: string): Promise<boolean> =>
  isAffordable(hash) && await verifyArgon2(hash, password).catch(() => false)

export function createHasher (cost: HashCost) {
  const limit = pLimit(availableParallelism())
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    if (limit.pendingCount >= waitingAtMost) throw new HasherBusy('The password hasher is busy')
    return limit(work)
  }
  // NFC, so that é typed on a phone and é typed on a desktop are one password (NIST SP 800-63B-4 §3.1.1.2).
  const hash = async (password: string) => await queued(() => argon2(password.normalize('NFC'), cost))
  const dummy = hash('nobody has this password')

  return {
    hash,

    /** Whether the password is the one hashed; for a user without a hash the same work is done, and the answer is no. */
    async verify (stored: string | null | undefined, password: string): Promise<boolean> {
      const known = stored ?? await dummy
      const text = password.normalize('NFC')
      const matches = await queued(async () =>
        phc.test(known) ? await verifyOwn(known, text) : await verifyDjangoHash(known, password)
      )
      return matches && stored !== null && stored !== undefined
    },

    /** Whether the hash was made by another algorithm or at another cost than new ones. */
    isOutdated (stored: string): boolean {
      return !stored.startsWith(`$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`)
    }
  }
}
