/**
 * Whose address is it? Its mailbox gets a link, and following it proves it. The mail is queued by registration.
 *
 *   POST /registration/verify-email                 spends the key of the link
 *   POST /registration/resend-email                 answers the same for every address; the mail follows
 *   GET  /registration/account-confirm-email/:key   a page whose button posts, or (confirmEmailOnGet) confirms
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Feature } from '../context.js'
import type { UserRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { sendPage, tokenInUrl } from '../http/page-replies.js'
import { canonicalEmail } from '../lib/email.js'
import { hashToken } from '../lib/secrets.js'
import { emailConfirmedPage, confirmEmailPage } from '../pages/email-verification.js'
import { linkInvalidPage } from '../pages/invalid-link.js'
import { deleteTokens, findToken, spendToken } from '../store/one-time-tokens.js'
import { recordLogin, verifyEmail } from '../store/users.js'

const purpose = 'email-verification'

export const emailVerification: Feature = (app, { settings, contract, db, clock, userRecords, sessions, outbox, pageFrame }) => {
  const { account, urls, hooks } = settings
  if (account.emailVerification === 'none') return

  app.post('/registration/verify-email', { schema: contract.verifyEmail }, async (request, reply) => {
    const user = await confirm(request.body.key)
    if (!user) throw failure('verification_key_invalid')
    return account.loginOnEmailConfirmation ? await logIn(user, request, reply) : { detail: 'ok' }
  })

  app.post('/registration/resend-email', { schema: contract.resendEmail }, async request => {
    // Who has the address is looked up by the dispatcher: the answer must not tell, by body or by clock.
    await outbox.enqueue(db, 'email-verification', { address: canonicalEmail(request.body.email) })
    outbox.wake()
    return { detail: 'ok' }
  })

  app.get<{ Params: { key: string } }>(
    '/registration/account-confirm-email/:key',
    { ...tokenInUrl, schema: contract.confirmEmailPage },
    async (request, reply) => {
      // A scanner's HEAD confirms nothing even where a GET does.
      if (account.confirmEmailOnGet && request.method === 'GET') return await confirmAndShow(request, reply, 302)
      const token = await findToken(db, purpose, hashToken(request.params.key), clock())
      return token
        ? sendPage(reply, 200, confirmEmailPage(pageFrame()))
        : sendPage(reply, 404, linkInvalidPage(pageFrame(), 'email'))
    }
  )

  // The button: without JavaScript a form can post to its own address, and a browser then wants a page.
  app.post<{ Params: { key: string } }>(
    '/registration/account-confirm-email/:key',
    { ...tokenInUrl, schema: { hide: true } },
    async (request, reply) => await confirmAndShow(request, reply, 303)
  )

  async function confirmAndShow ({ params }: { params: { key: string } }, reply: FastifyReply, status: 302 | 303) {
    if (!await confirm(params.key)) return sendPage(reply, 404, linkInvalidPage(pageFrame(), 'email'))
    return urls.login === undefined
      ? sendPage(reply, 200, emailConfirmedPage(pageFrame()))
      : await reply.redirect(urls.login, status)
  }

  /** Spends the key; undefined when it is none, or no longer that of the user's address. */
  async function confirm (key: string): Promise<UserRow | undefined> {
    return await db.transaction(async tx => {
      const token = await spendToken(tx, purpose, hashToken(key), clock())
      const user = token && await verifyEmail(tx, token.userPk, token.address)
      if (!user) return undefined
      await deleteTokens(tx, user.pk, purpose)
      await hooks.emailVerified?.(userRecords.toUser(user), tx.orm)
      return user
    })
  }

  async function logIn (verified: UserRow, request: FastifyRequest, reply: FastifyReply) {
    // No password was given: where one is wanted (`maxAge`), it is asked for.
    const session = sessions.create(verified.pk, request, new Date(0))
    const row = await db.transaction(async tx => {
      const user = await recordLogin(tx, verified, { lastLogin: clock() })
      // Deactivated, or its password changed, in the moment between.
      if (!user) throw failure('verification_key_invalid')
      await sessions.insert(tx, session)
      return user
    })
    return await sessions.respond(db, session, userRecords.toUser(row), request, reply)
  }
}
