/**
 * The page that the link of a reset mail opens, for apps that have no page of their own for it.
 *
 *   GET  /password/reset/confirm/:uid/:token   asks for the new password
 *   POST /password/reset/confirm/:uid/:token   sets it, or shows the form again with what is wrong
 */
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { createPasswordReset, type PasswordResetBody, type ResetLink } from '../account/password-reset.js'
import type { Feature } from '../context.js'
import type { UserRow } from '../db/tables.js'
import { toFailure } from '../errors/failure.js'
import { sendPage, tokenInUrl } from '../http/page-replies.js'
import { linkInvalidPage } from '../pages/invalid-link.js'
import { newPasswordPage, passwordChangedPage, type PasswordProblem } from '../pages/password-reset.js'
import { readBody } from '../validation/body-validator.js'

interface LinkRoute { Params: ResetLink }

const path = '/password/reset/confirm/:uid/:token'

export const passwordResetPage: Feature = (app, context) => {
  const { settings: { urls, password: { minLength } }, contract, pageFrame } = context
  const { ownerOf, ownerOrLimit, reset } = createPasswordReset(context)
  const formSchema = Type.Pick(contract.confirmPasswordReset.body, ['new_password1', 'new_password2'])

  app.get<LinkRoute>(
    path,
    { ...tokenInUrl, schema: contract.passwordResetPage },
    async (request, reply) => await sendForm(reply, 200, await ownerOrLimit(request.params, request), [])
  )

  // Without JavaScript a form can only post to a URL, and the response has to be a page again.
  app.post<LinkRoute>(
    path,
    { ...tokenInUrl, schema: { hide: true, body: formSchema }, attachValidation: true },
    async (request, reply) => {
      const { body, invalid } = readBody<PasswordResetBody>(request)
      try {
        await reset({ ...body, ...request.params }, invalid, request)
      } catch (error) {
        const problems = problemsOf(error, request)
        return await sendForm(reply, 400, await ownerOf(request.params), problems)
      }
      return urls.login === undefined
        ? sendPage(reply, 200, passwordChangedPage(pageFrame()))
        : await reply.redirect(urls.login, 303)
    }
  )

  async function sendForm (
    reply: FastifyReply, status: 200 | 400, owner: UserRow | undefined, problems: readonly PasswordProblem[]
  ) {
    if (!owner) return sendPage(reply, 404, linkInvalidPage(pageFrame(), 'password'))
    return sendPage(reply, status, newPasswordPage(pageFrame(), problems, { minLength, username: usernameOf(owner) }))
  }
}

const usernameOf = ({ username, email }: UserRow) => username ?? email ?? ''

/** What to show in the form; throws the error again if the user can't correct it. */
function problemsOf (error: unknown, request: FastifyRequest<LinkRoute>): PasswordProblem[] {
  const failure = toFailure(error, request)
  if (!failure || failure.statusCode !== 400) throw error
  if (failure.fields.length === 0) return [{ field: 'new_password1', message: failure.message }]
  return failure.fields.map(({ field, message }) => ({
    field: field === 'new_password2' ? field : 'new_password1',
    message
  }))
}
