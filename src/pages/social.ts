/**
 * The pages of a login with a provider, for whoever is in a browser: before it, where another site sent them, and
 * after it, where it failed or the app names no destination.
 */
import { html } from '../lib/html.js'
import { buttonTo, card, loginLink, originOf, type PageFrame } from './card.js'
import type { Page } from './frame.js'

export interface SocialStart {
  /** What people call the provider. */
  label: string
  providerOrigin: string
  /** Where the login leads in the end, if that is known. */
  next?: string | undefined
}

export interface SocialFailure {
  label: string
  /** A sentence for people. */
  message: string
  /** A path of ours; anything else is left out. */
  retryUrl: string
}

/**
 * Asks for the click that starts a login. Chromium asks form-action about every redirect that follows: the provider's
 * own, to wherever a company has its people log in, cannot be known; back here, and on to the app. Those without TLS,
 * as in development, are named.
 */
export const startPage = (frame: PageFrame, { label, providerOrigin, next }: SocialStart): Page => card(frame, `Continue with ${label}`, html`
<p>You will be sent to ${label} to log in to ${frame.siteName}.</p>
<form method="post">
<button class="button" type="submit">Continue with ${label}</button>
</form>
<p class="hint">You did not ask for this? Then just close this page.</p>`, { formAction: ['https:', originOf(providerOrigin), originOf(next)] })

export const socialFailedPage = (frame: PageFrame, { label, message, retryUrl }: SocialFailure): Page => card(frame, 'You are not logged in', html`
<p>${message}</p>
${retryUrl.startsWith('/') && buttonTo(retryUrl, 'Try again')}
${loginLink(frame, 'button second')}`, { title: `Not logged in with ${label}` })

/** Where the app names no destination. */
export const loggedInPage = (frame: PageFrame): Page => card(frame, 'You are logged in', html`
<p>You can close this page.</p>`)
