/** Stores users with their social accounts, a page in one transaction: a run that is killed leaves nothing half. */
import type { UserRecords } from '../../account/user-records.js'
import type { Database, Db } from '../../db/database.js'
import type { NewUserRow, SocialAccountRow, UserRow } from '../../db/tables.js'
import type { createUserStorage } from '../../server-api/user-storage.js'
import { findSocialAccount, insertSocialAccount } from '../../store/social-accounts.js'
import { findUsers } from '../../store/users.js'
import type { UserPk } from '../../types.js'
import { problemOf, type IncomingUser } from './incoming-users.js'

export type AccountOutcome = 'stored' | 'already there' | 'belongs to another user' | 'address was verified here since'
export interface Outcome {
  /** What was done, or why the user was skipped; `kept` is the key of the user who has the same address or username. */
  user: 'stored' | 'already there' | { problem: string, kept?: string }
  /** In the order of the user's social accounts; empty for a user who was skipped. */
  accounts: AccountOutcome[]
}

export interface StoreOptions {
  db: Database
  userRecords: UserRecords
  storeWithPk: ReturnType<typeof createUserStorage>['storeWithPk']
  /** Rolls back what was stored. */
  dryRun: boolean
}

/** Ends the transaction of a dry run. */
class DryRun extends Error {
  readonly outcomes: Outcome[]

  constructor (outcomes: Outcome[]) {
    super('nothing is stored')
    this.outcomes = outcomes
  }
}

/** Returns a function that stores up to a thousand users. */
export function createStoreUsers ({ db, userRecords, storeWithPk, dryRun }: StoreOptions) {
  async function storeUser (
    tx: Db, { body, socialAccounts }: IncomingUser, known: UserRow | undefined
  ): Promise<Outcome> {
    if (known) {
      return isSame(known, userRecords.toColumns(body ?? {}))
        ? { user: 'already there', accounts: await linkToKnown(tx, known, body, socialAccounts) }
        : { user: { problem: 'pk: value_taken' }, accounts: [] }
    }
    try {
      // The body was validated against the contract.
      await storeWithPk(tx, { ...body, pk: body?.pk as UserPk })
    } catch (error) {
      return { user: { problem: problemOf(error) }, accounts: [] }
    }
    return { user: 'stored', accounts: await link(tx, socialAccounts) }
  }

  /** Returns the outcome of each user, in their order. */
  return async function storeUsers (users: readonly IncomingUser[]): Promise<Outcome[]> {
    try {
      return await db.transaction(async tx => {
        const known = new Map((await findUsers(tx, users.map(({ pk }) => pk))).map(row => [row.pk, row]))
        const outcomes: Outcome[] = []
        for (const user of users) outcomes.push(await storeUser(tx, user, known.get(user.pk)))
        if (dryRun) throw new DryRun(outcomes)
        return outcomes
      })
    } catch (error) {
      if (error instanceof DryRun) return error.outcomes
      throw error
    }
  }
}

/** Whether it is the user of an earlier run, and not another one who has the same key. */
const isSame = (known: UserRow, { email = null, usernameKey = null }: Partial<NewUserRow>): boolean =>
  known.email === email && (email !== null || known.usernameKey === usernameKey)

/** If somebody has proven since that the address is theirs, the accounts of before may be another person's. */
const linkToKnown = async (
  tx: Db, known: UserRow, body: IncomingUser['body'], accounts: readonly SocialAccountRow[]
): Promise<AccountOutcome[]> => known.emailVerified && body?.email_verified !== true
  ? accounts.map(() => 'address was verified here since')
  : await link(tx, accounts)

async function link (tx: Db, accounts: readonly SocialAccountRow[]): Promise<AccountOutcome[]> {
  const outcomes: AccountOutcome[] = []
  for (const account of accounts) {
    if (await insertSocialAccount(tx, account)) {
      outcomes.push('stored')
      continue
    }
    const owner = await findSocialAccount(tx, account.issuer, account.subject)
    outcomes.push(owner?.userPk === account.userPk ? 'already there' : 'belongs to another user')
  }
  return outcomes
}
