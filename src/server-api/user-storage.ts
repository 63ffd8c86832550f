/** Stores the users that the app creates or imports. */
import type { AccountInput } from '../account/user-records.js'
import type { Context } from '../context.js'
import type { Db } from '../db/database.js'
import { isKey } from '../db/existing-table.js'
import type { NewUserRow, UserRow } from '../db/tables.js'
import { Failure, fieldError, throwIfInvalid } from '../errors/failure.js'
import { workOf } from '../lib/password-work.js'
import type { UserPk } from '../types.js'
import { findUser, insertUser } from '../store/users.js'

type Options = Pick<Context, 'db' | 'clock' | 'userRecords'>

/** A validated user, times as text: the fields beside those that a registration has, and any others. */
interface Body extends AccountInput {
  pk?: UserPk
  password_hash?: string
  email_verified?: boolean
  is_active?: boolean
  created_at?: string
  last_login?: string
}

/** `passwordHash` replaces that of the body. Throws a `validation_error` failure for values that are taken. */
export function createUserStorage ({ db, clock, userRecords }: Options) {
  function columnsOf ({ password_hash: hash, created_at: createdAt, ...rest }: Body, passwordHash?: string) {
    return {
      passwordHash: passwordHash ?? readableHash(hash),
      emailVerified: rest.email_verified ?? false,
      isActive: rest.is_active ?? true,
      createdAt: createdAt === undefined ? clock() : new Date(createdAt),
      lastLogin: rest.last_login === undefined ? null : new Date(rest.last_login)
    }
  }

  async function insert (row: NewUserRow): Promise<UserRow> {
    const stored = await insertUser(db, row)
    if (stored) return stored
    await userRecords.throwIfPkTaken(db, row.pk)
    throw new Failure('validation_error', { fields: await userRecords.conflicts(db, row) })
  }

  async function toRow (tx: Db, body: Body, passwordHash?: string) {
    const row = { ...userRecords.defaultColumns(), ...userRecords.toColumns(body), ...columnsOf(body, passwordHash) }
    throwIfInvalid(await userRecords.conflicts(tx, row))
    return row
  }

  /** Stores a user under the key that they had elsewhere. `tx` may be a transaction. */
  async function storeWithPk (tx: Db, body: Body & { pk: UserPk }, passwordHash?: string): Promise<UserRow> {
    const row = { ...await toRow(tx, body, passwordHash), pk: checkedPk(body.pk) }
    const stored = await insertUser(tx, row)
    if (stored) {
      await userRecords.keepPk(tx, row.pk)
      return stored
    }
    const conflicts = await userRecords.conflicts(tx, row)
    if (await findUser(tx, row.pk)) conflicts.unshift(fieldError('pk', 'value_taken'))
    throw new Failure('validation_error', { fields: conflicts })
  }

  function checkedPk (given: UserPk): string {
    const pk = userRecords.storedPk(given)
    if (db.existing && !isKey(db.existing.keyType, pk)) throwIfInvalid([fieldError('pk', 'invalid')])
    return pk
  }

  /** Outside a transaction. The body was validated against the contract. */
  async function store (body: Body, passwordHash?: string): Promise<UserRow> {
    const { pk: given } = body
    if (given !== undefined) {
      return await db.transaction(async tx => await storeWithPk(tx, { ...body, pk: given }, passwordHash))
    }
    const row = await toRow(db, body, passwordHash)
    return await userRecords.withNewPk(db, async pk => await insert({ ...row, pk }))
  }

  return { store, storeWithPk }
}

/** Null for Django's unusable passwords, which begin with `!`. */
function readableHash (hash: string | undefined): string | null {
  if (hash === undefined || hash.startsWith('!')) return null
  if (!workOf(hash)) throwIfInvalid([fieldError('password_hash', 'invalid')])
  return hash
}
