/**
 * A fake GitHub, for an OAuth app: a refused code is a 200, answers are forms unless the client asks for JSON,
 * addresses have their own endpoint, and requests without a User-Agent are refused.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Endpoints } from '../../../src/providers/provider.js'
import type { Test } from '../build.js'
import { authorize, logIn } from './browser.js'
import { basicOf, bearerOf, createCodes, type IssuedToken } from './codes.js'
import {
  createCalls, createClock, html, json, redirect, serve, withQuery, type Answer, type RecordedRequest
} from './server.js'

export interface GithubPerson {
  id: number
  login: string
  name?: string | null
  /** The public address, if any. */
  email?: string | null
  emails: GithubEmail[]
}

export interface GithubEmail {
  email: string
  primary: boolean
  verified: boolean
  visibility: 'public' | 'private' | null
}

export interface GithubOptions {
  redirectUris: string[]
  people?: Record<string, GithubPerson>
}

const issuer = 'https://github.com/login/oauth'
const docs = 'https://docs.github.com'
const tokenErrors = `${docs}/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors`
const mismatch = 'The redirect_uri MUST match the registered callback URL for this application.'

const createPeople = (): Record<string, GithubPerson> => ({
  alice: {
    id: 583231,
    login: 'alice-hub',
    name: 'Alice Liddell',
    email: null,
    emails: [
      { email: 'alice@old.example', primary: false, verified: false, visibility: null },
      { email: 'alice@example.com', primary: true, verified: true, visibility: 'private' },
      { email: '583231+alice-hub@users.noreply.github.com', primary: false, verified: true, visibility: null }
    ]
  },
  bob: {
    id: 583232,
    login: 'bob',
    name: null,
    email: 'bob@example.com',
    emails: [{ email: 'bob@example.com', primary: true, verified: false, visibility: 'public' }]
  }
})

export interface TokenRequest {
  person: string
  clientId?: string
  scopes?: string[]
}

