/** The pages before a login with a provider (if another site sent the browser) and after it. */
import { errors, type AnswerCode } from '../../schemas/errors.js'
import { html } from '../lib/html.js'
import { buttonTo, card, loginLink, type PageFrame } from './card.js'
import type { Page } from './frame.js'

export interface SocialStart {
  label: string
  startUrl: string
}

export interface SocialFailure {
  label: string
  /** Shown as well, for support. */
  code: AnswerCode
  /** Shown if the page has no sentence for the code: such as the app's own, when a hook rejects the login. */
  message: string
  /** A path of this origin; anything else is left out. */
  retryUrl: string
}

/**
 * Asks for a click (login CSRF). A link, no form: Chromium applies `form-action` to all redirects that follow. The
 * referrer policy lets our origin recognise the click in browsers without Sec-Fetch-Site.
 */
export function startPage (frame: PageFrame, { label, startUrl }: SocialStart): Page {
  const { html: page, headers } = card(frame, `Continue with ${label}`, html`
<p>You will be sent to ${label} to log in to ${frame.siteName}.</p>
${buttonTo(startUrl, `Continue with ${label}`)}
<p class="hint">If you did not start this login, close this page.</p>`)
  return { html: page, headers: { ...headers, 'referrer-policy': 'same-origin' } }
}

/** The messages of these codes are for developers; these sentences are for users. */
const sentences: { readonly [Code in AnswerCode]?: (label: string) => string } = {
  account_exists: () =>
    'There is already an account with your e-mail address. Log in to it as before; then you can connect this one.',
  code_exchange_failed: label => `${label} did not confirm the login. Please try again.`,
  email_not_verified: () => 'We have sent you a mail. Follow the link in it, then log in again.',
  provider_denied: label => `You did not agree to log in with ${label}.`,
  provider_email_missing: label => `${label} gave us no e-mail address, and we need one to create your account.`,
  provider_error: label => `We could not understand the response of ${label}. Please try again later.`,
  provider_unavailable: label => `${label} does not answer. Please try again in a moment.`,
  state_invalid: () => 'This login took too long or is already finished. Please start again.'
}

export const socialFailedPage = (frame: PageFrame, { label, code, message, retryUrl }: SocialFailure): Page =>
  card(frame, 'You are not logged in', html`
<p>${message === errors[code].message ? sentences[code]?.(label) ?? message : message}</p>
${retryUrl.startsWith('/') && buttonTo(retryUrl, 'Try again')}
${loginLink(frame, 'button second')}
<p class="hint">${code}</p>`, { title: `Not logged in with ${label}` })

/** For logins without a page of the app to end at. */
export const loggedInPage = (frame: PageFrame): Page => card(frame, 'You are logged in', html`
<p>You can close this page.</p>`)
