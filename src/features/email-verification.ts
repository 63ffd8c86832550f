/**
 * Verifies e-mail addresses: a mailed link proves that the user reads the mailbox. Registration queues the mail.
 *
 *   POST /registration/verify-email                  verifies the address; uses up the key of the link
 *   POST /registration/resend-email                  queues another mail; returns the same for every address
 *   GET  /registration/account-confirm-email/:key    a page with a button, or (confirmEmailOnGet) the verification
 *   POST /registration/account-confirm-email/:key    what the button does
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
import { deleteTokens, findToken, spendToken, tokenPurposes } from '../store/one-time-tokens.js'
import { verifyEmail } from '../store/users.js'

interface LinkRoute { Params: { key: string } }

// The policy of the mail `email-verification` mints the token (its `key`) that this feature spends.
const purpose = tokenPurposes.verifyEmail
const pagePath = '/registration/account-confirm-email/:key'

export const emailVerification: Feature = (app, context) => {
  const { settings, contract, db, clock, events, limits, userRecords, sessions, outbox, pageFrame } = context
  const { account, urls, hooks } = settings
  if (account.emailVerification === 'none') return

  app.post('/registration/verify-email', { schema: contract.verifyEmail }, async (request, reply) => {
    const user = await verify(request.body.key, request)
    if (!user) throw failure('verification_key_invalid')
    return account.loginOnEmailConfirmation ? await logIn(user, request, reply) : { detail: 'ok' }
  })

  app.post('/registration/resend-email', { schema: contract.resendEmail }, async request => {
    const address = canonicalEmail(request.body.email)
    await limits.count('resendEmail', request, { mailbox: address })
    // The dispatcher looks the address up later: neither the response nor its timing may show whether it is known.
    await outbox.enqueue(db, 'email-verification', { address })
    outbox.wake()
    return { detail: 'ok' }
  })

  app.get<LinkRoute>(
    pagePath,
    { ...tokenInUrl, schema: contract.confirmEmailPage },
    async (request, reply) => {
      // Mail scanners send HEAD, which must verify nothing, even if GET does.
      const verifies = account.confirmEmailOnGet && request.method === 'GET'
      return verifies ? await verifyAndShow(request, reply, 302) : await askForClick(request, reply)
    }
  )

  // Without JavaScript a form can only post to a URL, and the response has to be a page again.
  app.post<LinkRoute>(
    pagePath,
    { ...tokenInUrl, schema: { hide: true } },
    async (request, reply) => await verifyAndShow(request, reply, 303)
  )

  async function askForClick (request: FastifyRequest<LinkRoute>, reply: FastifyReply) {
    const token = await findToken(db, purpose, hashToken(request.params.key), clock())
    if (token) return sendPage(reply, 200, confirmEmailPage(pageFrame()))
    await limits.count('verifyEmail', request)
    return sendLinkInvalid(reply)
  }

  async function verifyAndShow (request: FastifyRequest<LinkRoute>, reply: FastifyReply, status: 302 | 303) {
    if (!await verify(request.params.key, request)) return sendLinkInvalid(reply)
    return urls.login === undefined
      ? sendPage(reply, 200, emailConfirmedPage(pageFrame()))
      : await reply.redirect(urls.login, status)
  }

  const sendLinkInvalid = (reply: FastifyReply) => sendPage(reply, 404, linkInvalidPage(pageFrame(), 'email'))

  /** Uses up the key; undefined if it is invalid, or was sent to an address that the user no longer has. */
  async function verify (key: string, request: FastifyRequest): Promise<UserRow | undefined> {
    const verified = await db.transaction(async tx => {
      const token = await spendToken(tx, purpose, hashToken(key), clock())
      const user = token && await verifyEmail(tx, token.userPk, token.address)
      if (!user) return undefined
      await deleteTokens(tx, user.pk, purpose)
      await events.record(tx, request, { type: 'email_verified', userPk: user.pk })
      await hooks.emailVerified?.(userRecords.toUser(user), tx.orm)
      return user
    })
    if (!verified) await limits.count('verifyEmail', request)
    return verified
  }

  async function logIn (verified: UserRow, request: FastifyRequest, reply: FastifyReply) {
    const loggedIn = await sessions.logInIfUnchanged(db, verified, request, {
      orElse: 'verification_key_invalid',
      // Nobody entered a password, so a route with `maxAge` still has to ask for it.
      authenticatedAt: new Date(0)
    })
    return await sessions.respond(db, loggedIn, request, reply)
  }
}
