/**
 * A browser goes to a provider, and comes back logged in.
 *
 *   GET  /:provider/login      to the provider; where another site sent the browser here, a button first (login CSRF)
 *   POST /:provider/login      what the button does
 *   GET  /:provider/callback   and back: the login ends at `next`, at `urls.socialLogin`, or here
 *   POST /:provider/callback   for a provider that posts
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Feature } from '../context.js'
import { redactQueryError } from '../db/errors.js'
import { toFailure, type Failure, failure } from '../errors/failure.js'
import { isSameOriginNavigation } from '../http/csrf.js'
import { sendPage, tokenInUrl } from '../http/page-replies.js'
import { logProviderError, ProviderError } from '../oauth/provider-error.js'
import type { SocialClient } from '../oauth/types.js'
import { loggedInPage, socialFailedPage, startPage } from '../pages/social-redirect.js'
import { shapeOf } from '../social/create-social.js'
import { FormBody } from '../validation/form-body.js'

interface Start { Querystring: { next?: string | string[] } }
interface Callback { Querystring: Record<string, string | string[] | undefined> }

/** What a provider may say in a redirect; `user` is Apple's. */
const redirectParameters = ['state', 'code', 'iss', 'error', 'user'] as const

// A HEAD would spend what the GET after it needs.
const common = { ...tokenInUrl, exposeHeadRoute: false }

export const socialRedirect: Feature = (
  app,
  { settings, contract, db, userRecords, sessions, links, pageFrame, social }
) => {
  if (!social) return
  const { clients, identities, redirectUri, transactions, returnUrl } = social
  const { cookies, csrf, urls } = settings
  // Where logins may end, they may begin.
  const allowedOrigins = [...(csrf?.origins ?? []), ...urls.next]
  const startUrl = ({ settings: { name } }: SocialClient, next?: string) =>
    `${new URL(`${links.publicUrl()}${links.path}/${name}/login`).pathname}${next === undefined ? '' : `?${new URLSearchParams({ next })}`}`

  for (const client of clients) {
    const { name } = client.settings
    const { start, callback } = contract.social(shapeOf(client))
    const begin = async (request: FastifyRequest<Start>, reply: FastifyReply) =>
      await withErrorPage(
        client,
        request,
        reply,
        () => undefined,
        async () => await redirectToProvider(client, request, reply)
      )
    app.get<Start>(`/${name}/login`, { ...common, schema: start, attachValidation: true }, begin)
    app.post<Start>(`/${name}/login`, { ...common, schema: { hide: true } }, begin)
    app.get<Callback>(
      `/${name}/callback`,
      { ...common, schema: callback },
      async (request, reply) => await handleCallback(client, request, reply)
    )
    if (!client.postsBack) continue
    // The browser brings no cookie when another site posts; to a redirect it does.
    app.post(
      `/${name}/callback`,
      { ...common, schema: { hide: true } },
      async (request, reply) => await reply.redirect(`${redirectUri(client)}?${callbackFields(request.body)}`, 303)
    )
  }

  async function redirectToProvider (client: SocialClient, request: FastifyRequest<Start>, reply: FastifyReply) {
    const { name, label } = client.settings
    const { next, end } = parseNext(request)
    // With what was sent: what was made of it may be longer than `next` can be.
    if (!isSameOriginNavigation(request, links.publicUrl(), allowedOrigins)) { return sendPage(reply, 200, startPage(pageFrame(), { label, startUrl: startUrl(client, next) })) }
    // With one that is out nothing begins.
    await client.discover()
    const parameters = await transactions.start(reply, name, end)
    return await reply.redirect(await client.authorizationUrl({ ...parameters, redirectUri: redirectUri(client) }), 303)
  }

  /** What was sent, and where the login ends by it. */
  function parseNext ({ query: { next } }: FastifyRequest<Start>): { next?: string; end?: string } {
    // A form that has the field sends it, filled in or not.
    if (next === undefined || next === '') return {}
    if (Array.isArray(next)) throw failure('next_not_allowed')
    const end = returnUrl(next)
    if (end === undefined) throw failure('next_not_allowed')
    return { next, end }
  }

  async function handleCallback (client: SocialClient, request: FastifyRequest<Callback>, reply: FastifyReply) {
    // Until the transaction tells, a failure ends here.
    let end: string | undefined
    return await withErrorPage(
      client,
      request,
      reply,
      () => end,
      async () => {
        const { state } = request.query
        const transaction =
          typeof state === 'string' ? await transactions.finish(request, reply, client.settings.name, state) : undefined
        if (!transaction) throw failure('state_invalid')
        end = transaction.next ?? links.socialLogin()
        const identity = await client.identityFromCode({
          ...(await parseCallback(client, request)),
          redirectUri: redirectUri(client),
          verifier: transaction.verifier,
          nonce: transaction.nonce
        })
        if (!cookies && end !== undefined) {
          const code = await identities.signIn(
            identity,
            request,
            async (tx, { pk }) => await transactions.storePendingLogin(tx, reply, client.settings.name, pk)
          )
          return await reply.redirect(withFragment(end, `provider=${client.settings.name}&login_code=${code}`), 303)
        }
        const { session, user } = await identities.signIn(
          identity,
          request,
          async (tx, { pk }) => await sessions.logIn(tx, pk, request)
        )
        const answer = await sessions.respond(db, session, userRecords.toUser(user), request, reply)
        if (!cookies) return answer
        return end === undefined ? sendPage(reply, 200, loggedInPage(pageFrame())) : await reply.redirect(end, 303)
      }
    )
  }

  /** People see what went wrong: at the app's own page, where there is one, else on ours. */
  async function withErrorPage (
    client: SocialClient,
    request: FastifyRequest,
    reply: FastifyReply,
    place: () => string | undefined,
    work: () => Promise<unknown>
  ) {
    try {
      return await work()
    } catch (error) {
      const known = toFailure(error, request)
      if (!known) throw error
      if (known.statusCode >= 500 && !known.isLogged) { request.log.error({ err: redactQueryError(error) }, 'social login failed') }
      const end = place()
      if (end !== undefined) return await reply.redirect(withQuery(end, 'error', known.code), 303)
      const { label } = client.settings
      reply.headers(known.headers)
      return sendPage(
        reply,
        known.statusCode,
        socialFailedPage(pageFrame(), { label, code: known.code, message: known.message, retryUrl: startUrl(client) })
      )
    }
  }
}

