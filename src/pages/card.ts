/** A page that is a single card: a heading, a message or form, and a link to the login. */
import { html, type Markup } from '../lib/html.js'
import { renderPage, type Page } from './frame.js'
import { cardStyle } from './style.js'

export interface PageFrame {
  siteName: string
  /** An absolute URL or a path of this origin; anything else is left out. */
  loginUrl: string | undefined
}

export interface CardOptions {
  /** For the browser tab, if it differs from the heading. */
  title?: string
}

/** Renders a card. Its forms may post to this origin and be redirected to the login. */
export function card (frame: PageFrame, heading: string, content: Markup, { title = heading }: CardOptions = {}): Page {
  // The response to a form can redirect to the login, and browsers apply form-action to redirects as well.
  const login = linkTarget(frame.loginUrl)?.origin
  return renderPage({
    title: `${title} · ${frame.siteName}`,
    style: cardStyle,
    policy: `form-action 'self'${login ? ` ${login}` : ''}`,
    body: html`<header>${frame.siteName}</header>
<main>
<h1>${heading}</h1>${content}
</main>`
  })
}

export const loginLink = ({ loginUrl }: PageFrame, style = 'button'): Markup | undefined =>
  buttonTo(loginUrl, 'Log in', style)

/** A link to the login, or a sentence if the app has no login URL. */
export const loginButton = (frame: PageFrame): Markup => loginLink(frame) ?? html`<p>You can close this page.</p>`

/** A link that looks like a button; undefined unless the URL is absolute or a path of this origin. */
export function buttonTo (url: string | undefined, label: string, style = 'button'): Markup | undefined {
  const target = linkTarget(url)
  return target && html`<p><a class="${style}" href="${target.href}">${label}</a></p>`
}

const base = 'http://this.invalid'

/** Reads a URL as a browser does: to a browser `/\t/other.example` is another host, not a path of this origin. */
function linkTarget (url = ''): { href: string, origin?: string } | undefined {
  if (!URL.canParse(url, base)) return undefined
  const { origin } = new URL(url, base)
  if (url.startsWith('/')) return origin === base ? { href: url } : undefined
  // A host may contain characters that have a meaning in a Content-Security-Policy.
  return /^https?:\/\//i.test(url) && /^https?:\/\/[\w.:[\]-]+$/.test(origin) ? { href: url, origin } : undefined
}
