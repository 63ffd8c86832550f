/** Between what a client sends and the users table: identifiers in canonical form, and which of them are taken. */
import type { FieldCode } from '../../schemas/errors.js'
import { mayBeMissing, isWriteOnce, type FieldSpec } from '../../schemas/user-fields.js'
import type { Db } from '../db/database.js'
import type { NewUserRow, UserRow } from '../db/tables.js'
import { fieldError, throwIfInvalid, type FieldError } from '../errors/failure.js'
import { canonicalEmail } from '../lib/email.js'
import { normalizeUsername, usernameKey } from '../lib/username.js'
import type { Settings } from '../settings/types.js'
import { takenColumns, UniqueViolation } from '../store/users.js'
import type { BaseUser } from '../types.js'

export interface AccountInput {
  email?: string | undefined
  username?: string | null | undefined
  [field: string]: unknown
}

export function createUserRecords ({ account, fields, social }: Settings) {
  const blocked = new Set(account.usernameBlocklist.map(usernameKey))
  const unique = fields.filter(field => field.unique).map(field => field.name)
  const named = (is: (field: FieldSpec) => boolean) =>
    social.length > 0 ? fields.filter(is).map(field => field.name) : []
  const [required, once] = [named(mayBeMissing), named(isWriteOnce)]
  const lacks = (row: UserRow, name: string) => (row as Record<string, unknown>)[name] === null

  return {
    /** The columns that the sent values go to; what was not sent is left out. */
    toColumns (input: AccountInput): Partial<NewUserRow> {
      const { email, username } = input
      const own = fields.filter(field => input[field.name] !== undefined).map(field => [field.name, input[field.name]])
      return {
        ...(email !== undefined && { email: canonicalEmail(email) ?? null }),
        ...(username === null && { username, usernameKey: null }),
        ...(typeof username === 'string' && {
          username: normalizeUsername(username),
          usernameKey: usernameKey(username)
        }),
        ...Object.fromEntries(own)
      }
    },

    /** The defaults of the user fields, for a new row. */
    defaultColumns: (): Record<string, unknown> =>
      Object.fromEntries(fields.filter(field => field.default !== undefined).map(field => [field.name, field.default])),

    /** Whether these hold a field that its owner gives once. */
    hasWriteOnceField: (columns: object): boolean => once.some(name => name in columns),

    /** The fields that their owner gives once, and has given. */
    fixedFields: (row: UserRow): Set<string> => new Set(once.filter(name => !lacks(row, name))),

    /** Which of the values may not be had: taken by another user than `pk`, or blocked. */
    async conflicts (db: Db, columns: Partial<NewUserRow>, pk?: string): Promise<FieldError[]> {
      const values = columns as Record<string, unknown>
      const wanted = {
        email: columns.email,
        usernameKey: columns.usernameKey,
        ...Object.fromEntries(unique.map(name => [name, values[name]]))
      }
      const taken = await takenColumns(db, wanted, pk)
      const found = taken.map(name =>
        name === 'usernameKey' ? fieldError('username', 'username_taken') : fieldError(name, takenCode(name))
      )
      if (blocked.has(columns.usernameKey ?? '')) found.push(fieldError('username', 'username_not_allowed'))
      return found
    },

    /**
     * Makes a write that a unique index may refuse: between the look and the write somebody took the value. Then
     * it says which, or, when that somebody has let go of it meanwhile, tries again.
     */
    async retryOnConflict<T> (db: Db, columns: Partial<NewUserRow>, pk: string, write: () => Promise<T>): Promise<T> {
      for (let tries = 1; ; tries++) {
        try {
          return await write()
        } catch (error) {
          if (!(error instanceof UniqueViolation) || tries === 5) throw error
          throwIfInvalid(await this.conflicts(db, columns, pk))
        }
      }
    },

    /** The user as the app and the clients know it; the password hash stays behind. */
    toUser (row: UserRow): BaseUser & Record<string, unknown> {
      const { pk, email, username, emailVerified, isActive, createdAt, lastLogin } = row
      const values = row as Record<string, unknown>
      const missing = required.filter(name => lacks(row, name))
      return {
        pk,
        ...(account.username !== 'none' && { username }),
        email,
        ...Object.fromEntries(fields.map(({ name }) => [name, values[name] ?? null])),
        ...(missing.length > 0 && { missing_fields: missing }),
        email_verified: emailVerified,
        is_active: isActive,
        created_at: createdAt,
        last_login: lastLogin
      }
    }
  }
}
export type UserRecords = ReturnType<typeof createUserRecords>

const takenCode = (name: string): FieldCode => name === 'email' ? 'email_taken' : 'value_taken'