/** What the provider's redirect says, none of it twice (RFC 6749 §3.1); or the failure that it tells. */
async function parseCallback (client: SocialClient, { query, log }: FastifyRequest<Callback>) {
  if (redirectParameters.some(name => Array.isArray(query[name]))) throw failure('state_invalid')
  const { code, iss, error, user } = query as Record<string, string | undefined>
  if (!await client.isIssuer(iss)) throw failure('state_invalid')
  if (error !== undefined) {
    const refused = refusal(error)
    if (refused instanceof ProviderError) logProviderError(log, client.settings.name, refused)
    throw refused
  }
  if (!code) throw failure('state_invalid')
  return { code, extras: { ...(user !== undefined && { user }) } }
}

/** What the person decided there (OpenID Connect Core §3.1.2.6; Apple and LinkedIn have words of their own). */
const userDenied = new Set([
  'access_denied', 'login_required', 'consent_required', 'interaction_required', 'account_selection_required',
  'user_cancelled_authorize', 'user_cancelled_login'
])
const transientErrors = new Set(['server_error', 'temporarily_unavailable'])

/** Whatever else a redirect says (`invalid_scope`, `redirect_uri_mismatch`) is for the app's people to mend. */
function refusal (error: string): Failure {
  if (userDenied.has(error)) return failure('provider_denied')
  const reason = `redirect: ${/^[a-z_]{1,60}$/.exec(error)?.[0] ?? 'refused'}`
  return transientErrors.has(error)
    ? new ProviderError('provider_unavailable', reason)
    : new ProviderError('provider_error', reason, { isMisconfiguration: true })
}

function callbackFields (body: unknown): URLSearchParams {
  const fields = body instanceof FormBody ? [...body.fields] : []
  return new URLSearchParams(fields.filter(([name]) => redirectParameters.some(known => known === name)))
}

function withQuery (address: string, name: string, value: string): string {
  const url = new URL(address)
  url.searchParams.set(name, value)
  return url.href
}

const withFragment = (address: string, parameter: string) =>
  `${address}${address.includes('#') ? '&' : '#'}${parameter}`
