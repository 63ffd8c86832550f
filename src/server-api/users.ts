/** `app.restAuth.users` and `app.restAuth.sessions`: what the app's own code may do with accounts. */
import type { TObject } from '@sinclair/typebox'
import { v7 as uuid } from 'uuid'
import type { Context } from '../context.js'
import type { NewUserRow, UserRow } from '../db/tables.js'
import { Failure, throwIfInvalid } from '../errors/failure.js'
import { canonicalEmail } from '../lib/email.js'
import { usernameKey } from '../lib/username.js'
import type { RestAuth } from '../rest-auth.js'
import { deleteTokens } from '../store/one-time-tokens.js'
import { deleteSession, deleteSessions, listSessions } from '../store/sessions.js'
import { deleteUser, findUser, findUserByEmail, findUserByUsername, insertUser, updateUser } from '../store/users.js'
import type { NewUser, User, UserChanges } from '../types.js'
import { createBodyValidator, type CheckBody } from '../validation/body-validator.js'
import { withoutQueryValues } from './without-query-values.js'

export function createUsersApi (context: Pick<Context, 'contract' | 'db' | 'clock' | 'userRecords' | 'passwords'>): Pick<RestAuth, 'users' | 'sessions'> {
  const { contract, db, clock, userRecords, passwords } = context
  const validator = createBodyValidator()
  const [checkNew, checkChanges] = [validator(contract.programmatic.create), validator(contract.programmatic.update)]
  // The app's own type of the user follows from its options; what is stored was checked against them.
  const toUser = (row: UserRow) => userRecords.toUser(row) as unknown as User
  const known = (row: UserRow | undefined) => row && toUser(row)

  const users: RestAuth['users'] = {
    async create (input: NewUser) {
      const {
        password,
        email_verified: emailVerified = false,
        ...fields
      } = checked(checkNew, contract.programmatic.create, input)
      const columns = { ...userRecords.defaultColumns(), ...userRecords.toColumns(fields) }
      throwIfInvalid(await userRecords.conflicts(db, columns))
      if (typeof password === 'string') throwIfInvalid(await passwords.check('password', password, fields))
      const passwordHash = typeof password === 'string' ? await passwords.hash(password) : null
      const row = await insertUser(db, {
        ...columns,
        pk: uuid(),
        passwordHash,
        isActive: true,
        emailVerified: emailVerified === true,
        createdAt: clock()
      })
      if (!row) throw new Failure('validation_error', { fields: await userRecords.conflicts(db, columns) })
      return toUser(row)
    },

    async find (by) {
      if (Object.values(by).filter(value => typeof value === 'string').length !== 1) { throw new TypeError('users.find: give one of pk, email and username') }
      if ('pk' in by) return known(await findUser(db, by.pk))
      if ('username' in by) return known(await findUserByUsername(db, usernameKey(by.username)))
      const email = canonicalEmail(by.email)
      return email === undefined ? undefined : known(await findUserByEmail(db, email))
    },

    async update (pk, changes: UserChanges) {
      const { email_verified: given, ...fields } = checked(checkChanges, contract.programmatic.update, changes)
      const columns = await withVerification(pk, userRecords.toColumns(fields), given)
      throwIfInvalid(await userRecords.conflicts(db, columns, pk))
      return known(
        Object.keys(columns).length === 0
          ? await findUser(db, pk)
          : await userRecords.retryOnConflict(db, columns, pk, async () => await updateUser(db, pk, columns))
      )
    },

    activate: async pk => known(await updateUser(db, pk, { isActive: true })),

    deactivate: async pk => known(await db.transaction(async tx => {
      // The row first: a login that is under way waits for it, and then finds the user inactive.
      const row = await updateUser(tx, pk, { isActive: false })
      await deleteSessions(tx, pk)
      await deleteTokens(tx, pk)
      return row
    })),

    // As a transaction it is tried again, should it and whoever mails the user wait for each other.
    delete: async pk => await db.transaction(async tx => await deleteUser(tx, pk))
  }

  /** Another address has yet to be proven. */
  async function withVerification (pk: string, columns: Partial<NewUserRow>, given: unknown): Promise<Partial<NewUserRow>> {
    if (typeof given === 'boolean') return { ...columns, emailVerified: given }
    if (columns.email === undefined || columns.email === (await findUser(db, pk))?.email) return columns
    return { ...columns, emailVerified: false }
  }

  const sessions: RestAuth['sessions'] = {
    list: async userPk => (await listSessions(db, userPk)).map(({ userPk: _owner, ...session }) => session),
    end: async id => await deleteSession(db, id),
    endAll: async userPk => await deleteSessions(db, userPk)
  }

  return { users: withoutQueryValues(users), sessions: withoutQueryValues(sessions) }
}

/** A misspelt field in code is a bug, which ignoring it would hide. */
function checked (check: CheckBody, schema: TObject, input: object): Record<string, unknown> {
  const unknown = Object.keys(input).find(name => !Object.hasOwn(schema.properties, name))
  if (unknown !== undefined) throw new TypeError(`users: there is no field ${unknown}`)
  const result = check(input)
  if ('error' in result) throw result.error
  return result.value
}
