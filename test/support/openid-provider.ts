/**
 * A real OpenID provider by other authors: oidc-provider, certified by the OpenID Foundation. It has one client, which
 * must use PKCE; people log in on its page, by hand or by `authorize`.
 */
import { text } from 'node:stream/consumers'
import { decodeJwt } from 'jose'
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js'
// Importing it by the package's name prints a warning on Node 20.
import { Provider, type Context } from 'oidc-provider/lib/provider.js'
import type { Endpoints } from '../../src/providers/provider.js'
import type { Test } from './build.js'
import { authorize, authorizeByPost, logIn } from './providers/browser.js'
import { takeSigningKey } from './providers/keys.js'
import { createCalls, createClock, listen, redirect, secondsOf, type RecordedRequest } from './providers/server.js'

/** The claims of a person; the subject is their key in `people`. */
export interface OpenidPerson {
  email?: string
  email_verified?: boolean
  given_name?: string
  family_name?: string
}

export interface OpenidOptions {
  redirectUris: string[]
  people?: People
  /** Puts the claims of a person into ID tokens; by the standard only userinfo has them. */
  claimsInIdToken?: boolean
}

const lifetimeSeconds = 3600
const clientId = 'the-app'
const clientSecret = 'Zk3vQw8rT1yLx6nB0mHd5sJf'
type People = Record<string, OpenidPerson>

export interface IdTokenRequest {
  person: string
  clientId?: string
  nonce?: string
}

/** Starts the provider, which closes with the test. */
export async function startOpenidProvider (
  t: Test, { redirectUris, people = createPeople(), claimsInIdToken = false }: OpenidOptions
) {
  const requests: RecordedRequest[] = []
  const signingKey = await takeSigningKey(t)
  let serve: ReturnType<Provider['callback']> = () => {}
  const { url, close } = await listen(t, (request, response) => serve(request, response))
  const endpoints = {
    authorization: `${url}/authorize`,
    token: `${url}/token`,
    jwks: `${url}/jwks`,
    userinfo: `${url}/userinfo`
  } satisfies Endpoints
  const openid = {
    issuer: url,
    clientId,
    clientSecret,
    /** As in its metadata. */
    endpoints,
    people,
    clock: createClock(),
    requests,
    calls: createCalls(requests, endpoints),
    authorize,
    authorizeByPost,
    /** An ID token for this or another client. */
    issueIdToken: async ({ person, clientId: aud = clientId, nonce }: IdTokenRequest): Promise<string> => {
      const iat = secondsOf(openid.clock)
      const claims = { iss: url, aud, sub: person, iat, exp: iat + lifetimeSeconds }
      return await signingKey.sign({ ...claims, ...(nonce !== undefined && { nonce }), ...people[person] })
    },
    close
  }

  const provider: Provider = new Provider(url, {
    ...configurationOf(people, claimsInIdToken),
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: redirectUris }],
    jwks: { keys: [signingKey.privateJwk] },
    loadExistingGrant: async ({ oidc }: Context) => {
      const grant = new provider.Grant({
        clientId: oidc?.client?.clientId ?? '',
        accountId: oidc?.session?.accountId ?? ''
      })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    }
  })
  provider.on('server_error', (_context, error) => { t.fail('the OpenID provider is broken', { error }) })
  provider.use(async (context, next) => {
    const { method, path, query, headers } = context
    const request: RecordedRequest = { method, path, query: { ...query }, headers, form: {} }
    requests.push(request)
    if (path.startsWith('/login/')) return await login(context, request)
    await next()
    Object.assign(request.form, context.oidc?.body)
    const body = context.body as { id_token?: string } | undefined
    if (path === '/token' && body?.id_token) body.id_token = await atClock(body.id_token)
  })
  serve = provider.callback()
  return openid

  async function login (context: Context, request: RecordedRequest): Promise<void> {
    request.form = Object.fromEntries(new URLSearchParams(await text(context.req)))
    let result: object | undefined
    const page = logIn(request, people, person => {
      result =
        person === undefined
          ? { error: 'access_denied', error_description: 'The person has refused' }
          : { login: { accountId: person } }
      return {}
    })
    const { status = 200, headers = {}, body } =
      result ? redirect(await provider.interactionResult(context.req, context.res, result)) : page
    // Without a body Koa would answer 204.
    context.body = body ?? ''
    context.status = status
    context.set(headers)
  }

  /** Moves the times of an ID token to `openid.clock`: the provider uses the time of the machine. */
  async function atClock (idToken: string): Promise<string> {
    const { iat = 0, exp = 0, ...claims } = decodeJwt(idToken)
    const ahead = secondsOf(openid.clock) - secondsOf({ now: new Date() })
    return await signingKey.sign({ ...claims, iat: iat + ahead, exp: exp + ahead })
  }
}

const configurationOf = (people: People, claimsInIdToken: boolean) => ({
  adapter: createMemoryAdapter(),
  cookies: { keys: [clientSecret] },
  routes: { authorization: '/authorize', userinfo: '/userinfo' },
  scopes: ['openid', 'email', 'profile'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name', 'family_name'] },
  conformIdTokenClaims: !claimsInIdToken,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false } },
  // It prints a notice for each option that is left to its default.
  ttl: {
    AccessToken: lifetimeSeconds,
    AuthorizationCode: 60,
    IdToken: lifetimeSeconds,
    Interaction: lifetimeSeconds,
    Session: lifetimeSeconds,
    Grant: lifetimeSeconds
  },
  clientBasedCORS: () => false,
  renderError: (context: Context, out: object) => { context.body = JSON.stringify(out) },
  findAccount: (_context: Context, accountId: string) =>
    Object.hasOwn(people, accountId) && { accountId, claims: () => ({ sub: accountId, ...people[accountId] }) },
  interactions: { url: (_context: Context, { uid }: { uid: string }) => `/login/${uid}` }
})

const createPeople = (): People => ({
  alice: { email: 'alice@example.com', email_verified: true, given_name: 'Alice', family_name: 'Liddell' },
  bob: { email: 'bob@example.com', email_verified: false, given_name: 'Bob', family_name: 'Dodgson' }
})
