/** The page behind a link that does not work any more. */
import { html } from '../lib/html.js'
import { type PageFrame, card, loginButton } from './card.js'
import type { Page } from './frame.js'

const nextSteps = {
  email:
    'Perhaps your e-mail address is confirmed already: try to log in. If you can’t, ask for a new confirmation mail.',
  password: 'To choose a new password, ask for another reset mail, and use the link in that one.'
}

/** For a link that is expired, used or unknown. */
export const linkInvalidPage = (frame: PageFrame, purpose: 'email' | 'password'): Page =>
  card(
    frame,
    'This link does not work',
    html` <p>It has expired, was used before, or is not complete.</p>
      <p>${nextSteps[purpose]}</p>
      ${loginButton(frame)}`
  )
