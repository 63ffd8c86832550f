/** The pages behind the link of a confirmation mail. */
import { html } from '../lib/html.js'
import { type PageFrame, card, loginButton } from './card.js'
import type { Page } from './frame.js'

/** Asks for the click that confirms. The form, like all here, posts to the page's own address. */
export const confirmEmailPage = (frame: PageFrame): Page => card(frame, 'Confirm your e-mail address', html`
<p>Press the button to confirm that this e-mail address is yours.</p>
<form method="post">
<button class="button" type="submit">Confirm e-mail address</button>
</form>
<p class="hint">You did not ask for this? Then just close this page.</p>`)

export const emailConfirmedPage = (frame: PageFrame): Page => card(frame, 'E-mail address confirmed', html`
<p>Thank you. You can log in now.</p>
${loginButton(frame)}`)
