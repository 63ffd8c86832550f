/** Registers the user of an identity that nobody has yet. */
import type { FastifyRequest } from 'fastify'
import type { UserRecords } from '../account/user-records.js'
import type { Db } from '../db/database.js'
import type { SocialAccountRow, UserRow } from '../db/tables.js'
import { Failure, failure } from '../errors/failure.js'
import type { Events } from '../events/create-events.js'
import type { Outbox } from '../mail/outbox.js'
import type { Identity } from '../oauth/types.js'
import type { Settings } from '../settings/types.js'
import { insertSocialAccount } from '../store/social-accounts.js'
import { insertUser } from '../store/users.js'
import { createNewUserFrom } from './new-user.js'

export interface AccountLinkingOptions {
  settings: Settings
  userRecords: UserRecords
  events: Events
  outbox: Outbox
}

export interface SocialLogin {
  identity: Identity
  /** What to store if the identity is not linked yet. */
  row: SocialAccountRow
  request: FastifyRequest
}

/** Another transaction changed what this one has read: start over. */
export class ConcurrentChange extends Error {}

/** The provider gave no address, or one that can't be an account's: its local part is not ASCII, for example. */
const emailMissing = ({ hasUnusableEmail }: Identity) => hasUnusableEmail
  ? new Failure('provider_email_missing', { message: unusableEmail })
  : failure('provider_email_missing')

const unusableEmail =
  'The provider gave an e-mail address that can not be used here: before the @, only ASCII characters can be.'

/** Call it in a transaction. */
export function createSocialRegistration ({ settings, userRecords, events, outbox }: AccountLinkingOptions) {
  const { hooks, account: { emailVerification, email: emailRule } } = settings
  const newUserFrom = createNewUserFrom(settings, userRecords)

  return async function register (tx: Db, { identity, row, request }: SocialLogin): Promise<UserRow> {
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
    await events.record(tx, request, { type: 'user_registered', userPk: user.pk, provider: row.provider })
    await hooks.registered?.(userRecords.toUser(user), tx.orm)
    if (identity.emailProven) await hooks.emailVerified?.(userRecords.toUser(user), tx.orm)
    else if (emailVerification !== 'none' && user.email !== null) {
      await outbox.enqueue(tx, 'email-verification', { userPk: user.pk })
    }
    return user
  }
}
