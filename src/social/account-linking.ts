/**
 * Whose account is it? An identity (issuer, subject) opens the account that it is connected to. One that is new opens an
 * account of the same e-mail address only where both the provider and the account have proven it; else it makes one.
 *
 * Where a provider proves the mailbox of an account whose address nobody had proven, the account is its owner's from then
 * on: password, sessions and connections that were there before may be a stranger's, who was first to give the address.
 */
import { AddressTaken } from '../account/address-taken.js'
import type { UserRecords } from '../account/user-records.js'
import type { Db } from '../db/database.js'
import type { SocialAccountRow, UserRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import type { Outbox } from '../mail/outbox.js'
import type { Identity } from '../oauth/types.js'
import type { Settings } from '../settings/types.js'
import { deleteTokens } from '../store/one-time-tokens.js'
import { deleteSessions } from '../store/sessions.js'
import {
  deleteSocialAccounts, findSocialAccount, insertSocialAccount, useSocialAccount
} from '../store/social-accounts.js'
import { findUserByEmail, insertUser, lockUser, updateUser } from '../store/users.js'
import { createNewUserFrom } from './new-user.js'

export interface AccountLinkingOptions {
  settings: Settings
  userRecords: UserRecords
  outbox: Outbox
}

/** Somebody else was faster: what was looked up is no longer so. */
export class ConcurrentChange extends Error {}

/** All to be called in a transaction; `row` is what is to be stored of an identity that is not connected yet. */
export function createAccountLinking ({ settings, userRecords, outbox }: AccountLinkingOptions) {
  const { hooks, account: { emailVerification, email: emailRule }, social } = settings
  const newUserFrom = createNewUserFrom(settings, userRecords)
  const labelOf = (provider: string) => social.find(({ name }) => name === provider)?.label ?? provider

  /** The account of the identity, active and locked; made if there is none. */
  async function findOrCreateUser (tx: Db, identity: Identity, row: SocialAccountRow, mayCreate: boolean): Promise<UserRow> {
    const known = await findSocialAccount(tx, identity.issuer, identity.subject)
    if (known) return await signInKnown(tx, identity, known, row)
    const other = identity.email === undefined ? undefined : await findUserByEmail(tx, identity.email)
    if (!other) {
      if (!mayCreate) throw new ConcurrentChange()
      return await register(tx, identity, row)
    }
    if (identity.emailProven) return await linkByEmail(tx, identity, other.pk, row)
    // In mandatory mode nobody is told that an address has an account; else registration tells it, too.
    if (emailVerification !== 'mandatory') throw failure('account_exists')
    // The app's refusal of a newcomer would tell, were it heard of free addresses only.
    await hooks.registering?.((await newUserFrom(tx, identity)).input, tx.orm)
    throw new AddressTaken()
  }

  async function signInKnown (tx: Db, { email, emailProven, provider }: Identity, known: SocialAccountRow, { tokens, lastLogin }: SocialAccountRow): Promise<UserRow> {
    const user = await activeUser(tx, known.userPk)
    if (!(await useSocialAccount(tx, known.id, { lastLogin, provider, ...(tokens !== null && { tokens }) }))) { throw new ConcurrentChange() }
    // A password may be a stranger's, who registered the address first: with one the mailbox is left to be proven by mail.
    return emailProven && !user.emailVerified && user.email === email && user.passwordHash === null
      ? await takeOver(tx, user, known.id)
      : user
  }

  async function linkByEmail (tx: Db, { email }: Identity, pk: string, row: SocialAccountRow): Promise<UserRow> {
    const user = await activeUser(tx, pk)
    if (user.email !== email) throw new ConcurrentChange()
    const claimed = user.emailVerified ? user : await takeOver(tx, user)
    await connect(tx, { ...row, userPk: pk })
    return claimed
  }

  /** Connects an identity that is new with a user, who gets a mail. */
  async function connect (tx: Db, row: SocialAccountRow): Promise<void> {
    if (!await insertSocialAccount(tx, row)) throw new ConcurrentChange()
    await outbox.enqueue(tx, 'social-account-connected', { userPk: row.userPk }, { provider: labelOf(row.provider) })
  }

  /** Gives an account to whoever has proven its mailbox, without anything that somebody else may have left there. */
  async function takeOver (tx: Db, { pk }: UserRow, kept?: string): Promise<UserRow> {
    const user = await updateUser(tx, pk, { passwordHash: null, emailVerified: true })
    if (!user) throw new ConcurrentChange()
    await deleteSessions(tx, pk)
    await deleteSocialAccounts(tx, pk, kept)
    await deleteTokens(tx, pk)
    await hooks.emailVerified?.(userRecords.toUser(user), tx.orm)
    return user
  }

  async function register (tx: Db, identity: Identity, row: SocialAccountRow): Promise<UserRow> {
    if (identity.email === undefined && emailRule === 'required') throw failure('provider_email_missing')
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
    else if (emailVerification !== 'none' && user.email !== null) { await outbox.enqueue(tx, 'email-verification', { userPk: user.pk }) }
    return user
  }

  /** The user, locked. */
  async function activeUser (tx: Db, pk: string): Promise<UserRow> {
    const user = await lockUser(tx, pk)
    // As at login: nobody is told that there is an account, and that it is deactivated.
    if (!user?.isActive) throw failure('invalid_credentials')
    return user
  }

  return { findOrCreateUser, connect }
}
