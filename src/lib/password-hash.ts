/** argon2id, at most one hash per core. Only 64 may wait: a flood must not exhaust the server (ASVS 15.2.2). */
import { availableParallelism } from 'node:os'
import { hash as argon2, verify as verifyArgon2 } from '@node-rs/argon2'
import pLimit from 'p-limit'
import { verifyDjangoHash } from './django-password-hash.js'

export interface HashCost {
  /** KiB. */
  memoryCost: number
  /** Passes over the memory. */
  timeCost: number
  parallelism: number
}

/** Thrown when the queue is full. Retry after a second. */
export class HasherBusy extends Error {}

const maxWaiting = 64
const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/

// A stored hash is input too, so one that would take gigabytes or minutes is rejected before any work is done.
const isAffordable = (hash: string): boolean => {
  const [, m, t, p] = (phc.exec(hash) ?? []).map(Number)
  return m !== undefined && t !== undefined && p !== undefined && m <= 1048576 && t <= 20 && p <= 16
}

// A damaged hash matches no password.
const verifyOwn = async (hash: string, password: string): Promise<boolean> =>
  isAffordable(hash) && await verifyArgon2(hash, password).catch(() => false)

/** Functions that throw `HasherBusy` while the queue is full. */
export function createHasher (cost: HashCost) {
  const limit = pLimit(availableParallelism())
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    if (limit.pendingCount >= maxWaiting) throw new HasherBusy('The password hasher is busy')
    return limit(work)
  }
  // NFC, because devices encode an é in different ways (NIST SP 800-63B-4 §3.1.1.2).
  const hash = async (password: string) => await queued(() => argon2(password.normalize('NFC'), cost))
  const dummy = hash('nobody has this password')

  /** Whether the password matches. Without a stored hash the same work is done, so that the time reveals nothing. */
  async function verify (stored: string | null | undefined, password: string): Promise<boolean> {
    const known = stored ?? await dummy
    const text = password.normalize('NFC')
    const matches = await queued(async () =>
      phc.test(known) ? await verifyOwn(known, text) : await verifyDjangoHash(known, password)
    )
    return matches && stored !== null && stored !== undefined
  }

  function isOutdated (stored: string): boolean {
    const { memoryCost, timeCost, parallelism } = cost
    return !stored.startsWith(`$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`)
  }

  return { hash, verify, isOutdated }
}
