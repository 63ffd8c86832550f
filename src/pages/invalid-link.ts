/** The page for a link that no longer works. */
import { html } from '../lib/html.js'
import { type PageFrame, card, loginButton } from './card.js'
import type { Page } from './frame.js'

const nextSteps = {
  email: 'Your e-mail address may already be confirmed: try to log in. If that fails, ask for a new confirmation mail.',
  password: 'To choose a new password, ask for another reset mail and use the link in that one.'
}

export const linkInvalidPage = (frame: PageFrame, purpose: 'email' | 'password'): Page =>
  card(frame, 'This link does not work', html`
<p>It has expired, has already been used, or is incomplete.</p>
<p>${nextSteps[purpose]}</p>
${loginButton(frame)}`)
