/**
 * A fake Facebook: its login dialog, and a Graph API that returns only the requested fields, with any version or none
 * in the path. Its errors have their own format, and its JSON is sent as JavaScript unless the client asks for JSON.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { Endpoints } from '../../../src/providers/provider.js'
import type { Test } from '../build.js'
import { authorize, logIn } from './browser.js'
import { bearerOf, createCodes, type CodeFault, type IssuedToken } from './codes.js'
import {
  createCalls, createClock, html, json, redirect, secondsOf, serve, withQuery, type Answer,
  type RecordedRequest
} from './server.js'

export interface FacebookPerson {
  /** Specific to this app. */
  id: string
  name: string
  first_name: string
  last_name: string
  /** Absent if the person withholds it from this app, or has none. */
  email?: string
}

export interface FacebookOptions {
  redirectUris: string[]
  people?: Record<string, FacebookPerson>
}

const createPeople = (): Record<string, FacebookPerson> => ({
  alice: {
    id: '10220000000000001',
    name: 'Alice Liddell',
    first_name: 'Alice',
    last_name: 'Liddell',
    email: 'alice@example.com'
  },
  bob: { id: '10220000000000002', name: 'Bob Dodgson', first_name: 'Bob', last_name: 'Dodgson' }
})

const faults: Record<CodeFault, string> = {
  unknown: 'Invalid verification code format.',
  used: 'This authorization code has been used.',
  expired: 'This authorization code has expired.',
  redirect_uri:
    'Error validating verification code. ' +
    'Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request',
  verifier: 'Error validating verification code. The code_verifier does not match the code_challenge.'
}

const lifetimeSeconds = 5_184_000

export interface TokenRequest {
  person: string
  clientId?: string
  scopes?: string[]
}

