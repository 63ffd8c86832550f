/** The pages that the link of a confirmation mail leads to. */
import { html } from '../lib/html.js'
import { type PageFrame, card, loginButton } from './card.js'
import type { Page } from './frame.js'

/** Asks for the click that confirms. Its form posts to the URL of the page, which holds the key. */
export const confirmEmailPage = (frame: PageFrame): Page => card(frame, 'Confirm your e-mail address', html`
<p>Press the button to confirm that this e-mail address is yours.</p>
<form method="post">
<button class="button" type="submit">Confirm e-mail address</button>
</form>
<p class="hint">If you did not ask for this, close this page.</p>`)

/** After the address is confirmed, for apps without a login URL. */
export const emailConfirmedPage = (frame: PageFrame): Page => card(frame, 'E-mail address confirmed', html`
<p>Thank you. You can log in now.</p>
${loginButton(frame)}`)
