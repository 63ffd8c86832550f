/** Stores the users that the app creates or imports. */
import type { Context } from '../context.js'
import type { NewUserRow, UserRow } from '../db/tables.js'
import { Failure, fieldError, throwIfInvalid } from '../errors/failure.js'
import { workOf } from '../lib/password-work.js'
import type { UserPk } from '../types.js'
import { findUser, insertUser } from '../store/users.js'

type Options = Pick<Context, 'db' | 'clock' | 'userRecords'>

/** The fields of a new user beside those that a registration has; validated, times as text. */
interface History {
  pk?: UserPk
  password_hash?: string
  email_verified?: boolean
  is_active?: boolean
  created_at?: string
  last_login?: string
}

/** `passwordHash` replaces that of `history`. Throws a `validation_error` failure for values that are taken. */
export function createUserStorage ({ db, clock, userRecords }: Options) {
  function columnsOf ({ password_hash: hash, created_at: createdAt, ...rest }: History, passwordHash?: string) {
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

  async function insertWithPk (row: NewUserRow): Promise<UserRow> {
    const stored = await insertUser(db, row)
    if (stored) return stored
    const conflicts = await userRecords.conflicts(db, row)
    if (await findUser(db, row.pk)) conflicts.unshift(fieldError('pk', 'value_taken'))
    throw new Failure('validation_error', { fields: conflicts })
  }

  return async function store (body: Record<string, unknown>, passwordHash?: string): Promise<UserRow> {
    // The body was validated against the contract, which says the same.
    const history: History = body
    const columns = {
      ...userRecords.defaultColumns(), ...userRecords.toColumns(body), ...columnsOf(history, passwordHash)
    }
    throwIfInvalid(await userRecords.conflicts(db, columns))
    return history.pk === undefined
      ? await userRecords.withNewPk(db, async pk => await insert({ ...columns, pk }))
      : await insertWithPk({ ...columns, pk: userRecords.storedPk(history.pk) })
  }
}

/** Null for Django's unusable passwords, which begin with `!`. */
function readableHash (hash: string | undefined): string | null {
  if (hash === undefined || hash.startsWith('!')) return null
  if (!workOf(hash)) throwIfInvalid([fieldError('password_hash', 'invalid')])
  return hash
}

/** A `Date` becomes the text that the schemas describe. */
export const withTimesAsText = (input: object): object =>
  Object.fromEntries(Object.entries(input).map(([name, value]) =>
    [name, value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value]))
