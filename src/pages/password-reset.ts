/**
 * The pages that ask for a reset mail and for the new password. They work without JavaScript, and
 * what changes something is a form: mail scanners follow links too, but press no buttons.
 */
import { html, type Markup } from '../lib/html.js'
import { card, loginButton, type PageFrame } from './card.js'
import type { Page } from './frame.js'

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

export function newPasswordPage (frame: PageFrame, problems: readonly PasswordProblem[], { minLength, username }: PasswordForm): Page {
  const title = 'Choose a new password'
  const messagesOf = (name: PasswordProblem['field']) =>
    problems.filter(({ field }) => field === name).map(({ message }) => message)
  const invalid = (['new_password1', 'new_password2'] as const).find(name => messagesOf(name).length > 0)
  const field = (name: PasswordProblem['field'], label: string, hint?: string) =>
    passwordField({ name, label, hint, messages: messagesOf(name), autofocus: name === invalid })
  return card(
    frame,
    title,
    html` <form method="post">
      ${username && html`<input class="for-machines" type="text" name="username" autocomplete="username" value="${username}" readonly tabindex="-1" aria-hidden="true" />`}
      ${field('new_password1', 'New password', `At least ${minLength} characters.`)}
      ${field('new_password2', 'New password, again')}
      <button class="button" type="submit">Save new password</button>
    </form>`,
    { title: invalid ? `Error: ${title}` : title }
  )
}

export const passwordChangedPage = (frame: PageFrame): Page => card(frame, 'Your password is changed', html`
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
    <input
      type="password"
      id="${name}"
      name="${name}"
      autocomplete="new-password"
      required${
        described && html` aria-describedby="${described}"`
      }${invalid && html` aria-invalid="true"`}${autofocus && html` autofocus`}
    />
    ${invalid && html`<div class="error" id="${name}-error" role="alert">${messages.map(message => html`<p>${message}</p>`)}</div>`}
  </div>`
}
