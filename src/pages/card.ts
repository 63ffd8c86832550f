/** A page that is one card: what it is about, what to do, and the way to the login. */
import { html, type Markup } from '../lib/html.js'
import { renderPage, type Page } from './frame.js'
import { cardStyle } from './style.js'

export interface PageFrame {
  siteName: string
  /** An absolute address or a path of this origin; anything else is left out. */
  loginUrl: string | undefined
}

export interface CardOptions {
  /** What the tab says, where it is not the heading. */
  title?: string
}

export function card (frame: PageFrame, heading: string, content: Markup, { title = heading }: CardOptions = {}): Page {
  // The answer to a post may redirect to the login, and browsers ask form-action about that too.
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

/** Undefined where there is no address to log in at. */
export const loginLink = ({ loginUrl }: PageFrame, style = 'button'): Markup | undefined =>
  buttonTo(loginUrl, 'Log in', style)

export const loginButton = (frame: PageFrame): Markup => loginLink(frame) ?? html`<p>You can close this page.</p>`

/** A link that looks like a button; undefined where the address is none of this origin's and no absolute one. */
export function buttonTo (url: string | undefined, label: string, style = 'button'): Markup | undefined {
  const target = linkTarget(url)
  return target && html`<p><a class="${style}" href="${target.href}">${label}</a></p>`
}

const base = 'http://this.invalid'

/** As a browser would read it: `/\t/other.example` is another host to it, and is no path of ours. */
function linkTarget (url = ''): { href: string, origin?: string } | undefined {
  if (!URL.canParse(url, base)) return undefined
  const { origin } = new URL(url, base)
  if (url.startsWith('/')) return origin === base ? { href: url } : undefined
  // A host may hold characters that have a meaning in a policy.
  return /^https?:\/\//i.test(url) && /^https?:\/\/[\w.:[\]-]+$/.test(origin) ? { href: url, origin } : undefined
}
