/**
 * A forgotten password is replaced by whoever can read the mail of its account.
 *
 *   POST /password/reset                       answers the same for every address; the mail follows
 *   POST /password/reset/confirm               spends the mailed token and sets the password
 *   GET  /password/reset/confirm/:uid/:token   a page that asks for the new password
 */
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Contract } from '../../schemas/index.js'
import type { Body } from '../../schemas/route.js'
import type { Feature } from '../context.js'
import type { UserRow } from '../db/tables.js'
import { toFailure, Failure, fieldError, throwIfInvalid, type FieldError } from '../errors/failure.js'
import { sendPage, tokenInUrl } from '../http/page-replies.js'
import { canonicalEmail } from '../lib/email.js'
import { hashToken } from '../lib/secrets.js'
import { linkInvalidPage } from '../pages/invalid-link.js'
import { newPasswordPage, passwordResetPage, type PasswordProblem } from '../pages/password-reset.js'
import { deleteTokens, findToken, spendToken } from '../store/one-time-tokens.js'
import { deleteSessions } from '../store/sessions.js'
import { deleteSocialAccounts } from '../store/social-accounts.js'
import { findUser, replacePassword } from '../store/users.js'
import { readBody } from '../validation/body-validator.js'
import { inOrder } from '../validation/field-errors.js'

const purpose = 'password-reset'
type Input = Body<Contract['confirmPasswordReset']>
type Link = Pick<Input, 'uid' | 'token'>

export const passwordReset: Feature = (app, { settings, contract, db, clock, userRecords, passwords, outbox, pageFrame }) => {
  const { urls, hooks, password: { minLength } } = settings
  const { body: schema } = contract.confirmPasswordReset

  app.post('/password/reset', { schema: contract.requestPasswordReset }, async request => {
    // Who has the address is looked up by the dispatcher: the answer must not tell, by body or by clock.
    await outbox.enqueue(db, purpose, { address: canonicalEmail(request.body.email) })
    outbox.wake()
    return { detail: 'Password reset e-mail has been sent.' }
  })

  app.post(
    '/password/reset/confirm',
    { schema: contract.confirmPasswordReset, attachValidation: true },
    async request => {
      const { body, invalid } = readBody<Input>(request)
      await reset(body, invalid)
      return { detail: 'Password has been reset with the new password.' }
    }
  )

  app.get<{ Params: Link }>(
    '/password/reset/confirm/:uid/:token',
    { ...tokenInUrl, schema: contract.passwordResetPage },
    async ({ params }, reply) => {
      const owner = await ownerOf(params)
      return owner
        ? sendPage(reply, 200, askPage(owner, []))
        : sendPage(reply, 404, linkInvalidPage(pageFrame(), 'password'))
    }
  )

  // The form of the page posts to its own address; a browser then wants a page.
  app.post<{ Params: Link }>('/password/reset/confirm/:uid/:token', {
    ...tokenInUrl,
    schema: { hide: true, body: Type.Pick(schema, ['new_password1', 'new_password2']) },
    attachValidation: true
  }, async (request, reply) => {
    const { body, invalid } = readBody<Input>(request)
    try {
      await reset({ ...body, ...request.params }, invalid)
    } catch (error) {
      return await showProblems(request, reply, error)
    }
    return urls.login === undefined
      ? sendPage(reply, 200, passwordResetPage(pageFrame()))
      : await reply.redirect(urls.login, 303)
  })

  /** Whose password the link may replace; undefined when it is spent, too old, or made for another password or address. */
  async function ownerOf ({ uid, token }: Link): Promise<UserRow | undefined> {
    const row = await findToken(db, purpose, hashToken(token), clock())
    const user = row && row.userPk === uid ? await findUser(db, uid) : undefined
    return user?.isActive && user.email === row?.address && hashToken(user.passwordHash ?? '') === row.passwordDigest
      ? user
      : undefined
  }

  /** Sets the password, or throws everything that is wrong at once. A weak one burns no token. */
  async function reset (input: Partial<Input>, invalid: readonly FieldError[]): Promise<void> {
    const { uid, token, new_password1: password, new_password2: repeated } = input
    const found = [...invalid]
    const owner = uid !== undefined && token !== undefined ? await ownerOf({ uid, token }) : undefined
    if (uid !== undefined && token !== undefined && !owner) { found.push(fieldError('token', 'token_invalid', {}, { field: 'token', step: 1 })) }
    if (password !== undefined) { found.push(...(await passwords.checkPair(password, repeated, owner ? userRecords.toUser(owner) : {}))) }
    throwIfInvalid(inOrder(schema, found))
    // Nothing was found wrong: all of it is there.
    await replace(owner as UserRow, token as string, await passwords.hash(password as string))
  }

  async function replace (owner: UserRow, token: string, hash: string): Promise<void> {
    await db.transaction(async tx => {
      const spent = await spendToken(tx, purpose, hashToken(token), clock())
      const user = spent && await replacePassword(tx, owner.pk, owner.passwordHash, hash, { emailVerified: true })
      // Spent, changed or deactivated while the new password was being hashed.
      if (!user?.isActive || user.email !== spent?.address) { throw new Failure('validation_error', { fields: [fieldError('token', 'token_invalid')] }) }
      await deleteTokens(tx, user.pk)
      await deleteSessions(tx, user.pk)
      // Whoever connected them may never have read this mailbox (a trojan identifier).
      if (!owner.emailVerified) await deleteSocialAccounts(tx, user.pk)
      await outbox.enqueue(tx, 'password-changed', { userPk: user.pk })
      if (!owner.emailVerified) await hooks.emailVerified?.(userRecords.toUser(user), tx.orm)
      await hooks.passwordChanged?.(userRecords.toUser(user), tx.orm)
    })
    outbox.wake()
  }

  const askPage = ({ username, email }: UserRow, problems: readonly PasswordProblem[]) =>
    newPasswordPage(pageFrame(), problems, { minLength, username: username ?? email ?? '' })

  async function showProblems (request: FastifyRequest<{ Params: Link }>, reply: FastifyReply, error: unknown) {
    const failure = toFailure(error, request)
    if (!failure || failure.statusCode !== 400) throw error
    const owner = await ownerOf(request.params)
    if (!owner) return sendPage(reply, 404, linkInvalidPage(pageFrame(), 'password'))
    const problems = failure.fields.length > 0 ? failure.fields : [{ field: 'new_password1', message: failure.message }]
    return sendPage(
      reply,
      400,
      askPage(
        owner,
        problems.map(({ field, message }) => ({ field: field === 'new_password2' ? field : 'new_password1', message }))
      )
    )
  }
}
