/** Which of a user's addresses becomes the one of the account. */
import { canonicalEmail } from '../../lib/email.js'
import type { Person } from './people.js'
import { isTrue } from './source.js'

export interface Address {
  /** Undefined if the user has none. */
  email: string | undefined
  verified: boolean
  /** How many other addresses the user has in allauth. */
  others: number
}

/**
 * The primary address of allauth; without one, that of the user; and without that, a verified one of allauth. It is
 * verified if allauth has verified it for this user.
 */
export function addressOf ({ user, addresses }: Person, column: string | undefined): Address {
  const own = column === undefined ? null : user[column] ?? null
  const primary = addresses.find(row => isTrue(row.primary)) ?? (isGiven(own) ? undefined : verifiedFirst(addresses))
  const email = primary?.email ?? own
  if (!isGiven(email)) return { email: undefined, verified: false, others: 0 }
  const isSame = (other: string | null | undefined) =>
    other === email || (canonicalEmail(email) !== undefined && canonicalEmail(other ?? '') === canonicalEmail(email))
  return {
    email,
    verified: addresses.some(row => isTrue(row.verified) && isSame(row.email)),
    others: addresses.filter(row => !isSame(row.email)).length
  }
}

const isGiven = (email: string | null): email is string => email !== null && email.trim() !== ''

const verifiedFirst = (addresses: Person['addresses']) =>
  addresses.find(({ verified }) => isTrue(verified)) ?? addresses[0]
