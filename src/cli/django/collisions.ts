/**
 * Finds users of Django who would be the same user here, because Django compares addresses and usernames by their
 * letters. The one with a verified address stays; of several, the one who logged in last, and then the oldest.
 */
import { createHash } from 'node:crypto'

export interface Contender {
  pk: string
  /** What no two users may have in common. */
  identifiers: readonly string[]
  verified: boolean
  /** ISO 8601; '' if never. */
  lastLogin: string
}

/** Of each user who can't be stored the key of the one who stays. `read` reads all users, and is called twice. */
export async function findCollisions (read: () => AsyncIterable<Contender[]>): Promise<Map<string, string>> {
  const shared = await findShared(read)
  if (shared.size === 0) return new Map()
  const contenders: Contender[] = []
  for await (const page of read()) {
    contenders.push(...page.filter(({ identifiers }) => identifiers.some(one => shared.has(digestOf(one)))))
  }
  const owners = new Map<string, string>()
  const kept = new Map<string, string>()
  for (const { pk, identifiers } of contenders.sort(byRank)) {
    const owner = identifiers.map(one => owners.get(one)).find(found => found !== undefined)
    if (owner !== undefined) kept.set(pk, owner)
    else for (const one of identifiers) owners.set(one, pk)
  }
  return kept
}

/** The sort is stable, and the users come in the order of their keys. */
const byRank = (a: Contender, b: Contender): number =>
  Number(b.verified) - Number(a.verified) || (a.lastLogin < b.lastLogin ? 1 : a.lastLogin > b.lastLogin ? -1 : 0)

/** The digests that occur more than once. Takes eight bytes for each identifier, however many users there are. */
async function findShared (read: () => AsyncIterable<Contender[]>): Promise<Set<number>> {
  let digests = new Float64Array(4096)
  let count = 0
  for await (const page of read()) {
    for (const digest of page.flatMap(({ identifiers }) => identifiers.map(digestOf))) {
      if (count === digests.length) {
        const larger = new Float64Array(2 * count)
        larger.set(digests)
        digests = larger
      }
      digests[count++] = digest
    }
  }
  const sorted = digests.subarray(0, count).sort()
  const shared = new Set<number>()
  for (let index = 1; index < count; index++) {
    const digest = sorted[index]
    if (digest !== undefined && digest === sorted[index - 1]) shared.add(digest)
  }
  return shared
}

/** 48 bits. The second round compares identifiers that have the same digest by chance. */
const digestOf = (identifier: string): number => createHash('sha256').update(identifier).digest().readUIntBE(0, 6)
