/**
 * Links a new identity to the user with the same e-mail address only if the provider proves that address. If the user
 * had not verified it, an attacker may have registered it first (account pre-hijacking): every other way in is removed.
 */
import type { FastifyRequest } from 'fastify'
import { AddressTaken } from '../account/address-taken.js'
import type { Db } from '../db/database.js'
import type { NewUserRow, SocialAccountRow, UserRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { describeClient } from '../lib/client.js'
import type { Identity } from '../oauth/types.js'
import { forgetDevices } from '../store/known-devices.js'
import { deleteTokens } from '../store/one-time-tokens.js'
import { deleteSessions } from '../store/sessions.js'
import {
  deleteSocialAccounts, findSocialAccount, insertSocialAccount, useSocialAccount
} from '../store/social-accounts.js'
import { findUserByEmail, lockUser, UniqueViolation, updateUser } from '../store/users.js'
import { createNewUserFrom } from './new-user.js'
import {
  ConcurrentChange, createSocialRegistration, type AccountLinkingOptions, type SocialLogin
} from './registration.js'

/** Call these in a transaction. */
export function createAccountLinking (options: AccountLinkingOptions) {
  const { settings, userRecords, events, outbox } = options
  const { hooks, account: { emailVerification }, social } = settings
  const newUserFrom = createNewUserFrom(settings, userRecords)
  const register = createSocialRegistration(options)
  const labelOf = (provider: string) => social.find(({ name }) => name === provider)?.label ?? provider

  /** The identity's user, active and locked; created if there is none. */
  async function findOrCreateUser (tx: Db, login: SocialLogin, mayCreate: boolean): Promise<UserRow> {
    const { identity } = login
    const known = await findSocialAccount(tx, identity.issuer, identity.subject)
    if (known) return await signInKnown(tx, login, known)
    const other = identity.email === undefined ? undefined : await findUserByEmail(tx, identity.email)
    if (!other) {
      if (!mayCreate) throw new ConcurrentChange()
      return await register(tx, login)
    }
    if (identity.emailProven) return await linkByEmail(tx, login, other.pk)
    // With mandatory verification no reply reveals that an address has an account; otherwise registration does, too.
    if (emailVerification !== 'mandatory') throw failure('account_exists')
    // The app may reject new users here: if it could do so for free addresses only, its reply would reveal the others.
    await hooks.registering?.((await newUserFrom(tx, identity)).input, tx.orm)
    throw new AddressTaken()
  }

  async function signInKnown (tx: Db, login: SocialLogin, known: SocialAccountRow): Promise<UserRow> {
    const { identity: { email, emailProven, provider }, row: { tokens, lastLogin } } = login
    const user = await activeUser(tx, known.userPk)
    const changes = { lastLogin, provider, ...(tokens !== null && { tokens }) }
    if (!await useSocialAccount(tx, known.id, changes)) throw new ConcurrentChange()
    // If the account has a password, somebody else may have registered this address first, so do not mark it verified
    // here; the confirmation mail does.
    return emailProven && !user.emailVerified && user.email === email && user.passwordHash === null
      ? await takeOver(tx, login, user, { keptAccountId: known.id })
      : user
  }

  async function linkByEmail (tx: Db, login: SocialLogin, pk: string): Promise<UserRow> {
    const { identity, row, request } = login
    const user = await activeUser(tx, pk)
    if (user.email !== identity.email) throw new ConcurrentChange()
    const owned = user.emailVerified
      ? user
      : await takeOver(tx, login, user, { changes: await fieldsOf(tx, user, identity) })
    await connect(tx, { ...row, userPk: pk }, request)
    await events.record(tx, request, { type: 'provider_connected', userPk: pk, provider: row.provider })
    return owned
  }

  async function connect (tx: Db, row: SocialAccountRow, request: FastifyRequest): Promise<void> {
    if (!await insertSocialAccount(tx, row)) throw new ConcurrentChange()
    const variables = { provider: labelOf(row.provider), ...describeClient(request) }
    await outbox.enqueue(tx, 'social-account-connected', { userPk: row.userPk }, variables)
  }

  /** What the provider says of the user, in place of what somebody else may have said. */
  async function fieldsOf (tx: Db, user: UserRow, identity: Identity): Promise<Partial<NewUserRow>> {
    const emptied = await userRecords.emptiedColumns(tx, user)
    if (!emptied) return {}
    const { input: { email: _email, username: _username, ...fields } } = await newUserFrom(tx, identity)
    return { ...emptied, ...userRecords.toColumns(fields) }
  }

  /** Gives the account to the proven owner of its mailbox, and removes every other way in. */
  async function takeOver (
    tx: Db,
    { request }: SocialLogin,
    { pk }: UserRow,
    { changes = {}, keptAccountId }: { changes?: Partial<NewUserRow>, keptAccountId?: string }
  ): Promise<UserRow> {
    const user = await updateUser(tx, pk, { ...changes, passwordHash: null, emailVerified: true }).catch(error => {
      // Another user got a unique value since it was found to be free.
      throw error instanceof UniqueViolation ? new ConcurrentChange() : error
    })
    if (!user) throw new ConcurrentChange()
    await deleteSessions(tx, pk)
    await forgetDevices(tx, pk)
    await deleteSocialAccounts(tx, pk, keptAccountId)
    await deleteTokens(tx, pk)
    await events.record(tx, request, { type: 'email_verified', userPk: pk })
    await hooks.emailVerified?.(userRecords.toUser(user), tx.orm)
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
