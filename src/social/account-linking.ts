/**
 * Links a new identity to the user with the same e-mail address only if the provider proves that address. If the user
 * had not verified it, an attacker may have registered it first (account pre-hijacking): every other way in is removed.
 */
import { AddressTaken } from '../account/address-taken.js'
import type { UserRecords } from '../account/user-records.js'
import type { Db } from '../db/database.js'
import type { NewUserRow, SocialAccountRow, UserRow } from '../db/tables.js'
import { Failure, failure } from '../errors/failure.js'
import type { Outbox } from '../mail/outbox.js'
import type { Identity } from '../oauth/types.js'
import type { Settings } from '../settings/types.js'
import { deleteTokens } from '../store/one-time-tokens.js'
import { deleteSessions } from '../store/sessions.js'
import {
  deleteSocialAccounts, findSocialAccount, insertSocialAccount, useSocialAccount
} from '../store/social-accounts.js'
import { findUserByEmail, insertUser, lockUser, UniqueViolation, updateUser } from '../store/users.js'
import { createNewUserFrom } from './new-user.js'

export interface AccountLinkingOptions {
  settings: Settings
  userRecords: UserRecords
  outbox: Outbox
}

/** The provider gave no address, or one that can't be an account's: its local part is not ASCII, for example. */
const emailMissing = ({ hasUnusableEmail }: Identity) => hasUnusableEmail
  ? new Failure('provider_email_missing', { message: unusableEmail })
  : failure('provider_email_missing')

const unusableEmail =
  'The provider gave an e-mail address that can not be used here: before the @, only ASCII characters can be.'

/** Another transaction changed what this one has read: start over. */
export class ConcurrentChange extends Error {}

/** Call these in a transaction. `row` is what to store for an identity that is not linked yet. */
export function createAccountLinking ({ settings, userRecords, outbox }: AccountLinkingOptions) {
  const { hooks, account: { emailVerification, email: emailRule }, social } = settings
  const newUserFrom = createNewUserFrom(settings, userRecords)
  const labelOf = (provider: string) => social.find(({ name }) => name === provider)?.label ?? provider

  /** The identity's user, active and locked; created if there is none. */
  async function findOrCreateUser (
    tx: Db,
    identity: Identity,
    row: SocialAccountRow,
    mayCreate: boolean
  ): Promise<UserRow> {
    const known = await findSocialAccount(tx, identity.issuer, identity.subject)
    if (known) return await signInKnown(tx, identity, known, row)
    const other = identity.email === undefined ? undefined : await findUserByEmail(tx, identity.email)
    if (!other) {
      if (!mayCreate) throw new ConcurrentChange()
      return await register(tx, identity, row)
    }
    if (identity.emailProven) return await linkByEmail(tx, identity, other.pk, row)
    // With mandatory verification no reply reveals that an address has an account; otherwise registration does, too.
    if (emailVerification !== 'mandatory') throw failure('account_exists')
    // The app may reject new users here: if it could do so for free addresses only, its reply would reveal the others.
    await hooks.registering?.((await newUserFrom(tx, identity)).input, tx.orm)
    throw new AddressTaken()
  }

  async function signInKnown (
    tx: Db,
    { email, emailProven, provider }: Identity,
    known: SocialAccountRow,
    { tokens, lastLogin }: SocialAccountRow
  ): Promise<UserRow> {
    const user = await activeUser(tx, known.userPk)
    const changes = { lastLogin, provider, ...(tokens !== null && { tokens }) }
    if (!await useSocialAccount(tx, known.id, changes)) throw new ConcurrentChange()
    // If the account has a password, somebody else may have registered this address first, so do not mark it verified
    // here; the confirmation mail does.
    return emailProven && !user.emailVerified && user.email === email && user.passwordHash === null
      ? await takeOver(tx, user, {}, known.id)
      : user
  }

  async function linkByEmail (tx: Db, identity: Identity, pk: string, row: SocialAccountRow): Promise<UserRow> {
    const user = await activeUser(tx, pk)
    if (user.email !== identity.email) throw new ConcurrentChange()
    const owned = user.emailVerified ? user : await takeOver(tx, user, await fieldsOf(tx, identity))
    await connect(tx, { ...row, userPk: pk })
    return owned
  }

  async function connect (tx: Db, row: SocialAccountRow): Promise<void> {
    if (!await insertSocialAccount(tx, row)) throw new ConcurrentChange()
    await outbox.enqueue(tx, 'social-account-connected', { userPk: row.userPk }, { provider: labelOf(row.provider) })
  }

  /** What the provider says of the user, in place of what somebody else may have said. */
  async function fieldsOf (tx: Db, identity: Identity): Promise<Partial<NewUserRow>> {
    const { input: { email: _email, username: _username, ...fields } } = await newUserFrom(tx, identity)
    return { ...userRecords.emptiedColumns(), ...userRecords.toColumns(fields) }
  }

  /** Gives the account to the proven owner of its mailbox, and removes every other way in. */
  async function takeOver (
    tx: Db,
    { pk }: UserRow,
    changes: Partial<NewUserRow>,
    keptAccountId?: string
  ): Promise<UserRow> {
    const user = await updateUser(tx, pk, { ...changes, passwordHash: null, emailVerified: true }).catch(error => {
      // Another user got a unique value since it was found to be free.
      throw error instanceof UniqueViolation ? new ConcurrentChange() : error
    })
    if (!user) throw new ConcurrentChange()
    await deleteSessions(tx, pk)
    await deleteSocialAccounts(tx, pk, keptAccountId)
    await deleteTokens(tx, pk)
    await hooks.emailVerified?.(userRecords.toUser(user), tx.orm)
    return user
  }

  async function register (tx: Db, identity: Identity, row: SocialAccountRow): Promise<UserRow> {
    if (identity.email === undefined && emailRule === 'required') throw emailMissing(identity)
    const { input, columns } = await newUserFrom(tx, identity)
    await hooks.registering?.(input, tx.orm)
    const user = await insertUser(tx, {
      ...columns,
      pk: row.userPk,
      passwordHash: null,
      isActive: true,
      emailVerified: identity.emailProven,
      createdAt: row.createdAt
    })
    if (!user || !await insertSocialAccount(tx, row)) throw new ConcurrentChange()
    await hooks.registered?.(userRecords.toUser(user), tx.orm)
    if (identity.emailProven) await hooks.emailVerified?.(userRecords.toUser(user), tx.orm)
    else if (emailVerification !== 'none' && user.email !== null) {
      await outbox.enqueue(tx, 'email-verification', { userPk: user.pk })
    }
    return user
  }

  async function activeUser (tx: Db, pk: string): Promise<UserRow> {
    const user = await lockUser(tx, pk)
    // As at login: the reply does not reveal that there is a deactivated account.
    if (!user?.isActive) throw failure('invalid_credentials')
    return user
  }

  return { findOrCreateUser, connect }
}
