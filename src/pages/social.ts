/**
 * The pages of a login with a provider, for whoever is in a browser: before it, where another site sent them, and
 * after it, where it failed or the app names no destination.
 */
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
  /** A sentence for people. */
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

export const socialFailedPage = (frame: PageFrame, { label, message, retryUrl }: SocialFailure): Page => card(frame, 'You are not logged in', html`
<p>${message}</p>
${retryUrl.startsWith('/') && buttonTo(retryUrl, 'Try again')}
${loginLink(frame, 'button second')}`, { title: `Not logged in with ${label}` })

/** Where the app names no destination. */
export const loggedInPage = (frame: PageFrame): Page => card(frame, 'You are logged in', html`
<p>You can close this page.</p>`)
