/**
 * The pages behind the links of our mails, for an app that has none of its own. They work without JavaScript, and
 * what changes something is a form: mail scanners follow links too, but press no buttons.
 */
import { html, type Markup } from './lib/html.js'
import { card, loginButton, type PageFrame } from './pages/card.js'
import type { Page } from './pages/frame.js'

export type { PageFrame } from './pages/card.js'
export type { Page } from './pages/frame.js'

export interface PasswordProblem {
  field: 'new_password1' | 'new_password2'
  message: string
}

export interface PasswordForm {
  /** How long a password has to be, for the hint. */
  minLength: number
  /** Whose password it is, so that a password manager stores both. */
  username?: string
}

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

const nextSteps = {
  email: 'Perhaps your e-mail address is confirmed already: try to log in. If you can’t, ask for a new confirmation mail.',
  password: 'To choose a new password, ask for another reset mail, and use the link in that one.'
}

/** For a link that is expired, used or unknown. */
export const linkInvalidPage = (frame: PageFrame, purpose: 'email' | 'password'): Page => card(frame, 'This link does not work', html`
<p>It has expired, was used before, or is not complete.</p>
<p>${nextSteps[purpose]}</p>
${loginButton(frame)}`)

export function newPasswordPage (frame: PageFrame, problems: readonly PasswordProblem[], { minLength, username }: PasswordForm): Page {
  const title = 'Choose a new password'
  const messagesOf = (name: PasswordProblem['field']) => problems.filter(({ field }) => field === name).map(({ message }) => message)
  const invalid = (['new_password1', 'new_password2'] as const).find(name => messagesOf(name).length > 0)
  const field = (name: PasswordProblem['field'], label: string, hint?: string) =>
    passwordField({ name, label, hint, messages: messagesOf(name), autofocus: name === invalid })
  return card(frame, title, html`
<form method="post">
${username && html`<input class="for-machines" type="text" name="username" autocomplete="username" value="${username}" readonly tabindex="-1" aria-hidden="true">`}
${field('new_password1', 'New password', `At least ${minLength} characters.`)}
${field('new_password2', 'New password, again')}
<button class="button" type="submit">Save new password</button>
</form>`, { title: invalid ? `Error: ${title}` : title })
}

export const passwordResetPage = (frame: PageFrame): Page => card(frame, 'Your password is changed', html`
<p>You have been logged out everywhere. Log in with the new password.</p>
${loginButton(frame)}`)

interface Field {
  name: string
  label: string
  hint: string | undefined
  messages: string[]
  autofocus: boolean
}

/** Without minlength or maxlength: the server says what is wrong, and nothing that is pasted gets cut. */
function passwordField ({ name, label, hint, messages, autofocus }: Field): Markup {
  const invalid = messages.length > 0
  const described = [hint && `${name}-hint`, invalid && `${name}-error`].filter(Boolean).join(' ')
  return html`<div class="field">
<label for="${name}">${label}</label>
${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
<input type="password" id="${name}" name="${name}" autocomplete="new-password" required${
  described && html` aria-describedby="${described}"`}${invalid && html` aria-invalid="true"`}${autofocus && html` autofocus`}>
${invalid && html`<div class="error" id="${name}-error" role="alert">${messages.map(message => html`<p>${message}</p>`)}</div>`}
</div>`
}
