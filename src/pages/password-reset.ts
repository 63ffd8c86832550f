/** Asks for a new password, without JavaScript. In a form: mail scanners follow links but do not press buttons. */
import { html, type Markup } from '../lib/html.js'
import { card, loginButton, type PageFrame } from './card.js'
import type { Page } from './frame.js'

export interface PasswordProblem {
  field: 'new_password1' | 'new_password2'
  message: string
}

export interface PasswordForm {
  /** Shown as a hint, in characters. */
  minLength: number
  /** Lets a password manager store the new password under the right name. */
  username?: string
}

/** The form, with the problems of the last attempt, if any. */
export function newPasswordPage (
  frame: PageFrame,
  problems: readonly PasswordProblem[],
  { minLength, username }: PasswordForm
): Page {
  const title = 'Choose a new password'
  const messagesOf = (name: PasswordProblem['field']) =>
    problems.filter(({ field }) => field === name).map(({ message }) => message)
  const invalid = (['new_password1', 'new_password2'] as const).find(name => messagesOf(name).length > 0)
  const field = (name: PasswordProblem['field'], label: string, hint?: string) =>
    passwordField({ name, label, hint, messages: messagesOf(name), autofocus: name === invalid })
  return card(frame, title, html`
<form method="post">
${username && usernameField(username)}
${field('new_password1', 'New password', `At least ${minLength} characters.`)}
${field('new_password2', 'New password, again')}
<button class="button" type="submit">Save new password</button>
</form>`, { title: invalid ? `Error: ${title}` : title })
}

export const passwordChangedPage = (frame: PageFrame): Page => card(frame, 'Your password has been changed', html`
<p>You have been logged out everywhere. Log in with the new password.</p>
${loginButton(frame)}`)

/** For password managers only: invisible, and skipped by the keyboard and by screen readers. */
const usernameField = (username: string): Markup => html`<input class="for-machines"
type="text" name="username" autocomplete="username" value="${username}" readonly tabindex="-1" aria-hidden="true">`

interface Field {
  name: string
  label: string
  hint: string | undefined
  messages: string[]
  autofocus: boolean
}

/** Has no minlength or maxlength: the server's messages are clearer, and maxlength would cut a pasted password. */
function passwordField ({ name, label, hint, messages, autofocus }: Field): Markup {
  const invalid = messages.length > 0
  const described = [hint && `${name}-hint`, invalid && `${name}-error`].filter(Boolean).join(' ')
  const attributes = [
    described && html` aria-describedby="${described}"`, invalid && html` aria-invalid="true"`,
    autofocus && html` autofocus`
  ]
  return html`<div class="field">
<label for="${name}">${label}</label>
${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
<input type="password" id="${name}" name="${name}" autocomplete="new-password" required${attributes}>
${invalid && errorBox(name, messages)}
</div>`
}

const errorBox = (name: string, messages: string[]): Markup =>
  html`<div class="error" id="${name}-error" role="alert">${messages.map(message => html`<p>${message}</p>`)}</div>`
