/** Shows mails in development. Nothing in them runs: their HTML is in a sandboxed frame, without scripts. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { html, type Markup } from '../lib/html.js'
import { isLocalRequest } from '../lib/local-request.js'
import { commonHeaders, renderPage } from '../pages/frame.js'
import { viewerStyle } from '../pages/viewer-style.js'
import type { Inbox } from './inbox.js'
import { missingMail, notice, sandbox, viewerPage } from './viewer-page.js'
import { viewerScript } from './viewer-script.js'

type MailRequest = FastifyRequest<{ Params: { id: string }, Querystring: { part?: unknown } }>

// The page is fetched every few seconds: logging that would bury everything else.
const options = { schema: { hide: true }, logLevel: 'warn', onRequest: refuseStrangers } as const

/** The list at `path`, a mail at `path/:id`, its HTML at `path/:id/html`. */
export function addMailViewer (app: FastifyInstance, path: string, inbox: Inbox): void {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const showList = (request: FastifyRequest, reply: FastifyReply) =>
    show(reply, 'Mail', viewerPage({ mails: inbox.list(), list: `${up(request)}${name}` }), viewerScript)

  app.get(path, options, showList)
  app.get(`${path}/:id`, options, (request: MailRequest, reply) => {
    const { id } = request.params
    // The path of the list with a trailing slash is that of a mail with an empty ID.
    if (id === '') return showList(request, reply)
    const selected = inbox.find(id)
    const list = `${up(request)}../${name}`
    if (!selected) return show(reply.code(404), 'No such mail', missingMail(list))
    const page = viewerPage({ mails: inbox.list(), selected, part: request.query.part, list })
    return show(reply, selected.subject, page, viewerScript)
  })
  app.get(`${path}/:id/html`, options, (request: MailRequest, reply) => {
    const source = inbox.find(request.params.id)?.html
    return source === undefined
      ? show(reply.code(404), 'No such mail', missingMail(`${up(request)}../../${name}`))
      : reply.headers({ ...commonHeaders, 'content-security-policy': isolation }).send(withNewTabs(source))
  })
}

/**
 * The links in these mails open accounts. NODE_ENV may be forgotten, so it does not decide alone who sees them. Nor
 * does the app's CORS: a script of another site sends an Origin, and the viewer's own GET requests send none.
 */
async function refuseStrangers (request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const isFromOtherSite = request.headers.origin !== undefined
  if (isFromOtherSite || !isLocalRequest(request.raw)) await show(reply.code(403), 'Mail', localOnly)
}

const localOnly = notice('Mail', html`
<p>The mails are shown only in a browser on the machine that runs the server, at <code>http://localhost</code>.</p>`)

/** Links are relative, because a proxy may strip a path prefix; a trailing slash adds a level to climb. */
const up = ({ url }: FastifyRequest) => url.replace(/\?.*/s, '').endsWith('/') ? '../' : ''

const show = (reply: FastifyReply, title: string, body: Markup, script?: string) => {
  const policy = "frame-src 'self'; connect-src 'self'; form-action 'none'"
  const page = renderPage({ title, body, style: viewerStyle, policy, script })
  return reply.headers(page.headers).send(page.html)
}

const isolation = [
  "default-src 'none'; style-src 'unsafe-inline'; img-src data: https: http:; frame-ancestors 'self'",
  `sandbox ${sandbox}`
].join('; ')

/** Opens links in new tabs: the first `base` counts, and after the doctype the parser creates the head for it. */
const withNewTabs = (source: string) =>
  source.replace(/^\s*(?:<!doctype[^>]*>)?/i, start => `${start}<base target="_blank">`)
