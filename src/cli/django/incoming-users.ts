/** Turns Django's users into users that can be stored here, or says why one can't. */
import { v7 as uuid } from 'uuid'
import type { SocialAccountRow } from '../../db/tables.js'
import { Failure } from '../../errors/failure.js'
import { canonicalEmail } from '../../lib/email.js'
import { workOf } from '../../lib/password-work.js'
import { usernameKey } from '../../lib/username.js'
import { isIdentifier } from '../../oauth/identity.js'
import { addressOf } from './addresses.js'
import type { Contender } from './collisions.js'
import type { CopiedColumns } from './copied-columns.js'
import type { OriginOf } from './identities.js'
import type { Person } from './people.js'
import { isTrue, type Row } from './source.js'
import type { DjangoTable } from './tables.js'
import { fieldValue, keyOf, timeOf } from './values.js'

export interface IncomingUser extends Contender {
  email: string | undefined
  /** Validated; undefined if it can't be stored. */
  body: Record<string, unknown> | undefined
  /** Why it can't be stored, such as `email: invalid_email`. */
  problem: string
  hasUnreadablePassword: boolean
  otherAddresses: number
  socialAccounts: readonly SocialAccountRow[]
  /** Those that can't be stored. */
  refusedAccounts: ReadonlyArray<{ provider: string, problem: string }>
}

interface Options {
  users: DjangoTable
  copied: CopiedColumns
  pk: 'string' | 'integer'
  originOf: OriginOf
  /** Throws a `validation_error` failure. */
  readImported: (input: object) => Record<string, unknown>
}

export function createToIncoming ({ users, copied, pk: kind, originOf, readImported }: Options) {
  function inputOf ({ user }: Person, pk: string) {
    const { username } = copied
    const fields = [...copied.fields].map(([field, column]) => [field.name, fieldValue(field, user[column])])
    return {
      ...Object.fromEntries(fields),
      ...(username !== undefined && user[username] !== '' && { username: user[username] }),
      pk: kind === 'integer' ? Number(pk) : pk,
      is_active: users.columns.has('is_active') ? isTrue(user.is_active) : null,
      created_at: timeOf(user.date_joined),
      last_login: timeOf(user.last_login)
    }
  }

  return function toIncoming (person: Person): IncomingUser {
    const pk = keyOf(person.key, users.columns.get(users.key))
    const { email, verified, others } = addressOf(person, copied.email)
    const password = person.user.password ?? ''
    const isReadable = workOf(password) !== undefined
    const input = {
      ...inputOf(person, pk), email, email_verified: verified, password_hash: isReadable ? password : null
    }
    const { body, problem } = orProblem(() => readImported(withoutUndefined(input)))
    return {
      pk,
      email,
      verified,
      body,
      problem,
      lastLogin: timeOf(person.user.last_login) ?? '',
      identifiers: body ? identifiersOf(body) : [],
      // Django's unusable passwords begin with `!`.
      hasUnreadablePassword: !isReadable && password !== '' && !password.startsWith('!'),
      otherAddresses: others,
      ...socialAccountsOf(person, pk, originOf)
    }
  }
}

const withoutUndefined = (input: object) =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))

function orProblem (read: () => Record<string, unknown>): Pick<IncomingUser, 'body' | 'problem'> {
  try {
    return { body: read(), problem: '' }
  } catch (error) {
    return { body: undefined, problem: problemOf(error) }
  }
}

/** `email: invalid_email, gender: invalid_choice`. Throws an error that is no `validation_error` failure. */
export function problemOf (error: unknown): string {
  if (!(error instanceof Failure) || error.code !== 'validation_error') throw error
  return error.fields.map(({ field, code }) => `${field}: ${code}`).join(', ')
}

function identifiersOf ({ email, username }: Record<string, unknown>): string[] {
  const canonical = typeof email === 'string' ? canonicalEmail(email) : undefined
  return [
    ...canonical === undefined ? [] : [`email ${canonical}`],
    ...typeof username === 'string' ? [`username ${usernameKey(username)}`] : []
  ]
}

function socialAccountsOf (
  { socialAccounts }: Person, userPk: string, originOf: OriginOf
): Pick<IncomingUser, 'socialAccounts' | 'refusedAccounts'> {
  const rows: SocialAccountRow[] = []
  const refusedAccounts: Array<{ provider: string, problem: string }> = []
  for (const account of socialAccounts) {
    const provider = String(account.provider)
    const origin = originOf(provider)
    if ('problem' in origin) refusedAccounts.push({ provider, problem: origin.problem })
    else if (!isIdentifier(account.uid)) refusedAccounts.push({ provider, problem: 'its uid is no identifier' })
    else rows.push({ ...origin, subject: account.uid, ...timesOf(account), id: uuid(), userPk, tokens: null })
  }
  return { socialAccounts: rows, refusedAccounts }
}

function timesOf ({ date_joined: joined, last_login: used }: Row) {
  const createdAt = new Date(timeOf(joined) ?? 0)
  return { createdAt, lastLogin: new Date(timeOf(used) ?? createdAt) }
}
