/** Maps what clients send to rows of the users table and back, and finds the values that a user can't have. */
import type { FieldCode } from '../../schemas/errors.js'
import { isSetByClients, isWriteOnce } from '../../schemas/missing-fields.js'
import type { FieldInput, FieldSpec } from '../../schemas/user-fields.js'
import type { Db } from '../db/database.js'
import { wasThereBefore } from '../db/rows-before.js'
import type { NewUserRow, UserRow } from '../db/tables.js'
import { fieldError, throwIfInvalid, type FieldError } from '../errors/failure.js'
import { canonicalEmail } from '../lib/email.js'
import { retry } from '../lib/retry.js'
import { normalizeUsername, usernameKey } from '../lib/username.js'
import type { Settings } from '../settings/types.js'
import { takenColumns, UniqueViolation } from '../store/users.js'
import { valueOf } from './field-reader.js'
import { createUserPks } from './user-pks.js'
import { createUserViews } from './user-views.js'

export interface AccountInput {
  email?: string | undefined
  username?: string | null | undefined
  [field: string]: unknown
}

export function createUserRecords (settings: Settings) {
  const pks = createUserPks(settings)
  return {
    ...pks,
    ...createColumnMapping(settings),
    ...createConflictChecks(settings),
    ...createUserViews(settings, pks)
  }
}
export type UserRecords = ReturnType<typeof createUserRecords>

function createColumnMapping ({ account, fields, unstoredFields }: Settings) {
  const writeOnce = namesOf(fields, isWriteOnce)

  /** The columns for the values that were sent, identifiers in canonical form. */
  function toColumns (input: AccountInput): Partial<NewUserRow> {
    const { email, username } = input
    const sent = fields.filter(field => input[field.name] !== undefined).map(field => [field.name, input[field.name]])
    return {
      ...(email !== undefined && { email: canonicalEmail(email) ?? null }),
      ...(username === null && { username, usernameKey: null }),
      ...(typeof username === 'string' && {
        username: normalizeUsername(username),
        usernameKey: usernameKey(username)
      }),
      ...Object.fromEntries(sent)
    }
  }

  /** The names of the fields that these columns hold. */
  const fieldsOf = (columns: object): string[] =>
    ['email', 'username', ...fields.map(({ name }) => name)].filter(name => name in columns)

  const defaultColumns = () => valuesOf(fields.filter(hasDefault))

  /**
   * Takes back what a client may have set: somebody else registered the account that its owner now gets. Undefined for
   * a row that the app's own table had before the plugin: nobody registered it here.
   */
  async function emptiedColumns (db: Db, row: UserRow): Promise<Partial<NewUserRow> | undefined> {
    if (await wasThereBefore(db, row)) return undefined
    return {
      ...(account.username === 'optional' && { username: null, usernameKey: null }),
      ...valuesOf(fields.filter(isSetByClients).filter(field => hasDefault(field) || mayBeNull(db, field)))
    }
  }

  const registered = [...fields, ...unstoredFields].filter(({ registration }) => registration !== 'hidden')
  /** What a registration means that leaves out fields with a default. */
  const withDefaults = <T extends object>(input: T): T => ({ ...valuesOf(registered.filter(hasDefault)), ...input })

  const hasWriteOnceField = (columns: object): boolean => writeOnce.some(name => name in columns)

  const fixedFields = (row: UserRow): Set<string> => new Set(writeOnce.filter(name => valueOf(row, name) !== null))

  return { toColumns, fieldsOf, defaultColumns, emptiedColumns, withDefaults, hasWriteOnceField, fixedFields }
}

function createConflictChecks ({ account, fields }: Settings) {
  const blocked = new Set(account.usernameBlocklist.map(usernameKey))
  const unique = namesOf(fields, field => field.unique)

  /** Field errors for the values that the user `pk` (or a new one) can't have: another user's, or blocked. */
  async function conflicts (db: Db, columns: Partial<NewUserRow>, pk?: string): Promise<FieldError[]> {
    const wanted = {
      email: columns.email,
      usernameKey: columns.usernameKey,
      ...Object.fromEntries(unique.map(name => [name, valueOf(columns, name)]))
    }
    const taken = await takenColumns(db, wanted, pk)
    const found = taken.map(name =>
      name === 'usernameKey' ? fieldError('username', 'username_taken') : fieldError(name, takenCode(name))
    )
    if (blocked.has(columns.usernameKey ?? '')) found.push(fieldError('username', 'username_not_allowed'))
    return found
  }

  /** On a unique conflict, throws field errors for the values now taken; if they are free again, retries (5 in all). */
  const retryOnConflict = <T>(db: Db, columns: Partial<NewUserRow>, pk: string, write: () => Promise<T>): Promise<T> =>
    retry(write, {
      attempts: 5,
      when: async error => {
        if (!(error instanceof UniqueViolation)) return false
        throwIfInvalid(await conflicts(db, columns, pk))
        return true
      }
    })

  return { conflicts, retryOnConflict }
}

/** The defaults of the fields; null for one that has none. */
const valuesOf = (fields: readonly FieldInput[]): Record<string, unknown> =>
  Object.fromEntries(fields.map(field => [field.name, field.default ?? null]))

/** A column of the app's own table may have to have a value. */
const mayBeNull = ({ existing }: Db, { column }: FieldSpec): boolean => !existing?.found.get(column)?.notNull

const hasDefault = (field: FieldInput): boolean => field.default !== undefined

const namesOf = (fields: readonly FieldSpec[], is: (field: FieldSpec) => boolean): string[] =>
  fields.filter(is).map(field => field.name)

const takenCode = (name: string): FieldCode => name === 'email' ? 'email_taken' : 'value_taken'