/** Starts a fake GitHub, which closes with the test. */
export async function startGithub (t: Test, { redirectUris, people = createPeople() }: GithubOptions) {
  const [clientId, clientSecret] = ['Iv1.8a61f9b3a7aba766', 'c8a7f1d2e3b4a5968778695a4b3c2d1e0f9e8d7c']
  const tokens = new Map<string, IssuedToken>()
  const server = await serve(t, answer)
  const endpoints = {
    authorization: `${server.url}/login/oauth/authorize`,
    token: `${server.url}/login/oauth/access_token`,
    userinfo: `${server.url}/user`,
    tokeninfo: `${server.url}/applications/{client_id}/token`
  } satisfies Endpoints
  const github = {
    ...server,
    clientId,
    clientSecret,
    endpoints,
    people,
    clock: createClock(),
    calls: createCalls(server.requests, {
      ...endpoints,
      tokeninfo: endpoints.tokeninfo.replace('{client_id}', clientId)
    }),
    authorize,
    /** An access token for this or another client. */
    issueToken: ({ person, clientId: app = clientId, scopes = ['user:email'] }: TokenRequest): string => {
      const token = `gho_${randomBytes(18).toString('hex')}`
      tokens.set(token, { clientId: app, person, scopes })
      return token
    }
  }
  const codes = createCodes(github, 600)
  return github

  function answer (request: RecordedRequest): Answer {
    if (request.path === '/login/oauth/authorize') return login(request)
    if (request.path === '/login/oauth/access_token') return exchange(request)
    if (!request.headers['user-agent']) {
      return html(
        'Request forbidden by administrative rules. Please make sure your request has a User-Agent header', 403
      )
    }
    if (request.path === '/user') return withToken(request, ({ person }) => json(userOf(people[person])))
    // Without the scope the path is a 404.
    if (request.path === '/user/emails') {
      return withToken(request, ({ person, scopes }) =>
        scopes.some(scope => ['user', 'user:email'].includes(scope)) ? json(people[person]?.emails) : notFound
      )
    }
    if (request.path === `/applications/${clientId}/token`) return inspect(request)
    return notFound
  }

  function login (request: RecordedRequest): Answer {
    const { client_id, redirect_uri = redirectUris[0] ?? '', state, code_challenge, code_challenge_method } =
      request.query
    if (client_id !== clientId) return html('Not Found', 404)
    if (code_challenge !== undefined && code_challenge_method !== 'S256') return html('Only S256 is supported', 400)
    const refuse = (uri: string, error: string, error_description: string) =>
      redirect(
        withQuery(uri, {
          error,
          error_description,
          error_uri: `${docs}/apps/troubleshooting-authorization-request-errors/#${error.replaceAll('_', '-')}`,
          state,
          iss: issuer
        })
      )
    if (!redirectUris.includes(redirect_uri)) return refuse(redirectUris[0] ?? '', 'redirect_uri_mismatch', mismatch)
    return logIn(request, people, person => person === undefined
      ? refuse(redirect_uri, 'access_denied', 'The user has denied your application access.')
      : redirect(withQuery(redirect_uri, { code: codes.issue(request, person, redirect_uri), state, iss: issuer })))
  }

  function exchange ({ method, form, headers }: RecordedRequest): Answer {
    const speak = (members: Record<string, string>) =>
      headers.accept?.includes('application/json')
        ? json(members)
        : {
            headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
            body: new URLSearchParams(members).toString()
          }
    const refuse = (error: string, error_description: string) =>
      speak({
        error,
        error_description,
        error_uri: `${tokenErrors}/#${error.replaceAll('_', '-')}`
      })
    if (method !== 'POST') return html('Not Found', 404)
    if (form.client_id !== clientId || form.client_secret !== clientSecret) {
      return refuse('incorrect_client_credentials', 'The client_id and/or client_secret passed are incorrect.')
    }
    const redeemed = codes.redeem(form, false)
    if (redeemed === 'redirect_uri') return refuse('redirect_uri_mismatch', mismatch)
    if (typeof redeemed === 'string') return refuse('bad_verification_code', 'The code passed is incorrect or expired.')
    const { person, scopes } = redeemed
    return speak({ access_token: github.issueToken({ person, scopes }), token_type: 'bearer', scope: scopes.join(',') })
  }

  function withToken (request: RecordedRequest, allow: (token: IssuedToken) => Answer): Answer {
    const given = bearerOf(request, 'bearer', 'token')
    if (given === undefined) return refused('Requires authentication')
    const token = tokens.get(given)
    if (!token) return refused('Bad credentials')
    const answer = allow(token)
    return { ...answer, headers: { ...answer.headers, 'x-oauth-scopes': token.scopes.join(', ') } }
  }

  function inspect (request: RecordedRequest): Answer {
    if (basicOf(request) !== `${clientId}:${clientSecret}`) return refused('Bad credentials')
    const { access_token } = request.form
    if (request.method !== 'POST') return notFound
    if (!access_token) {
      return json(
        {
          message: 'Validation Failed',
          errors: [{ resource: 'OauthAccess', code: 'missing_field', field: 'access_token' }],
          documentation_url: docs,
          status: '422'
        },
        422
      )
    }
    const token = tokens.get(access_token)
    // The token of another app gets the same answer as an unknown one.
    if (token?.clientId !== clientId) return notFound
    const { id, login } = people[token.person] ?? {}
    return json({
      id: 1,
      url: 'https://api.github.com/authorizations/1',
      app: { name: 'An app', url: 'http://localhost:3000', client_id: clientId },
      token: access_token,
      hashed_token: createHash('sha256').update(access_token).digest('hex'),
      token_last_eight: access_token.slice(-8),
      note: null,
      scopes: token.scopes,
      expires_at: null,
      user: { login, id, type: 'User', site_admin: false }
    })
  }
}

const refused = (message: string): Answer => json({ message, documentation_url: `${docs}/rest`, status: '401' }, 401)
const notFound = json({ message: 'Not Found', documentation_url: `${docs}/rest`, status: '404' }, 404)

const userOf = ({ id, login, name = null, email = null }: GithubPerson = { id: 0, login: '', emails: [] }) => ({
  login,
  id,
  node_id: Buffer.from(`04:User${id}`).toString('base64'),
  avatar_url: `https://avatars.githubusercontent.com/u/${id}?v=4`,
  html_url: `https://github.com/${login}`,
  type: 'User',
  user_view_type: 'public',
  site_admin: false,
  name,
  company: null,
  email,
  created_at: '2011-01-25T18:44:36Z'
})
