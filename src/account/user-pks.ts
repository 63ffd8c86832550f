/** The keys of users: text in the database, and with `account.pk: 'integer'` numbers for the app and its clients. */
import { v7 as uuid } from 'uuid'
import type { Database, Db } from '../db/database.js'
import { isIntegerKey } from '../db/existing-table.js'
import { refuseOtherPk } from '../db/integer-pks.js'
import { retry } from '../lib/retry.js'
import type { Settings } from '../settings/types.js'
import { raisePkCounter, takeNextPk, takeTablePk } from '../store/user-pk-counter.js'
import { findUser } from '../store/users.js'
import type { BaseUser } from '../types.js'

export interface UserPks {
  /** A key for a new user. Call it outside a transaction. */
  newPk: (db: Database) => Promise<string>
  /** Runs `work` with a key for a new user, and again with another if `throwIfPkTaken` finds the first one taken. */
  withNewPk: <T>(db: Database, work: (pk: string) => Promise<T>) => Promise<T>
  /** Call this if a new user could not be stored: an import may have taken the key. */
  throwIfPkTaken: (db: Db, pk: string) => Promise<void>
  /** Call this when a user is stored with a key from elsewhere, or deleted: nobody gets the key again. */
  keepPk: (db: Db, pk: string) => Promise<void>
  /** The key as the app and its clients see it. */
  toPk: (stored: string) => BaseUser['pk']
  /** The same for a user who may have been deleted; null for a key of another kind, from before the option changed. */
  toEventPk: (stored: string) => BaseUser['pk'] | null
  /** The key as stored, from the app's own code. Throws a TypeError if it is no number, with integer keys. */
  storedPk: (pk: BaseUser['pk']) => string
}

class PkTaken extends Error {}

const withRetries = <T>(
  take: (db: Database) => Promise<string>, db: Database, work: (pk: string) => Promise<T>
): Promise<T> =>
    retry(async () => await work(await take(db)), { attempts: 5, when: error => error instanceof PkTaken })

export const createUserPks = ({ account: { pk } }: Pick<Settings, 'account'>): UserPks =>
  pk === 'integer' ? integers : strings

const newText = async (db: Database) => await takeTablePk(db) ?? uuid()

const strings: UserPks = {
  newPk: newText,
  withNewPk: (db, work) => db.existing ? withRetries(newText, db, work) : work(uuid()),
  throwIfPkTaken: async (db, pk) => { if (db.existing && await findUser(db, pk)) throw new PkTaken() },
  keepPk: async (db, pk) => {
    if (db.existing && isIntegerKey(db.existing.keyType)) await raisePkCounter(db, pk)
  },
  toPk: stored => stored,
  toEventPk: stored => stored,
  // The types of the server API allow nothing else without `account.pk: 'integer'`.
  storedPk: pk => pk as string
}

const nextInteger = async (db: Database) => await takeTablePk(db) ?? String(await takeNextPk(db))

/** Undefined for another key: `007` must not become the user 7. */
function integerOf (stored: string): number | undefined {
  const pk = Number(stored)
  return String(pk) === stored && Number.isSafeInteger(pk) && pk > 0 ? pk : undefined
}

const integers: UserPks = {
  newPk: nextInteger,
  withNewPk: (db, work) => withRetries(nextInteger, db, work),
  throwIfPkTaken: async (db, pk) => { if (await findUser(db, pk)) throw new PkTaken() },
  keepPk: raisePkCounter,
  // The start refuses such keys, but one may be stored later.
  toPk: stored => integerOf(stored) ?? refuseOtherPk(stored),
  toEventPk: stored => integerOf(stored) ?? null,
  storedPk: pk => {
    if (typeof pk !== 'number') throw new TypeError("pk: pass a number, because account.pk is 'integer'")
    // `NaN` and `1.5` need no check: no user has such a key.
    return String(pk)
  }
}
