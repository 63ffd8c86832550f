/**
 * The pages of a login with a provider, for whoever is in a browser: before it, where another site sent them, and
 * after it, where it failed or the app names no destination.
 */
import type { AnswerCode } from '../../schemas/errors.js'
import { html } from '../lib/html.js'
import { buttonTo, card, loginLink, type PageFrame } from './card.js'
import type { Page } from './frame.js'

export interface SocialStart {
  /** What people call the provider. */
  label: string
  /** The path of ours that the page is at. */
  startUrl: string
}

export interface SocialFailure {
  label: string
  /** Shown, too, for whoever is asked for help. */
  code: AnswerCode
  /** Of the code, or of the app's hook. */
  message: string
  /** A path of ours; anything else is left out. */
  retryUrl: string
}

/**
 * Asks for the click that starts a login. A link and no form: Chromium asks form-action about every redirect that follows,
 * and where a company has its people log in can't be known. It tells our own origin where it comes from, for browsers
 * that know no Sec-Fetch-Site.
 */
export function startPage (frame: PageFrame, { label, startUrl }: SocialStart): Page {
  const { html: page, headers } = card(frame, `Continue with ${label}`, html`
<p>You will be sent to ${label} to log in to ${frame.siteName}.</p>
${buttonTo(startUrl, `Continue with ${label}`)}
<p class="hint">You did not ask for this? Then just close this page.</p>`)
  return { html: page, headers: { ...headers, 'referrer-policy': 'same-origin' } }
}

/** What clients are told in the words of OAuth. */
const sentences: { readonly [Code in AnswerCode]?: (label: string) => string } = {
  account_exists: () =>
    'There is an account with your e-mail address already. Log in to it as you did before; then you can connect this one.',
  code_exchange_failed: label => `${label} did not confirm the login. Please try again.`,
  email_not_verified: () => 'We have sent you a mail. Follow the link in it, then log in again.',
  provider_denied: label => `${label} says that you did not agree.`,
  provider_email_missing: label => `${label} gave us no e-mail address, and without one we can’t make an account.`,
  provider_error: label => `${label} gave an answer that we could not use. Please try again later.`,
  provider_unavailable: label => `${label} does not answer. Please try again in a moment.`,
  state_invalid: () => 'This login took too long, or has ended already. Please start again.'
}

export const socialFailedPage = (frame: PageFrame, { label, code, message, retryUrl }: SocialFailure): Page =>
  card(
    frame,
    'You are not logged in',
    html` <p>${sentences[code]?.(label) ?? message}</p>
      ${retryUrl.startsWith('/') && buttonTo(retryUrl, 'Try again')} ${loginLink(frame, 'button second')}
      <p class="hint">${code}</p>`,
    { title: `Not logged in with ${label}` }
  )

/** Where the app names no destination. */
export const loggedInPage = (frame: PageFrame): Page => card(frame, 'You are logged in', html`
<p>You can close this page.</p>`)
