/** `app.restAuth.users`: what the app's own code may do with users. */
import type { ImportReport } from '../api-types.js'
import type { Context } from '../context.js'
import type { NewUserRow, UserRow } from '../db/tables.js'
import { Failure, throwIfInvalid } from '../errors/failure.js'
import { canonicalEmail } from '../lib/email.js'
import type { RestAuth } from '../rest-auth.js'
import { deleteLoginFailures } from '../store/login-failures.js'
import { deleteTokens } from '../store/one-time-tokens.js'
import { deleteSessions } from '../store/sessions.js'
import { deleteUser, findUser, findUserByEmail, findUserByUsername, updateUser } from '../store/users.js'
import type { StoredUser } from '../types.js'
import { createUserInputs } from './user-input.js'
import { createUserList } from './user-list.js'
import { createUserStorage } from './user-storage.js'
import { withoutQueryValues } from './without-query-values.js'

type UsersApi = RestAuth['users']
type Options = Pick<Context, 'contract' | 'db' | 'clock' | 'events' | 'userRecords' | 'passwords' | 'settings'>

/** Throws a `validation_error` failure for invalid or taken values, and a TypeError for an unknown field. */
export function createUsersApi (options: Options): UsersApi {
  const { contract, db, events, userRecords, passwords } = options
  const { storedPk } = userRecords
  const { readNew, readImported, readChanges } = createUserInputs(contract)
  const { store } = createUserStorage(options)
  // The app's type of the user follows from its options; the stored values were validated against them.
  const toUser = (row: UserRow) => userRecords.toUser(row) as unknown as StoredUser
  const toUserIfFound = (row: UserRow | undefined) => row && toUser(row)

  const create: UsersApi['create'] = async input => {
    const { password, ...body } = readNew(input)
    if (typeof password !== 'string') return toUser(await store(body))
    if (body.password_hash !== undefined) throw new TypeError('users.create: give password or password_hash, not both')
    throwIfInvalid(await passwords.check('password', password, body))
    return toUser(await store(body, await passwords.hash(password)))
  }

  const importAll: UsersApi['import'] = async users => {
    const skipped: ImportReport['skipped'] = []
    let index = 0
    for await (const input of users) {
      try {
        await store(readImported(input))
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'validation_error') throw error
        skipped.push({ index, reason: error })
      }
      index++
    }
    return { stored: index - skipped.length, skipped }
  }

  const find: UsersApi['find'] = async by => {
    const stored = 'pk' in by ? { ...by, pk: storedPk(by.pk) } : by
    if (Object.values(stored).filter(value => typeof value === 'string').length !== 1) {
      throw new TypeError('users.find: give one of pk, email and username')
    }
    if ('pk' in stored) return toUserIfFound(await findUser(db, stored.pk))
    if ('username' in stored) return toUserIfFound(await findUserByUsername(db, stored.username))
    const email = canonicalEmail(stored.email)
    return email === undefined ? undefined : toUserIfFound(await findUserByEmail(db, email))
  }

  const update: UsersApi['update'] = async (given, changes) => {
    const pk = storedPk(given)
    const { email_verified: verified, ...fields } = readChanges(changes)
    const columns = await withVerification(pk, userRecords.toColumns(fields), verified)
    throwIfInvalid(await userRecords.conflicts(db, columns, pk))
    return toUserIfFound(
      Object.keys(columns).length === 0
        ? await findUser(db, pk)
        : await userRecords.retryOnConflict(db, columns, pk, async () => await change(pk, columns))
    )
  }

  async function change (pk: string, columns: Partial<NewUserRow>): Promise<UserRow | undefined> {
    return await db.transaction(async tx => {
      const row = await updateUser(tx, pk, columns)
      const fields = userRecords.fieldsOf(columns)
      if (row) await events.record(tx, undefined, { type: 'user_updated', userPk: pk, fields })
      return row
    })
  }

  /** A changed address is unverified, unless the app says otherwise. */
  async function withVerification (
    pk: string,
    columns: Partial<NewUserRow>,
    verified: unknown
  ): Promise<Partial<NewUserRow>> {
    if (typeof verified === 'boolean') return { ...columns, emailVerified: verified }
    if (columns.email === undefined || columns.email === (await findUser(db, pk))?.email) return columns
    return { ...columns, emailVerified: false }
  }

  const activate: UsersApi['activate'] = async given => toUserIfFound(await db.transaction(async tx => {
    const pk = storedPk(given)
    await deleteLoginFailures(tx, pk)
    const row = await updateUser(tx, pk, { isActive: true })
    if (row) await events.record(tx, undefined, { type: 'user_activated', userPk: pk })
    return row
  }))

  const deactivate: UsersApi['deactivate'] = async given => toUserIfFound(await db.transaction(async tx => {
    const pk = storedPk(given)
    // The row comes first: a login under way waits for it, and then finds the user inactive.
    const row = await updateUser(tx, pk, { isActive: false })
    await deleteSessions(tx, pk)
    await deleteTokens(tx, pk)
    if (row) await events.record(tx, undefined, { type: 'user_deactivated', userPk: pk })
    return row
  }))

  // A transaction, because that is retried when it and the preparation of a mail to the user deadlock.
  const deleteByPk: UsersApi['delete'] = async given => await db.transaction(async tx => {
    const pk = storedPk(given)
    const isDeleted = await deleteUser(tx, pk)
    if (isDeleted) {
      await userRecords.keepPk(tx, pk)
      await events.record(tx, undefined, { type: 'user_deleted', userPk: pk })
    }
    return isDeleted
  })

  const list = createUserList(options, toUser)
  return withoutQueryValues<UsersApi>({
    create, import: importAll, find, list, update, activate, deactivate, delete: deleteByPk
  })
}
