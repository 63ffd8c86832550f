/** Creates the columns of a new user from a provider's identity, as far as it fits the app's user fields. */
import { Type } from '@sinclair/typebox'
import { isSetByClients } from '../../schemas/missing-fields.js'
import type { UserRecords } from '../account/user-records.js'
import type { Db } from '../db/database.js'
import type { NewUserRow } from '../db/tables.js'
import type { Identity } from '../oauth/types.js'
import type { Settings } from '../settings/types.js'
import { createBodyValidator } from '../validation/body-validator.js'

interface NewUser {
  /** For the hook `registering`. */
  input: Record<string, unknown>
  columns: Partial<NewUserRow>
}

export function createNewUserFrom (
  { account, fields }: Pick<Settings, 'account' | 'fields'>,
  userRecords: UserRecords
) {
  const validator = createBodyValidator()
  // A provider must not set the fields that only the app's own code may set.
  const suggestible = fields.filter(isSetByClients)
  const checks = new Map(
    suggestible.map(({ name, input }) => [name, validator(Type.Object({ [name]: Type.Optional(input) }))])
  )

  /** Drops the values that the app would refuse: the user can give others later. */
  async function acceptedSuggestions (tx: Db, { fields }: Identity): Promise<Record<string, unknown>> {
    const accepted: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(fields)) {
      const result = checks.get(name)?.({ [name]: value })
      if (!result || 'error' in result || result.value[name] === undefined) continue
      const taken = await userRecords.conflicts(tx, userRecords.toColumns({ [name]: result.value[name] }))
      if (taken.length === 0) accepted[name] = result.value[name]
    }
    return accepted
  }

  /** A free username derived from the address; users may change it. */
  async function freeUsername (tx: Db, { email = '' }: Identity): Promise<string> {
    const [local = ''] = email.split('@')
    const base = local.replace(/[^a-z0-9_.+-]/g, '').slice(0, 100) || 'user'
    let username = base.padEnd(account.usernameMinLength, '0')
    while ((await userRecords.conflicts(tx, userRecords.toColumns({ username }))).length > 0) {
      username = `${base}${randomDigits(account.usernameMinLength - base.length)}`
    }
    return username
  }

  return async function newUserFrom (tx: Db, identity: Identity): Promise<NewUser> {
    const input = {
      ...(identity.email !== undefined && { email: identity.email }),
      ...(account.username === 'required' && { username: await freeUsername(tx, identity) }),
      ...await acceptedSuggestions(tx, identity)
    }
    return {
      input: userRecords.withDefaults(input),
      columns: { ...userRecords.defaultColumns(), ...userRecords.toColumns(input) }
    }
  }
}

/** Enough digits to make collisions rare. */
const randomDigits = (minLength: number) =>
  String(Math.floor(Math.random() * 1e9)).padStart(Math.max(minLength, 4), '0')
