/**
 * A hostile OpenID provider: each of its endpoints can fail in every way that servers do, and it can lie. By default it
 * is honest, but it checks no client secret, PKCE verifier or redirect URI, and accepts any code `code-<person>`.
 */
import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Endpoints } from '../../src/providers/provider.js'
import type { Test } from './build.js'
import { authorize, logIn } from './providers/browser.js'
import { bearerOf } from './providers/codes.js'
import { failWith, type Fault } from './providers/faults.js'
import { takeSigningKey } from './providers/keys.js'
import { lieBy, signTelling, type Lie, type Telling } from './providers/lies.js'
import {
  createCalls, createClock, html, json, metadataPath, redirect, secondsOf, serve, withQuery, type Answer,
  type RecordedRequest
} from './providers/server.js'

export { faults, type Fault } from './providers/faults.js'
export * from './providers/lies.js'

export interface BadPerson {
  sub?: string
  email?: string
  email_verified?: boolean
  given_name?: string
  family_name?: string
}

export interface BadProviderOptions {
  people?: Record<string, BadPerson>
}

export interface IdTokenRequest {
  person: string
  nonce?: string
  claims?: Record<string, unknown>
}

/** Starts a hostile provider, which closes with the test. */
export async function startBadProvider (t: Test, { people = createPeople() }: BadProviderOptions = {}) {
  const clientId = 'the-app'
  const stranger = await takeSigningKey(t)
  let signingKey = await takeSigningKey(t)
  const server = await serve(t, fail)
  const { url } = server
  const endpoints = {
    authorization: `${url}/authorize`,
    token: `${url}/token`,
    jwks: `${url}/jwks`,
    userinfo: `${url}/userinfo`,
    tokeninfo: `${url}/tokeninfo`
  } satisfies Endpoints
  const bad = {
    ...server,
    issuer: url,
    clientId,
    clientSecret: 'any',
    endpoints,
    /** A person with another `sub` is another user. */
    people,
    clock: createClock(),
    calls: createCalls(server.requests, endpoints),
    authorize,
    faults: {} as { [endpoint in keyof typeof endpoints | 'discovery']?: Fault | undefined },
    lie: undefined as Lie | undefined,
    /** The nonce of ID tokens for a bare `code-<person>`; `authorize` puts its own into the code. */
    nonce: undefined as string | undefined,
    /** Overrides: claims of ID tokens and userinfo, members of answers and metadata, parameters of redirects. */
    claims: {} as Record<string, unknown>,
    answer: {} as Record<string, unknown>,
    metadata: {} as Record<string, unknown>,
    redirect: {} as Record<string, string | undefined>,
    /** Replaces the signing key, and publishes only the new one. */
    rotateKeys: async () => { signingKey = await takeSigningKey(t) },
    /** A signed ID token, with changes. */
    issueIdToken: async ({ person, nonce, claims = {} }: IdTokenRequest): Promise<string> => {
      const telling = tell(person, nonce)
      Object.assign(telling.claims, claims)
      return await signTelling(telling, signingKey, stranger)
    }
  }
  return bad

  async function fail (request: RecordedRequest, response: ServerResponse): Promise<Answer | undefined> {
    const endpoint = request.path === metadataPath ? 'discovery' : request.path.slice(1) as keyof typeof endpoints
    const fault = bad.faults[endpoint]
    const truth = await answer({ ...request, path: request.path.replace(/^\/elsewhere/, '') })
    return fault ? failWith(fault, truth, response, `${url}/elsewhere${request.path}`) : truth
  }

  async function answer (request: RecordedRequest): Promise<Answer> {
    switch (request.path) {
      case metadataPath: return json({ ...metadataOf(url, endpoints), ...bad.metadata })
      case '/jwks': return json({ keys: [signingKey.publicJwk] })
      case '/authorize': return logIn(request, people, person => redirectOf(request, person))
      case '/token': return await exchange(request)
      case '/userinfo': {
        const person = personOf(bearerOf(request, 'bearer'))
        return person === undefined
          ? json({ error: 'invalid_token' }, 401, { 'www-authenticate': 'Bearer error="invalid_token"' })
          : json(tell(person, undefined).userinfo)
      }
      case '/tokeninfo': {
        const person = personOf(request.query.access_token)
        return person === undefined
          ? json({ error: 'invalid_token', error_description: 'Invalid Value' }, 400)
          : json({ aud: clientId, azp: clientId, sub: subjectOf(person), expires_in: '3599' })
      }
      default: return html('Not Found', 404)
    }
  }

  function redirectOf (
    { query: { redirect_uri = '', state, nonce } }: RecordedRequest, person: string | undefined
  ): Answer {
    const outcome =
      person === undefined
        ? { error: 'access_denied' }
        : { code: `code-${person}${nonce === undefined ? '' : `.${nonce}`}` }
    return redirect(withQuery(redirect_uri, { ...outcome, state, iss: url, ...bad.redirect }))
  }

  async function exchange ({ form: { code = '' } }: RecordedRequest): Promise<Answer> {
    const [, person = '', nonce = bad.nonce] = /^code-(\w+)(?:\.(.+))?$/.exec(code) ?? []
    if (!Object.hasOwn(people, person)) {
      return json({ error: 'invalid_grant', error_description: 'There is no such code' }, 400)
    }
    const telling = tell(person, nonce)
    return json({ id_token: await signTelling(telling, signingKey, stranger), ...telling.answer })
  }

  /** The true answer, changed by the lie. */
  function tell (person: string, nonce: string | undefined): Telling {
    const now = secondsOf(bad.clock)
    const accessToken = `at-${person}`
    const claims = { sub: subjectOf(person), ...people[person], ...bad.claims }
    const hash = createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
    return lieBy(bad.lie, {
      claims: { iss: url, aud: clientId, iat: now, exp: now + 3600, nonce, at_hash: hash, ...claims },
      header: {},
      signature: 'own',
      answer: {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: 3600,
        scope: 'openid email profile',
        ...bad.answer
      },
      userinfo: { ...claims }
    })
  }

  function personOf (accessToken = ''): string | undefined {
    const person = accessToken.replace(/^at-/, '')
    return Object.hasOwn(people, person) ? person : undefined
  }

  function subjectOf (person: string): string {
    return people[person]?.sub ?? person
  }
}

const createPeople = (): Record<string, BadPerson> => ({
  alice: { email: 'alice@example.com', email_verified: true, given_name: 'Alice', family_name: 'Liddell' },
  bob: { email: 'bob@example.com', email_verified: true, given_name: 'Bob', family_name: 'Dodgson' }
})

const metadataOf = (issuer: string, { authorization, token, jwks, userinfo }: Required<Endpoints>) => ({
  issuer,
  authorization_endpoint: authorization,
  token_endpoint: token,
  jwks_uri: jwks,
  userinfo_endpoint: userinfo,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true
})
