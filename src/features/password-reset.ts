/**
 * Lets users who forgot their password set a new one, with a link that is mailed to them.
 *
 *   POST /password/reset           queues the mail; returns the same for every address
 *   POST /password/reset/confirm   sets the new password and uses up the token of the link
 */
import { createPasswordReset, type PasswordResetBody } from '../account/password-reset.js'
import type { Feature } from '../context.js'
import { canonicalEmail } from '../lib/email.js'
import { masked } from '../lib/mask.js'
import { readBody } from '../validation/body-validator.js'

export const passwordReset: Feature = (app, context) => {
  const { contract, db, events, limits, outbox } = context
  const { reset } = createPasswordReset(context)

  app.post('/password/reset', { schema: contract.requestPasswordReset }, async request => {
    const address = canonicalEmail(request.body.email)
    await limits.count('passwordReset', request, { mailbox: address })
    // mail/prepare.ts looks the address up later: neither the response nor its timing may show whether it is known.
    await db.transaction(async tx => {
      await outbox.enqueue(tx, 'password-reset', { address })
      await events.record(tx, request, { type: 'password_reset_requested', identifier: masked(address ?? '') })
      tx.afterCommit(outbox.wake)
    })
    return { detail: 'Password reset e-mail has been sent.' }
  })

  app.post(
    '/password/reset/confirm',
    { schema: contract.confirmPasswordReset, attachValidation: true },
    async request => {
      const { body, invalid } = readBody<PasswordResetBody>(request)
      await reset(body, invalid, request)
      return { detail: 'Password has been reset with the new password.' }
    }
  )
}
