/**
 * E-mail verification: following a mailed link proves that the user reads the mailbox.
 *
 *   POST /registration/verify-email                 takes the key of the link
 *   POST /registration/resend-email                 sends the mail again
 *   GET  /registration/account-confirm-email/:key   the page that the link opens
 */
import { Type } from '@sinclair/typebox'
import { Email, says, type ContractShape } from './common.js'
import { page } from './page.js'
import { route } from './route.js'
import { tokensOr } from './token-pair.js'

export interface EmailVerificationShape extends ContractShape {
  confirmEmailOnGet: boolean
  loginOnEmailConfirmation: boolean
  /** Seconds. */
  resendInterval: number
}

export const keyExample = 'a0V5LW9wYXF1ZS0yNTYtYml0LWtleS0wMDAwMDAwMDE'

const Key = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'Key from the link in the mail. Can be used once.',
  examples: [keyExample]
})

const invalid = 'The link is invalid, has expired or was already used.'

const confirmedOnGet = {
  description: 'Confirms the address immediately.',
  answers: { 200: 'The address is verified.', 302: 'The address is verified; redirects to `urls.login`.', 404: invalid }
}

const confirmedByButton = {
  description: 'Shows a button that confirms the address. Opening the page changes nothing, because mail scanners ' +
    'follow links.',
  answers: { 200: 'The page with the button.', 404: invalid }
}

export const emailVerificationRoutes = (shape: EmailVerificationShape) => {
  const tag = 'Account'
  return {
    verifyEmail: route(shape, {
      operationId: 'verifyEmail',
      limit: 'verifyEmail',
      summary: 'Confirm an e-mail address',
      description: 'Takes the key of the mailed link, for front ends with a page of their own for it.' +
        (shape.loginOnEmailConfirmation ? ' Starts a session, as a login does.' : ''),
      tag,
      body: Type.Object({ key: Key }),
      ...tokensOr(shape, shape.loginOnEmailConfirmation, 'ok'),
      answered: shape.loginOnEmailConfirmation
        ? 'The address is verified and the user is logged in.'
        : 'The address is verified.',
      errors: ['verification_key_invalid', 'rejected']
    }),
    resendEmail: route(shape, {
      operationId: 'resendEmail',
      limit: 'resendEmail',
      summary: 'Send the confirmation mail again',
      description: 'Returns the same response for every address. Sends a mail only if the address belongs to ' +
        `an account and is not verified yet, at most once in ${shape.resendInterval} seconds.`,
      tag,
      body: Type.Object({ email: Email }),
      ...says(shape, 'ok'),
      answered: 'If there is an address to confirm, a mail is on its way.'
    }),
    confirmEmailPage: page(shape, {
      operationId: 'confirmEmailPage',
      limit: 'verifyEmail',
      summary: 'Confirmation page that the link in the mail opens',
      params: { key: 'Key of the mailed link.' },
      ...(shape.confirmEmailOnGet ? confirmedOnGet : confirmedByButton),
      tag
    })
  }
}
