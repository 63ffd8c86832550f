/** Shows mails in development. Nothing in them runs: no scripts, and their HTML is in a sandboxed frame. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { html, type Markup } from '../lib/html.js'
import { isLocalRequest } from '../lib/local-request.js'
import { commonHeaders, renderPage } from '../pages/frame.js'
import { viewerStyle } from '../pages/style.js'
import type { Inbox, ViewedMail } from './inbox.js'

type MailRequest = FastifyRequest<{ Params: { id: string }, Querystring: { part?: unknown } }>

// The list reloads every few seconds: logging that would bury everything else.
const options = { schema: { hide: true }, logLevel: 'warn', onRequest: refuseStrangers } as const

/** The list at `path`, a mail at `path/:id`, its HTML at `path/:id/html`. */
export function addMailViewer (app: FastifyInstance, path: string, inbox: Inbox): void {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const showList = (request: FastifyRequest, reply: FastifyReply) =>
    show(reply, 'Mail', listOf(inbox.list(), `${up(request)}${name}`), refresh)

  app.get(path, options, showList)
  app.get(`${path}/:id`, options, (request: MailRequest, reply) => {
    const { id } = request.params
    // The path of the list with a trailing slash is that of a mail with an empty ID.
    if (id === '') return showList(request, reply)
    const mail = inbox.find(id)
    const list = `${up(request)}../${name}`
    return mail
      ? show(reply, mail.subject, mailOf(mail, request.query.part, list, up(request)))
      : show(reply.code(404), 'No such mail', missing(list))
  })
  app.get(`${path}/:id/html`, options, (request: MailRequest, reply) => {
    const source = inbox.find(request.params.id)?.html
    return source === undefined
      ? show(reply.code(404), 'No such mail', missing(`${up(request)}../../${name}`))
      : reply.headers({ ...commonHeaders, 'content-security-policy': isolation }).send(withNewTabs(source))
  })
}

/** The links in these mails open accounts. NODE_ENV may be forgotten, so it does not decide alone who sees them. */
async function refuseStrangers (request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (!isLocalRequest(request.raw)) await show(reply.code(403), 'Mail', localOnly)
}

const localOnly = html`<main>
<h1>Mail</h1>
<div class="empty">
<p>The mails are shown only in a browser on the machine that runs the server, at <code>http://localhost</code>.</p>
</div>
</main>`

/** Links are relative, because a proxy may strip a path prefix; a trailing slash adds a level to climb. */
const up = ({ url }: FastifyRequest) => url.replace(/\?.*/s, '').endsWith('/') ? '../' : ''

const refresh = html`
<meta http-equiv="refresh" content="5">`

const show = (reply: FastifyReply, title: string, body: Markup, head = html``) => {
  const page = renderPage({ title, head, body, style: viewerStyle, policy: "frame-src 'self'; form-action 'none'" })
  return reply.headers(page.headers).send(page.html)
}

const address = ({ id }: ViewedMail) => encodeURIComponent(id)

const listOf = (mails: ViewedMail[], path: string) => html`<main>
<h1>Mail</h1>
${mails.length === 0
  ? noMail
  : html`<ul class="mails">${mails.map(mail => entryOf(mail, path))}
</ul>`}
</main>`

const noMail = html`<div class="empty">
<p>No mail yet.</p>
<p>The mails that this server sends appear here: register, or ask for a password reset.</p>
</div>`

const entryOf = (mail: ViewedMail, path: string) => html`
<li>
<a href="${path}/${address(mail)}"><b>${mail.subject}</b> <span>to ${mail.to}</span> ${time(mail.at)}</a>${linksOf(mail)
  .map(link => html`
<p>${newTab(link)}</p>`)}
</li>`

const missing = (list: string) => html`<main>
<h1>No such mail</h1>
<div class="empty">
<p>Only the latest mails are kept, and none after a restart.</p>
<p><a href="${list}">All mail</a></p>
</div>
</main>`

const parts = ['html', 'text', 'headers'] as const
type Part = typeof parts[number]
const labels: Record<Part, string> = { html: 'HTML', text: 'Text', headers: 'Headers' }

function mailOf (mail: ViewedMail, wanted: unknown, list: string, up: string): Markup {
  const available = parts.filter(part => part !== 'html' || mail.html !== undefined)
  const chosen = available.find(part => part === wanted) ?? available[0] ?? 'text'
  return html`<header><a href="${list}">All mail</a></header>
<main>
<h1>${mail.subject}</h1>
<dl>
<dt>From</dt><dd>${mail.from}</dd>
<dt>To</dt><dd>${mail.to}</dd>
<dt>Sent</dt><dd>${time(mail.at)}</dd>
</dl>
<nav class="tabs" aria-label="Parts">${available.map(part => html`
<a href="?part=${part}"${part === chosen && html` aria-current="page"`}>${labels[part]}</a>`)}
</nav>
${views[chosen](mail, up)}
</main>`
}

const views: Record<Part, (mail: ViewedMail, up: string) => Markup> = {
  html: (mail, up) =>
    html`<iframe class="part" title="HTML" sandbox="${sandbox}" src="${up}${address(mail)}/html"></iframe>`,
  text: ({ text }) => html`<pre class="part">${withLinks(text)}</pre>`,
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

// No scripts, no forms, no navigation of the viewer's page; links may open new tabs.
const sandbox = 'allow-popups allow-popups-to-escape-sandbox'
const isolation = [
  "default-src 'none'; style-src 'unsafe-inline'; img-src data: https: http:; frame-ancestors 'self'",
  `sandbox ${sandbox}`
].join('; ')

/** Opens links in new tabs: the first `base` counts, and after the doctype the parser creates the head for it. */
const withNewTabs = (source: string) =>
  source.replace(/^\s*(?:<!doctype[^>]*>)?/i, start => `${start}<base target="_blank">`)
