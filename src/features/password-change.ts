/**
 * Lets a logged-in user set a new password. The other sessions end, and a mail informs the user.
 *
 *   POST /password/change
 */
import type { FastifyRequest } from 'fastify'
import type { Contract } from '../../schemas/index.js'
import type { Body } from '../../schemas/route.js'
import type { Feature } from '../context.js'
import type { UserRow } from '../db/tables.js'
import { Failure, failure, fieldError, validOrThrow } from '../errors/failure.js'
import { describeClient } from '../lib/client.js'
import { networkOf } from '../lib/network.js'
import { withdrawnIfUnchecked } from '../limits/limiter.js'
import { authenticatedUserOf } from '../session/authenticate.js'
import { deleteLoginFailures } from '../store/login-failures.js'
import { deleteSessions } from '../store/sessions.js'
import { replacePassword, updateUser } from '../store/users.js'
import { readBody } from '../validation/body-validator.js'
import { inOrder } from '../validation/field-errors.js'

export const passwordChange: Feature = (app, context) => {
  const { settings, contract, db, events, limits, userRecords, passwords, outbox, authenticate } = context
  const { requireOld, logoutOnChange } = settings.password

  app.post(
    '/password/change',
    { schema: contract.changePassword, attachValidation: true, onRequest: authenticate },
    async request => {
      const { user } = authenticatedUserOf(request)
      const password = await readNewPassword(request, user)
      await replace(request, await passwords.hash(password, networkOf(request.ip)))
      outbox.wake()
      return { detail: 'New password has been saved.' }
    }
  )

  async function readNewPassword (request: FastifyRequest, user: UserRow): Promise<string> {
    const { body, invalid } = readBody<Body<Contract['changePassword']>>(request)
    const { old_password: old, new_password1: password, new_password2: repeated } = body
    const owner = userRecords.toUser(user)
    const found = password === undefined
      ? [...invalid]
      : await passwords.checkPair(password, repeated, owner, invalid)
    if (requireOld && old !== undefined && !await isOldPassword(old, user, request)) found.push(wrongPassword())
    return validOrThrow({ password }, inOrder(contract.changePassword.body, found)).password
  }

  async function isOldPassword (old: string, user: UserRow, request: FastifyRequest): Promise<boolean> {
    const attempt = await limits.count('passwordChange', request, { account: user.pk })
    const matches = await withdrawnIfUnchecked(attempt, async () =>
      await passwords.verify(user.passwordHash, old, networkOf(request.ip)))
    if (matches) await attempt.succeeded()
    else await events.record(db, request, { type: 'password_change_failed', userPk: user.pk })
    return matches
  }

  async function replace (request: FastifyRequest, hash: string): Promise<void> {
    const { user, sessionId } = authenticatedUserOf(request)
    await db.transaction(async tx => {
      const changed = requireOld
        ? await replacePassword(tx, user.pk, user.passwordHash, hash)
        : await updateUser(tx, user.pk, { passwordHash: hash })
      // Since the old password was verified, another request has changed it or deleted the user.
      if (!changed) {
        throw requireOld ? new Failure('validation_error', { fields: [wrongPassword()] }) : failure('user_not_found')
      }
      await deleteLoginFailures(tx, user.pk)
      if (logoutOnChange) await deleteSessions(tx, user.pk, sessionId)
      await outbox.enqueue(tx, 'password-changed', { userPk: user.pk }, describeClient(request))
      await events.record(tx, request, { type: 'password_changed', userPk: user.pk, sessionId })
      await settings.hooks.passwordChanged?.(userRecords.toUser(changed), tx.orm)
    })
  }
}

const wrongPassword = () => fieldError('old_password', 'wrong_password')
