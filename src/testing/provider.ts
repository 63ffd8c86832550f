/** An OpenID provider on this machine, for tests of social login. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { refuseInProduction } from '../lib/test-kit.js'
import type { TestClock } from './clock.js'
import { createGrants, type TestPerson } from './grants.js'

export interface TestProviderOptions {
  /** The clock of the test kit, which says when ID tokens expire. Default: the time of this machine. */
  clock?: Pick<TestClock, 'now'>
}

export interface TestProvider {
  /** For your options: `social: { company: provider.options }`, or under the name of a built-in OpenID provider. */
  options: { issuer: string, clientId: string, clientSecret: string }
  /** Who logs in. You can set it. */
  person: TestPerson
  /** Logs `person` in at an authorization URL, and returns the redirect to your app, which it does not follow. */
  authorize: (authorizationUrl: string) => Promise<string>
  /** An ID token of `person`, for `POST /company`. */
  idToken: (claims?: { nonce?: string }) => Promise<string>
  close: () => Promise<void>
}

const client = { clientId: 'the-app', clientSecret: 'the-secret-of-the-app' }
const validForSeconds = 3600

const alice: TestPerson = {
  sub: 'alice', email: 'alice@example.com', email_verified: true, given_name: 'Alice', family_name: 'Liddell'
}

interface Answer {
  status?: number
  location?: string
  body?: object
}

/**
 * Starts a provider on a free port of 127.0.0.1. Like a real one, it requires PKCE and the client secret, and accepts a
 * code once. It does not keep the process alive. Throws an Error where `NODE_ENV` is `production`.
 */
export async function startTestProvider (
  { clock = { get now () { return new Date() } } }: TestProviderOptions = {}
): Promise<TestProvider> {
  refuseInProduction()
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...await exportJWK(publicKey), kid: 'key', alg: 'ES256', use: 'sig' }
  const grants = createGrants(client)
  const { issuer, close } = await listen(answer)

  async function idToken (person: TestPerson, nonce?: string): Promise<string> {
    const iat = Math.floor(clock.now.getTime() / 1000)
    const claims = { iss: issuer, aud: client.clientId, iat, exp: iat + validForSeconds, ...(nonce && { nonce }) }
    return await new SignJWT({ ...person, ...claims })
      .setProtectedHeader({ alg: jwk.alg, kid: jwk.kid })
      .sign(privateKey)
  }

  const authorize = (url: URL) => grants.authorize(url.searchParams, provider.person, issuer)

  async function answer (url: URL, authorization: string, form: string): Promise<Answer> {
    if (url.pathname === '/.well-known/openid-configuration') return { body: metadataOf(issuer) }
    if (url.pathname === '/jwks') return { body: { keys: [jwk] } }
    if (url.pathname === '/authorize') return { status: 302, location: authorize(url) }
    if (url.pathname === '/userinfo') {
      const person = grants.personOf(authorization)
      return person ? { body: person } : { status: 401, body: { error: 'invalid_token' } }
    }
    if (url.pathname !== '/token') return { status: 404, body: { error: 'not_found' } }
    const granted = grants.exchange(new URLSearchParams(form), authorization)
    if ('error' in granted) return { status: granted.error === 'invalid_client' ? 401 : 400, body: granted }
    const { person, nonce, accessToken } = granted
    const rest = { access_token: accessToken, token_type: 'Bearer', expires_in: validForSeconds }
    return { body: { ...rest, id_token: await idToken(person, nonce) } }
  }

  const provider: TestProvider = {
    options: { issuer, ...client },
    person: alice,
    authorize: async url => authorize(new URL(url)),
    idToken: async ({ nonce } = {}) => await idToken(provider.person, nonce),
    close
  }
  return provider
}

type Respond = (url: URL, authorization: string, form: string) => Promise<Answer>

async function listen (respond: Respond): Promise<{ issuer: string, close: () => Promise<void> }> {
  const refuse = (error: unknown): Answer => ({
    status: 400, body: { error: 'invalid_request', error_description: String(error) }
  })
  // Async, so that a path that is no URL and a request that breaks off are refused, too, and do not end the tests.
  const read = async (request: IncomingMessage) =>
    await respond(new URL(request.url ?? '/', issuer), request.headers.authorization ?? '', await text(request))
  const server = createServer(async (request, response) => {
    const { status = 200, location, body } = await read(request).catch(refuse)
    response.writeHead(status, { 'content-type': 'application/json', ...location && { location } })
    response.end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  server.unref()
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  async function close (): Promise<void> {
    server.closeAllConnections()
    await new Promise(resolve => { server.close(resolve) })
  }
  return { issuer, close }
}

/** OpenID Connect Discovery 1.0 §3. */
const metadataOf = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  userinfo_endpoint: `${issuer}/userinfo`,
  authorization_response_iss_parameter_supported: true,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
  code_challenge_methods_supported: ['S256']
})
