/**
 * A fake Apple, for a Services ID: the redirect is a POST, which has the name at the first login only; the client
 * secret is a signed token; and booleans are strings.
 */
import { createPublicKey, generateKeyPairSync, createHash, randomBytes } from 'node:crypto'
import { jwtVerify } from 'jose'
import type { Endpoints } from '../../../src/providers/provider.js'
import type { Test } from '../build.js'
import { authorizeByPost, formPost, logIn } from './browser.js'
import { createCodes, type CodeFault } from './codes.js'
import { takeSigningKey } from './keys.js'
import {
  createCalls, createClock, html, json, redirect, secondsOf, serve, withQuery, type Answer,
  type RecordedRequest
} from './server.js'

export interface ApplePerson {
  sub: string
  /** The address this app gets; it may be a private relay address. */
  email?: string
  firstName: string
  lastName: string
}

export interface AppleOptions {
  redirectUris: string[]
  people?: Record<string, ApplePerson>
}

const issuer = 'https://appleid.apple.com'
const sixMonths = 15_777_000

const createPeople = (): Record<string, ApplePerson> => ({
  alice: {
    sub: '001234.5b3a3bdf9c0b4f049c1471cae1cd1d8d.0001',
    email: 'alice@example.com',
    firstName: 'Alice',
    lastName: 'Liddell'
  },
  bob: {
    sub: '001234.0a9c64f1e2d74b5ea1f6c8f0d1b2a3c4.0002',
    email: 'dpdcnf87nu@privaterelay.appleid.com',
    firstName: 'Bob',
    lastName: 'Dodgson'
  }
})

const faults: Record<CodeFault, string> = {
  unknown: 'The code has expired or has been revoked.',
  used: 'The code has already been used.',
  expired: 'The code has expired or has been revoked.',
  redirect_uri: 'redirect_uri mismatch.',
  verifier: 'The code_verifier does not match the code_challenge.'
}

export interface IdTokenRequest {
  person: string
  clientId?: string
  nonce?: string | undefined
  accessToken?: string
}

/** Starts a fake Apple, which closes with the test. */
export async function startApple (t: Test, { redirectUris, people = createPeople() }: AppleOptions) {
  const clientId = 'example.app.web'
  const key = createKey()
  const signingKey = await takeSigningKey(t)
  /** People whose name the app has received. */
  const known = new Set<string>()
  const server = await serve(t, answer)
  const endpoints = {
    authorization: `${server.url}/auth/authorize`,
    token: `${server.url}/auth/token`,
    jwks: `${server.url}/auth/keys`
  } satisfies Endpoints
  const apple = {
    ...server,
    clientId,
    /** For the option of that name. */
    clientSecret: key,
    endpoints,
    people,
    clock: createClock(),
    calls: createCalls(server.requests, endpoints),
    authorize: authorizeByPost,
    /** An ID token as a phone app gets it, for this or another client id. */
    issueIdToken: async ({ person, clientId: audience = clientId, nonce, accessToken }: IdTokenRequest) => {
      const { sub, email } = people[person] ?? {}
      const now = secondsOf(apple.clock)
      return await signingKey.sign({
        iss: issuer,
        aud: audience,
        exp: now + 86_400,
        iat: now,
        ...(sub !== undefined && { sub }),
        ...(nonce !== undefined && { nonce }),
        ...(accessToken && {
          at_hash: createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
        }),
        ...(email && {
          email,
          email_verified: 'true',
          ...(email.endsWith('@privaterelay.appleid.com') && { is_private_email: 'true' })
        }),
        auth_time: now,
        nonce_supported: true
      })
    }
  }
  const codes = createCodes(apple, 300)
  return apple

  async function answer (request: RecordedRequest): Promise<Answer> {
    if (request.path === '/auth/authorize') return login(request)
    if (request.path === '/auth/token' && request.method === 'POST') return await exchange(request.form)
    if (request.path === '/auth/keys') return json({ keys: [signingKey.publicJwk] })
    return html('Not Found', 404)
  }

  function login (request: RecordedRequest): Answer {
    const { client_id, redirect_uri = '', response_type, response_mode, scope = '', state } = request.query
    if (client_id !== clientId) return html('invalid_client', 400)
    if (!redirectUris.includes(redirect_uri)) return html('invalid_request: Invalid web redirect url.', 400)
    if (response_type !== 'code') return html('unsupported_response_type', 400)
    if (scope && response_mode !== 'form_post') {
      return html('invalid_request: response_mode must be form_post when name or email scope is requested.', 400)
    }
    return logIn(request, people, person => {
      const fields =
        person === undefined
          ? { error: 'user_cancelled_authorize' }
          : { code: codes.issue(request, person, redirect_uri), ...introduce(person, scope) }
      const form = { ...(state !== undefined && { state }), ...fields }
      return response_mode === 'form_post'
        ? html(formPost({ url: redirect_uri, form }))
        : redirect(withQuery(redirect_uri, form))
    })
  }

  /** Apple sends a person's name to an app at the first login only. */
  function introduce (person: string, scope: string): { user?: string } {
    if (known.has(person) || !scope) return {}
    known.add(person)
    const { firstName, lastName, email } = people[person] ?? {}
    return {
      user: JSON.stringify({
        ...(scope.includes('name') && { name: { firstName, lastName } }),
        ...(scope.includes('email') && { email })
      })
    }
  }

  async function exchange (form: Record<string, string>): Promise<Answer> {
    if (form.grant_type !== 'authorization_code') return json({ error: 'unsupported_grant_type' }, 400)
    if (form.client_id !== clientId || !(await isOurs(form.client_secret ?? ''))) {
      return json({ error: 'invalid_client' }, 400)
    }
    const redeemed = codes.redeem(form, true)
    if (typeof redeemed === 'string') return json({ error: 'invalid_grant', error_description: faults[redeemed] }, 400)
    const { person, nonce } = redeemed
    const [accessToken, refreshToken] = [randomBytes(32), randomBytes(32)].map(bytes =>
      bytes.toString('base64url')
    ) as [string, string]
    return json({
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: refreshToken,
      id_token: await apple.issueIdToken({ person, nonce, accessToken })
    })
  }

  async function isOurs (secret: string): Promise<boolean> {
    const checks = {
      algorithms: ['ES256'],
      issuer: key.teamId,
      subject: clientId,
      audience: issuer,
      requiredClaims: ['iat', 'exp'],
      currentDate: apple.clock.now
    }
    const verified = await jwtVerify(secret, createPublicKey(key.privateKey), checks).catch(() => undefined)
    const { iat = 0, exp = 0 } = verified?.payload ?? {}
    return verified?.protectedHeader.kid === key.keyId && exp - iat <= sixMonths
  }
}

/** A developer's key from Apple: the option `clientSecret`. */
function createKey () {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' }
  })
  return { teamId: 'A1B2C3D4E5', keyId: 'ABC123DEFG', privateKey }
}
