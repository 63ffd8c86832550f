/**
 * Whose address is it? Its mailbox gets a link, and following it proves it:
 *
 *   POST /registration/verify-email                 the key of the link
 *   POST /registration/resend-email                 the mail again
 *   GET  /registration/account-confirm-email/:key   the page that the link opens
 */
import { Type } from '@sinclair/typebox'
import { Detail, Email, type ContractShape } from './common.js'
import { page, route } from './route.js'
import { TokensOrDetail } from './token-pair.js'

export interface EmailVerificationShape extends ContractShape {
  confirmEmailOnGet: boolean
  loginOnEmailConfirmation: boolean
}

export const keyExample = 'a0V5LW9wYXF1ZS0yNTYtYml0LWtleS0wMDAwMDAwMDE'

export const emailVerificationRoutes = (shape: EmailVerificationShape) => {
  const tag = 'Account'
  const Key = Type.String({
    minLength: 1,
    maxLength: 512,
    description: 'The key of the link in the mail. Good once.',
    examples: [keyExample]
  })
  const invalid = 'The link has expired, was used, or never was one.'
  return {
    verifyEmail: route(shape, {
      operationId: 'verifyEmail',
      summary: 'Confirm an e-mail address',
      tag,
      body: Type.Object({ key: Key }),
      answer: TokensOrDetail(shape, shape.loginOnEmailConfirmation),
      answered: shape.loginOnEmailConfirmation
        ? 'The address is verified, and its user logged in.'
        : 'The address is verified.',
      errors: ['verification_key_invalid', 'rejected']
    }),
    resendEmail: route(shape, {
      operationId: 'resendEmail',
      summary: 'Send the confirmation mail again',
      description:
        'Answers the same whatever the address. Mailed is an account whose address is not verified, once in three minutes.',
      tag,
      body: Type.Object({ email: Email }),
      answer: Detail,
      answered: 'If there is something to confirm, a mail is on its way.'
    }),
    confirmEmailPage: page(shape, {
      operationId: 'confirmEmailPage',
      summary: 'The page that the link in the mail opens',
      ...(shape.confirmEmailOnGet
        ? {
            description: 'Confirms at once.',
            answers: {
              200: 'The address is verified.',
              302: 'The address is verified; on to `urls.login`.',
              404: invalid
            }
          }
        : {
            description:
              'Shows a button that confirms; opening the page changes nothing, because mail scanners follow links.',
            answers: { 200: 'The page with the button.', 404: invalid }
          }),
      tag
    })
  }
}
