/** The page of the mail viewer: the list of mails, and beside it the one that is selected. */
import { html, type Markup } from '../lib/html.js'
import type { ViewedMail } from './inbox.js'

export interface ViewerPage {
  mails: ViewedMail[]
  /** The mail that the URL names. Without one, the newest is shown beside the list. */
  selected?: ViewedMail | undefined
  /** Which part of the mail to show; anything else than a part it has shows its first. */
  part?: unknown
  /** Relative address of the list, below which the mails are. */
  list: string
}

/** On a narrow screen, the list or the mail that was selected from it; on a wide one, both. */
export function viewerPage ({ mails, selected, part, list }: ViewerPage): Markup {
  const shown = selected ?? mails[0]
  const at = (mail: ViewedMail) => `${list}/${encodeURIComponent(mail.id)}`
  return html`<div class="viewer${selected && ' reading'}">
<header><h1><a href="${list}">Mail</a></h1></header>
<nav class="mails" aria-label="Mails">
<ul>${mails.map(mail => entryOf(mail, at(mail), mail === shown))}
</ul>
</nav>
<main tabindex="-1">
${shown ? mailOf(shown, part, at(shown), list) : noMail}
</main>
</div>`
}

/** A page without a list, in place of a mail. */
export const notice = (title: string, text: Markup) => html`<main class="notice">
<h1>${title}</h1>
${text}
</main>`

export const missingMail = (list: string) => notice('No such mail', html`
<p>Only the latest mails are kept, and none after a restart.</p>
<p><a href="${list}">All mail</a></p>`)

const noMail = html`<h2>No mail yet.</h2>
<p>The mails that this server sends appear here: register, or ask for a password reset.</p>`

const entryOf = (mail: ViewedMail, address: string, isShown: boolean) => html`
<li><a href="${address}"${isShown && html` aria-current="true"`}><b>${mail.subject}</b> <span>to ${mail.to}</span> ${
  time(mail.at)}</a></li>`

const parts = ['html', 'text', 'headers'] as const
type Part = typeof parts[number]
const labels: Record<Part, string> = { html: 'HTML', text: 'Text', headers: 'Headers' }

function mailOf (mail: ViewedMail, wanted: unknown, address: string, list: string): Markup {
  const available = parts.filter(part => part !== 'html' || mail.html !== undefined)
  const chosen = available.find(part => part === wanted) ?? available[0] ?? 'text'
  const links = linksOf(mail)
  return html`<p class="back"><a href="${list}">All mail</a></p>
<h2>${mail.subject}</h2>
<dl>
<dt>From</dt><dd>${mail.from}</dd>
<dt>To</dt><dd>${mail.to}</dd>
<dt>Sent</dt><dd>${time(mail.at)}</dd>
${links.length > 0 && html`<dt>Links</dt><dd>${links.map(link => html`
<p>${newTab(link)}</p>`)}</dd>`}
</dl>
<nav class="tabs" aria-label="Parts">${available.map(part => html`
<a href="${address}?part=${part}"${part === chosen && html` aria-current="page"`}>${labels[part]}</a>`)}
</nav>
${views[chosen](mail, address)}`
}

const views: Record<Part, (mail: ViewedMail, address: string) => Markup> = {
  html: (_mail, address) =>
    html`<iframe class="part" title="HTML" sandbox="${sandbox}" src="${address}/html"></iframe>`,
  text: ({ text }) => html`<pre class="part" tabindex="0">${withLinks(text)}</pre>`,
  headers: ({ headers }) => html`<dl class="part">${Object.entries(headers).map(([name, value]) => html`
<dt>${name}</dt><dd>${value}</dd>`)}
</dl>`
}

const time = (at: Date) =>
  html`<time datetime="${at.toISOString()}">${at.toISOString().slice(0, 19).replace('T', ' ')} UTC</time>`

// A full stop or bracket after an address belongs to the sentence.
const webAddress = /(https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]}])/i

const newTab = (link: string) => html`<a href="${link}" target="_blank" rel="noopener noreferrer">${link}</a>`
const withLinks = (text: string) =>
  text.split(webAddress).map((part, index) => (index % 2 === 1 ? newTab(part) : html`${part}`))
const linksOf = ({ text }: ViewedMail) => [...new Set(text.split(webAddress).filter((_part, index) => index % 2 === 1))]

/** No scripts, no forms, no navigation of the viewer's page; links may open new tabs. */
export const sandbox = 'allow-popups allow-popups-to-escape-sandbox'
