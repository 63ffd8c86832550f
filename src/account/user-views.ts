/** The user as the app's code and its clients see them, without the password hash. */
import { isBlankForNull } from '../../schemas/blank-text.js'
import type { UserRow } from '../db/tables.js'
import type { Settings } from '../settings/types.js'
import type { BaseUser } from '../types.js'
import { createComputedFields } from './computed-fields.js'
import { createFieldReader } from './field-reader.js'
import type { UserPks } from './user-pks.js'

type UserView = BaseUser & Record<string, unknown>

export function createUserViews (settings: Settings, pks: UserPks) {
  const toUser = createToUser(settings, pks)
  const computeFields = createComputedFields(settings.computedFields)
  const blanks = blankFields(settings)

  /** For `request.user`. */
  async function toRequestUser (row: UserRow): Promise<UserView> {
    const user = toUser(row)
    return { ...user, ...await computeFields(row, user, 'eager') }
  }

  /** For a response, whose schema leaves out what clients may not see. */
  async function toAnswer (row: UserRow): Promise<UserView> {
    const user = toUser(row)
    const emptied = Object.fromEntries(blanks.filter(name => user[name] === null).map(name => [name, '']))
    return { ...user, ...emptied, ...await computeFields(row, user, 'all') }
  }

  return { toUser, toRequestUser, toAnswer }
}

/** The stored user. */
function createToUser ({ account, fields }: Settings, { toPk }: UserPks) {
  const readFields = createFieldReader(fields)

  return (row: UserRow): UserView => {
    const { pk, email, username, emailVerified, isActive, createdAt, lastLogin } = row
    const { values, missing } = readFields(row)
    return {
      pk: toPk(pk),
      ...(account.username !== 'none' && { username }),
      email,
      ...values,
      ...(missing.length > 0 && { missing_fields: missing }),
      // A table that the app had before may have NULL in each.
      email_verified: Boolean(emailVerified),
      is_active: Boolean(isActive),
      created_at: createdAt ?? new Date(0),
      last_login: lastLogin
    }
  }
}

/** The names of those that clients get as `''` in place of null. */
const blankFields = (settings: Settings): string[] => [
  ...(settings.errors === 'drf' ? ['email'] : []),
  ...settings.fields.filter(field => isBlankForNull(settings, field)).map(({ name }) => name)
]
