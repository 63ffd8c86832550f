/**
 * A forgotten password is replaced by whoever can read the mail of its account:
 *
 *   POST /password/reset                       sends the mail
 *   POST /password/reset/confirm               uid and token of its link, and the new password
 *   GET  /password/reset/confirm/:uid/:token   the page that the link opens
 */
import { Type } from '@sinclair/typebox'
import { Detail, Email, type ContractShape } from './common.js'
import { keyExample } from './email-verification.js'
import { passwordFieldCodes } from './errors.js'
import { newPasswordFields } from './password-change.js'
import { page, route } from './route.js'

export const passwordResetRoutes = (shape: ContractShape) => {
  const tag = 'Password'
  return {
    requestPasswordReset: route(shape, {
      operationId: 'requestPasswordReset',
      summary: 'Ask for the mail that resets a password',
      description:
        'Answers the same, after the same work, whatever the address. An account is mailed five times an hour at most.',
      tag,
      body: Type.Object({ email: Email }),
      answer: Detail,
      answered: 'If the address has an account, a mail is on its way.'
    }),
    confirmPasswordReset: route(shape, {
      operationId: 'confirmPasswordReset',
      summary: 'Set a new password by the mailed token',
      description: 'Ends every session of the user. A password that is refused leaves the token as it was.',
      tag,
      body: Type.Object({
        ...newPasswordFields,
        uid: Type.String({
          minLength: 1,
          maxLength: 200,
          description: 'The user, as the link names it.',
          examples: ['019391f2-8c5e-7b11-9a54-0c4f8a7d2e61']
        }),
        token: Type.String({
          minLength: 1,
          maxLength: 512,
          description: 'The token of the link. Good once.',
          examples: [keyExample]
        })
      }),
      answer: Detail,
      answered: 'The password is set.',
      errors: ['rejected', 'server_busy'],
      fields: ['token_invalid', ...passwordFieldCodes, 'value_not_allowed']
    }),
    passwordResetPage: page(shape, {
      operationId: 'passwordResetPage',
      summary: 'The page that the link in the mail opens',
      description: 'Asks for the new password.',
      tag,
      answers: { 200: 'The page with the form.', 404: 'The link has expired, was used, or never was one.' }
    })
  }
}