/** Starts a fake Facebook, which closes with the test. */
export async function startFacebook (t: Test, { redirectUris, people = createPeople() }: FacebookOptions) {
  const [clientId, clientSecret] = ['123456789012345', '0f1e2d3c4b5a69788796a5b4c3d2e1f0']
  const tokens = new Map<string, IssuedToken & { issued: number }>()
  const server = await serve(t, request => {
    const answer = graph({ ...request, path: request.path.replace(/^\/v\d+\.\d+/, '') })
    const script =
      answer.headers?.['content-type']?.startsWith('application/json') &&
      !request.headers.accept?.includes('application/json')
    return script
      ? { ...answer, headers: { ...answer.headers, 'content-type': 'text/javascript; charset=UTF-8' } }
      : answer
  })
  const endpoints = {
    authorization: `${server.url}/v23.0/dialog/oauth`,
    token: `${server.url}/v23.0/oauth/access_token`,
    userinfo: `${server.url}/v23.0/me`,
    tokeninfo: `${server.url}/v23.0/debug_token`
  } satisfies Endpoints
  const facebook = {
    ...server,
    clientId,
    clientSecret,
    endpoints,
    people,
    clock: createClock(),
    calls: createCalls(server.requests, endpoints),
    authorize,
    /** An access token for this or another client. */
    issueToken: ({ person, clientId: app = clientId, scopes = ['email', 'public_profile'] }: TokenRequest): string => {
      const token = `EAA${randomBytes(48).toString('hex')}`
      tokens.set(token, { clientId: app, person, scopes, issued: secondsOf(facebook.clock) })
      return token
    }
  }
  const codes = createCodes(facebook, 600)
  return facebook

  function graph (request: RecordedRequest): Answer {
    if (request.path === '/dialog/oauth') return login(request)
    if (request.path === '/oauth/access_token') return exchange({ ...request.query, ...request.form })
    if (request.path === '/me') return me(request)
    if (request.path === '/debug_token') return debug(request)
    return refuse('Unknown path components', 2500)
  }

  function login (request: RecordedRequest): Answer {
    const { client_id, redirect_uri = '', state } = request.query
    if (client_id !== clientId) {
      return html('Invalid App ID: the provided app ID does not look like a valid app ID.', 400)
    }
    if (!redirectUris.includes(redirect_uri)) {
      return html('URL Blocked: this redirect failed because the redirect URI is not white-listed', 400)
    }
    // Facebook appends #_=_ to every redirect, so that the browser does not keep the fragment of its page.
    return logIn(request, people, person => redirect(`${withQuery(redirect_uri, person === undefined
      ? { error_reason: 'user_denied', error: 'access_denied', error_description: 'Permissions error', state }
      : { code: codes.issue(request, person, redirect_uri), state })}#_=_`))
  }

  function exchange (form: Record<string, string>): Answer {
    if (form.client_id !== clientId) {
      return refuse('Error validating application. Cannot get application info due to a system error.', 101)
    }
    if (form.client_secret !== clientSecret) return refuse('Error validating client secret.', 1)
    if (form.grant_type === 'client_credentials') {
      return json({ access_token: `${clientId}|${clientSecret}`, token_type: 'bearer' })
    }
    if (form.redirect_uri === undefined) return refuse('Missing redirect_uri parameter.', 191)
    const redeemed = codes.redeem(form, true)
    if (typeof redeemed === 'string') return refuse(faults[redeemed], 100)
    return json({ access_token: facebook.issueToken(redeemed), token_type: 'bearer', expires_in: lifetimeSeconds })
  }

  function me (request: RecordedRequest): Answer {
    const given = request.query.access_token ?? bearerOf(request, 'bearer', 'oauth')
    if (given === undefined) {
      return refuse('An active access token must be used to query information about the current user.', 2500)
    }
    const token = valid(given)
    if (!token) return refuse('Invalid OAuth access token - Cannot parse access token', 190)
    const proof = request.query.appsecret_proof
    if (proof !== undefined && proof !== createHmac('sha256', clientSecret).update(given).digest('hex')) {
      return refuse('Invalid appsecret_proof provided in the API argument', 100, 'GraphMethodException')
    }
    const person: Record<string, unknown> = { ...people[token.person] }
    if (!token.scopes.includes('email')) delete person.email
    // The id is always included.
    const fields = new Set([...(request.query.fields ?? 'name').split(','), 'id'])
    return json(
      Object.fromEntries([...fields].filter(field => person[field] !== undefined).map(field => [field, person[field]]))
    )
  }

  function debug (request: RecordedRequest): Answer {
    const { input_token = '', access_token = bearerOf(request, 'bearer', 'oauth') } = request.query
    if (access_token !== `${clientId}|${clientSecret}`) return refuse('Invalid OAuth access token signature.', 190)
    const token = tokens.get(input_token)
    if (!token) {
      return json({
        data: { error: { code: 190, message: 'Invalid OAuth access token.' }, is_valid: false, scopes: [] }
      })
    }
    if (token.clientId !== clientId) {
      return refuse('(#100) The App_id in the input_token did not match the Viewing App', 100)
    }
    return json({
      data: {
        app_id: token.clientId,
        type: 'USER',
        application: 'An app',
        data_access_expires_at: token.issued + lifetimeSeconds,
        expires_at: token.issued + lifetimeSeconds,
        is_valid: valid(input_token) !== undefined,
        issued_at: token.issued,
        scopes: token.scopes,
        user_id: people[token.person]?.id
      }
    })
  }

  function valid (given: string) {
    const token = tokens.get(given)
    return token && token.issued + lifetimeSeconds > secondsOf(facebook.clock) ? token : undefined
  }
}

const refuse = (message: string, code: number, type = 'OAuthException'): Answer => json(
  { error: { message, type, code, fbtrace_id: randomBytes(8).toString('base64url') } }, 400,
  code === 190 ? { 'www-authenticate': `OAuth "Facebook Platform" "invalid_token" "${message}"` } : {}
)
