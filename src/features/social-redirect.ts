/**
 * Logs a browser in with a provider, from page to page.
 *
 *   GET  /:provider/login      to the provider; a navigation from another site gets a button first (login CSRF)
 *   POST /:provider/login      the same, for forms
 *   GET  /:provider/callback   back from it: the login ends at `next`, at `urls.socialLogin` or here
 *   POST /:provider/callback   for providers that post (`response_mode=form_post`)
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Feature } from '../context.js'
import { failure } from '../errors/failure.js'
import { isSameOriginNavigation } from '../http/csrf.js'
import { sendPage, tokenInUrl } from '../http/page-replies.js'
import type { Identity, SocialClient } from '../oauth/types.js'
import { loggedInPage, startPage } from '../pages/social-redirect.js'
import { callbackFields, parseCallback, type CallbackQuery } from '../social/authorization-response.js'
import { toProviderShape } from '../social/create-social.js'
import { createErrorPage } from '../social/error-page.js'

interface Start { Querystring: { next?: string | string[] } }
interface Callback { Querystring: CallbackQuery }

// The start has no token in its URL, but checks the origin itself. A HEAD request to the callback would consume the
// state that the GET after it needs.
const common = { ...tokenInUrl, exposeHeadRoute: false }

export const socialRedirect: Feature = (app, context) => {
  const { settings, contract, db, limits, sessions, links, pageFrame, social } = context
  if (!social) return
  const { clients, signIn, redirectUri, startUrl, transactions, returnUrl } = social
  const { cookies, csrf, urls } = settings
  // A login may start at every origin where it may end.
  const allowedOrigins = [...(csrf?.origins ?? []), ...urls.next]
  const withErrorPage = createErrorPage({ pageFrame, startUrl })

  for (const client of clients) {
    const { name } = client.settings
    const { start, callback } = contract.social(toProviderShape(client))
    const startLogin = async (request: FastifyRequest<Start>, reply: FastifyReply) =>
      await withErrorPage({ client, request, reply }, async () => await redirectToProvider(client, request, reply))

    app.get<Start>(`/${name}/login`, { ...common, schema: start }, startLogin)
    app.post<Start>(`/${name}/login`, { ...common, schema: { hide: true } }, startLogin)
    app.get<Callback>(`/${name}/callback`, { ...common, schema: callback }, async (request, reply) =>
      await withErrorPage({ client, request, reply }, async () => await handleCallback(client, request, reply)))
    if (!client.postsBack) continue
    // A POST from another site carries no SameSite=Lax cookie; the request that follows this redirect does.
    app.post(`/${name}/callback`, { ...common, schema: { hide: true } }, async (request, reply) =>
      await reply.redirect(`${redirectUri(client)}?${callbackFields(request.body)}`, 303))
  }

  async function redirectToProvider (client: SocialClient, request: FastifyRequest<Start>, reply: FastifyReply) {
    const { name, label } = client.settings
    const { next, end } = parseNext(request)
    if (!isSameOriginNavigation(request, links.publicUrl(), allowedOrigins)) {
      // The link repeats `next` as it was sent: the resolved address may exceed the maximum length of `next`.
      return sendPage(reply, 200, startPage(pageFrame(), { label, startUrl: startUrl(client, next) }))
    }
    await limits.count('socialStart', request)
    // First, so that an unreachable provider leaves no transaction behind.
    await client.discover()
    const parameters = await transactions.start(reply, name, end)
    return await reply.redirect(await client.authorizationUrl({ ...parameters, redirectUri: redirectUri(client) }), 303)
  }

  /** `next` as it was sent, and the address where the login ends because of it. Throws `next_not_allowed`. */
  function parseNext ({ query: { next } }: FastifyRequest<Start>): { next?: string; end?: string } {
    // A form sends an empty field, too.
    if (next === undefined || next === '') return {}
    if (Array.isArray(next)) throw failure('next_not_allowed')
    const end = returnUrl(next)
    if (end === undefined) throw failure('next_not_allowed')
    return { next, end }
  }

  async function handleCallback (client: SocialClient, request: FastifyRequest<Callback>, reply: FastifyReply) {
    const { state } = request.query
    const transaction =
      typeof state === 'string' ? await transactions.finish(request, reply, client.settings.name, state) : undefined
    if (!transaction) {
      await limits.count('socialCallback', request)
      throw failure('state_invalid')
    }
    const { next, verifier, nonce } = transaction
    const end = withOwnFragment(client, next ?? links.socialLogin())
    // From here on, the app's own page shows errors.
    return await withErrorPage({ client, request, reply, end }, async () => {
      const response = await parseCallback(client, request)
      const identity =
        await client.identityFromCode({ ...response, redirectUri: redirectUri(client), verifier, nonce })
      return !cookies && end !== undefined
        ? await redirectWithLoginCode(identity, end, request, reply)
        : await logIn(identity, end, request, reply)
    })
  }

  /** Without cookies, the app's page exchanges a login code for the tokens: tokens never appear in a URL. */
  async function redirectWithLoginCode (identity: Identity, end: string, request: FastifyRequest, reply: FastifyReply) {
    const { provider } = identity
    const code = await signIn(identity, request, async (tx, { pk }) =>
      await transactions.storePendingLogin(tx, reply, provider, pk))
    return await reply.redirect(withFragment(end, `provider=${provider}&login_code=${code}`), 303)
  }

  async function logIn (identity: Identity, end: string | undefined, request: FastifyRequest, reply: FastifyReply) {
    const { provider } = identity
    const loggedIn = await signIn(identity, request, async (tx, { pk }) =>
      await sessions.logIn(tx, pk, request, { provider }))
    if (!cookies) return await sessions.respond(db, loggedIn, request, reply)
    await sessions.startWithoutBody(db, loggedIn, request, reply)
    return end === undefined ? sendPage(reply, 200, loggedInPage(pageFrame())) : await reply.redirect(end, 303)
  }
}

const withFragment = (address: string, parameters: string) =>
  `${address}${address.endsWith('#') ? '' : address.includes('#') ? '&' : '#'}${parameters}`

/** A redirect without a fragment inherits that of the callback (RFC 9110 §10.2.2): an empty one prevents it. */
const withOwnFragment = ({ settings: { provider } }: SocialClient, address: string | undefined) =>
  address !== undefined && provider.addsFragment && !address.includes('#') ? `${address}#` : address
