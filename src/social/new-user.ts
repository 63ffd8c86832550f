/** What a new account is made of when a provider knows the person: what it says, as far as it fits the app's user fields. */
import { Type } from '@sinclair/typebox'
import type { UserRecords } from '../account/user-records.js'
import type { Db } from '../db/database.js'
import type { NewUserRow } from '../db/tables.js'
import type { Identity } from '../oauth/types.js'
import type { Settings } from '../settings/types.js'
import { createBodyValidator } from '../validation/body-validator.js'

interface Newcomer {
  /** What a hook is told. */
  input: Record<string, unknown>
  columns: Partial<NewUserRow>
}

export function createNewUserFrom ({ account, fields }: Pick<Settings, 'account' | 'fields'>, userRecords: UserRecords) {
  const validator = createBodyValidator()
  // What only the app's own code sets, nobody else suggests.
  const suggestible = fields.filter(
    ({ registration, userDetails }) => registration !== 'hidden' || userDetails === 'editable'
  )
  const checks = new Map(
    suggestible.map(({ name, input }) => [name, validator(Type.Object({ [name]: Type.Optional(input) }))])
  )

  /** A provider only suggests: what the app would refuse is left for the user to give. */
  async function acceptedSuggestions (tx: Db, { fields }: Identity): Promise<Record<string, unknown>> {
    const fitting: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(fields)) {
      const result = checks.get(name)?.({ [name]: value })
      if (!result || 'error' in result || result.value[name] === undefined) continue
      const taken = await userRecords.conflicts(tx, userRecords.toColumns({ [name]: result.value[name] }))
      if (taken.length === 0) fitting[name] = result.value[name]
    }
    return fitting
  }

  /** Where users must have a name, one after the address, which they may change. */
  async function freeUsername (tx: Db, { email = '' }: Identity): Promise<string> {
    const [local = ''] = email.split('@')
    const base = local.replace(/[^a-z0-9_.+-]/g, '').slice(0, 100) || 'user'
    for (
      let name = base.padEnd(account.usernameMinLength, '0');
      ;
      name = `${base}${suffix(account.usernameMinLength - base.length)}`
    ) {
      if ((await userRecords.conflicts(tx, userRecords.toColumns({ username: name }))).length === 0) return name
    }
  }

  return async function newcomer (tx: Db, identity: Identity): Promise<Newcomer> {
    const input = {
      ...(identity.email !== undefined && { email: identity.email }),
      ...(account.username === 'required' && { username: await freeUsername(tx, identity) }),
      ...await acceptedSuggestions(tx, identity)
    }
    return { input, columns: { ...userRecords.defaultColumns(), ...userRecords.toColumns(input) } }
  }
}

/** Digits, so many that names seldom meet. */
const suffix = (least: number) => String(Math.floor(Math.random() * 1e9)).padStart(Math.max(least, 4), '0')
