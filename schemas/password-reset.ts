/**
 * Password reset: users who can read the mail of their account can replace a forgotten password.
 *
 *   POST /password/reset                       sends the mail
 *   POST /password/reset/confirm               takes uid and token of its link, and the new password
 *   GET  /password/reset/confirm/:uid/:token   the page that the link opens
 */
import { Type } from '@sinclair/typebox'
import { Email, says, type ContractShape } from './common.js'
import { keyExample } from './email-verification.js'
import { passwordFieldCodes } from './errors.js'
import { newPasswordFields } from './password-change.js'
import { page } from './page.js'
import { route } from './route.js'

const linkFields = {
  uid: Type.String({
    minLength: 1,
    maxLength: 200,
    description: 'ID of the user, from the link in the mail.',
    examples: ['019391f2-8c5e-7b11-9a54-0c4f8a7d2e61']
  }),
  token: Type.String({
    minLength: 1,
    maxLength: 512,
    description: 'Token from the link in the mail. Can be used once.',
    examples: [keyExample]
  })
}

export const passwordResetRoutes = (shape: ContractShape) => {
  const tag = 'Password'
  return {
    requestPasswordReset: route(shape, {
      operationId: 'requestPasswordReset',
      limit: 'passwordReset',
      summary: 'Request a mail to reset the password',
      description: 'Returns the same response, after the same work, for every address. An account gets at most five ' +
        'mails an hour.',
      tag,
      body: Type.Object({ email: Email }),
      ...says(shape, 'Password reset e-mail has been sent.'),
      answered: 'If the address has an account, a mail is on its way.'
    }),
    confirmPasswordReset: route(shape, {
      operationId: 'confirmPasswordReset',
      limit: 'passwordResetConfirm',
      summary: 'Set a new password with the mailed token',
      description: 'Ends every session of the user. If the new password is rejected, the token stays valid.',
      tag,
      body: Type.Object({ ...newPasswordFields, ...linkFields }),
      ...says(shape, 'Password has been reset with the new password.'),
      answered: 'The new password is set.',
      errors: ['rejected', 'server_busy'],
      fields: ['token_invalid', ...passwordFieldCodes, 'value_not_allowed']
    }),
    passwordResetPage: page(shape, {
      operationId: 'passwordResetPage',
      limit: 'passwordResetConfirm',
      summary: 'Password reset page that the link in the mail opens',
      description: 'Shows a form for the new password.',
      tag,
      params: { uid: 'ID of the user, as in the mailed link.', token: 'Token of the mailed link.' },
      answers: { 200: 'The page with the form.', 404: 'The link is invalid, has expired or was already used.' }
    })
  }
}
