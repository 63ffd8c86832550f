/** The steps that the password reset API and its page share: who owns a link, and setting the new password. */
import type { FastifyRequest } from 'fastify'
import type { Contract } from '../../schemas/index.js'
import type { Body } from '../../schemas/route.js'
import type { Database, Db } from '../db/database.js'
import type { UserRow } from '../db/tables.js'
import { Failure, fieldError, validOrThrow, type FieldError } from '../errors/failure.js'
import type { Events } from '../events/create-events.js'
import { describeClient } from '../lib/client.js'
import { networkOf } from '../lib/network.js'
import { hashToken } from '../lib/secrets.js'
import type { Limiter } from '../limits/limiter.js'
import type { Outbox } from '../mail/outbox.js'
import type { Settings } from '../settings/types.js'
import { forgetDevices } from '../store/known-devices.js'
import { deleteLoginFailures } from '../store/login-failures.js'
import { deleteTokens, findToken, spendToken, tokenPurposes } from '../store/one-time-tokens.js'
import { deleteSessions } from '../store/sessions.js'
import { deleteSocialAccounts } from '../store/social-accounts.js'
import { findUser, replacePassword } from '../store/users.js'
import { inOrder } from '../validation/field-errors.js'
import { identifierKey } from './identifier-key.js'
import type { Passwords } from './passwords.js'
import type { UserRecords } from './user-records.js'

export type PasswordResetBody = Body<Contract['confirmPasswordReset']>
export type ResetLink = Pick<PasswordResetBody, 'uid' | 'token'>

interface PasswordResetOptions {
  settings: Settings
  contract: Contract
  db: Database
  clock: () => Date
  events: Events
  userRecords: UserRecords
  passwords: Passwords
  outbox: Outbox
  limits: Limiter
}

// The policy of the mail `password-reset` mints the token that is spent here.
const purpose = tokenPurposes.resetPassword

export function createPasswordReset (options: PasswordResetOptions) {
  const { settings: { account, hooks }, contract, db, clock, events, limits, userRecords, passwords, outbox } =
    options
  const { body: schema } = contract.confirmPasswordReset

  /** The user whose password the link may replace; undefined if it was used, or the password or address changed. */
  async function ownerOf ({ uid, token }: ResetLink): Promise<UserRow | undefined> {
    const row = await findToken(db, purpose, hashToken(token), clock())
    const user = row?.userPk === uid ? await findUser(db, uid) : undefined
    if (!user?.isActive || user.email !== row?.address) return undefined
    return hashToken(user.passwordHash ?? '') === row.passwordDigest ? user : undefined
  }

  /** The same for a link that a client follows: how often it may be invalid is limited. */
  async function ownerOrLimit (link: ResetLink, request: FastifyRequest): Promise<UserRow | undefined> {
    const owner = await ownerOf(link)
    if (!owner) await limits.count('passwordResetConfirm', request)
    return owner
  }

  /** Sets the password, or throws everything that is wrong at once. A rejected password does not use up the token. */
  async function reset (
    input: Partial<PasswordResetBody>, invalid: readonly FieldError[], request: FastifyRequest
  ): Promise<void> {
    const { uid, token, new_password1: password, new_password2: repeated } = input
    const hasLink = uid !== undefined && token !== undefined
    const owner = hasLink ? await ownerOrLimit({ uid, token }, request) : undefined
    const found = password === undefined
      ? [...invalid]
      : await passwords.checkPair(password, repeated, owner ? userRecords.toUser(owner) : {}, invalid)
    if (hasLink && !owner) found.push(fieldError('token', 'token_invalid', {}, { field: 'token', step: 1 }))
    const valid = validOrThrow({ owner, token, password }, inOrder(schema, found))
    const hash = await passwords.hash(valid.password, networkOf(request.ip))
    await replace(valid.owner, valid.token, hash, request)
  }

  async function replace (owner: UserRow, token: string, hash: string, request: FastifyRequest): Promise<void> {
    // Without verification all users are unproven, and would lose their fields when they forget their password.
    const isTakenOver = !owner.emailVerified && account.emailVerification !== 'none'
    await db.transaction(async tx => {
      const spent = await spendToken(tx, purpose, hashToken(token), clock())
      const user = spent && await replacePassword(tx, owner.pk, owner.passwordHash, hash, {
        ...(isTakenOver && await userRecords.emptiedColumns(tx, owner)),
        emailVerified: true
      })
      // Another request may have used the link or changed the account while the new password was being hashed.
      if (!user?.isActive || user.email !== spent?.address) {
        throw new Failure('validation_error', { fields: [fieldError('token', 'token_invalid')] })
      }
      await deleteTokens(tx, user.pk)
      await deleteLoginFailures(tx, user.pk)
      await deleteSessions(tx, user.pk)
      await forgetDevices(tx, user.pk)
      // Until now nobody had proved to own this mailbox, so an attacker may have registered the address, and linked
      // their own provider account to it. What they said of themselves is emptied above.
      if (!owner.emailVerified) await deleteSocialAccounts(tx, user.pk)
      await outbox.enqueue(tx, 'password-changed', { userPk: user.pk }, describeClient(request))
      await recordEvents(tx, owner, request)
      if (!owner.emailVerified) await hooks.emailVerified?.(userRecords.toUser(user), tx.orm)
      await hooks.passwordChanged?.(userRecords.toUser(user), tx.orm)
    })
    const names = [identifierKey(owner.email ?? ''), identifierKey('', owner.username ?? '')]
    await limits.clear('login', names)
    outbox.wake()
  }

  async function recordEvents (tx: Db, { pk: userPk, emailVerified }: UserRow, request: FastifyRequest): Promise<void> {
    await events.record(tx, request, { type: 'password_reset', userPk })
    if (!emailVerified) await events.record(tx, request, { type: 'email_verified', userPk })
  }

  return { ownerOf, ownerOrLimit, reset }
}
