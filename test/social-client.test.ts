/**
 * A provider's answer is used only after every check, and a slow, huge, broken or hostile answer becomes a documented
 * failure within the time limit. The servers are real; the routes that use this client have their own tests.
 */
import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import { createSocialClient } from '../src/oauth/client.js'
import { oidc } from '../src/providers/oidc.js'
import type { Provider } from '../src/providers/provider.js'
import type { SocialSettings } from '../src/settings/types.js'
import { t, type Test } from './support/build.js'
import { raw, startJsonServer, type Answer } from './support/json-server.js'

const start = new Date('2026-11-23T12:00:00.000Z')
const seconds = start.getTime() / 1000
const secret = 'the-client-secret-of-the-app'
const access = 'provider-access-token'
const [rsa, stranger, elliptic] = await Promise.all([
  generateKeyPair('RS256'),
  generateKeyPair('RS256'),
  generateKeyPair('ES256')
])
const jwks = {
  keys: [
    { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256', use: 'sig' },
    { ...(await exportJWK(elliptic.publicKey)), kid: 'ec' }
  ]
}

interface Setup {
  provider?: Partial<Provider>
  settings?: Partial<SocialSettings>
  /** Of an OpenID provider by discovery. */
  discovered?: boolean
  /** Milliseconds. */
  timeoutMs?: number
}

async function setUp (t: Test, { provider = {}, settings = {}, discovered = false, timeoutMs = 60_000 }: Setup = {}) {
  const server = await startJsonServer(t, { '/jwks': jwks })
  const { url } = server
  const clock = { now: start }
  const log: string[] = []
  const note = (level: string) => (...words: unknown[]) => { log.push(inspect([level, ...words], { depth: 9 })) }
  const endpoints = {
    authorization: `${url}/authorize`,
    token: `${url}/token`,
    jwks: `${url}/jwks`,
    userinfo: `${url}/userinfo`
  }
  server.answers['/.well-known/openid-configuration'] = {
    issuer: url,
    authorization_endpoint: endpoints.authorization,
    token_endpoint: endpoints.token,
    jwks_uri: endpoints.jwks,
    userinfo_endpoint: endpoints.userinfo
  }
  const client = createSocialClient({
    name: 'test',
    label: 'Test',
    provider: { ...oidc({ label: 'Test', issuer: url }), ...(!discovered && { endpoints }), ...provider },
    clientId: 'app',
    clientSecret: () => secret,
    callbackUrl: undefined,
    scopes: ['openid', 'email'],
    trustEmail: undefined,
    accessToken: true,
    audiences: ['app', 'app-ios'],
    storeTokens: false,
    ...settings
  }, { clock: () => clock.now, timeoutMs, log: { warn: note('warn'), error: note('error') } })
  const claims: JWTPayload = {
    iss: url,
    sub: 'alice',
    aud: 'app',
    iat: seconds - 5,
    exp: seconds + 300,
    nonce: 'n',
    email: 'Alice@Example.org',
    email_verified: true
  }
  /** A token with these changes; `undefined` leaves a claim out. */
  const sign = async (changes: Record<string, unknown> = {}, { key = rsa.privateKey, header = {} } = {}) =>
    await new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg: 'RS256', kid: 'rsa', ...header }).sign(key)
  const answerTokens = async (changes: object = {}) => {
    server.answers['/token'] = {
      access_token: access,
      token_type: 'Bearer',
      expires_in: 3600,
      id_token: await sign(),
      ...changes
    }
  }
  await answerTokens()
  const byCode = async (changes: object = {}) =>
    await client.identityFromCode({
      code: 'the-code',
      verifier: 'v'.repeat(43),
      redirectUri: 'https://app.example/cb',
      nonce: 'n',
      ...changes
    })
  return { server, url, client, clock, log, claims, sign, answerTokens, byCode }
}

/** The code and reason of a failure, in one string. */
async function failureOf (promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'none'
  } catch (error) {
    const { code, reason } = error as { code?: string, reason?: string }
    return code === undefined ? String(error) : `${code}: ${reason}`
  }
}

void t.test('an ID token is valid only with correct claims and a signature by a key of the provider', async t => {
  const { client, server, sign, answerTokens, byCode, url } = await setUp(t)
  const publicPem = await exportSPKI(rsa.publicKey)
  const hs = async (key: string | Uint8Array) =>
    await new SignJWT({ iss: url, sub: 'alice', aud: 'app', iat: seconds, exp: seconds + 300, nonce: 'n' })
      .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
      .sign(typeof key === 'string' ? new TextEncoder().encode(key) : key)
  const none = new UnsecuredJWT({
    iss: url,
    sub: 'alice',
    aud: 'app',
    iat: seconds,
    exp: seconds + 300,
    nonce: 'n'
  }).encode()
  const good = await sign()
  const [head = '', body = '', signature = ''] = good.split('.')
  const corpus: Array<[what: string, token: string, reason: RegExp]> = [
    ['alg none', none, /ERR_JOSE_ALG_NOT_ALLOWED/],
    ['alg none, with a signature', `${none}${signature}`, /ERR_JOSE_ALG_NOT_ALLOWED/],
    ['the public key as shared secret', await hs(publicPem), /ERR_JOSE_ALG_NOT_ALLOWED/],
    ['the client secret as key', await hs(secret), /ERR_JOSE_ALG_NOT_ALLOWED/],
    ['a key of somebody else', await sign({}, { key: stranger.privateKey }), /SIGNATURE_VERIFICATION_FAILED/],
    ['an unknown kid', await sign({}, { header: { kid: 'other' } }), /NO_MATCHING_KEY/],
    ['another key of the provider', await sign({}, { header: { kid: 'ec' } }), /NO_MATCHING_KEY/],
    [
      'no kid, where two keys could be meant or none fits',
      await sign({}, { key: stranger.privateKey, header: { kid: undefined } }),
      /SIGNATURE_VERIFICATION_FAILED/
    ],
    [
      'its key in the header',
      await sign({}, { key: stranger.privateKey, header: { kid: 'x', jwk: await exportJWK(stranger.publicKey) } }),
      /NO_MATCHING_KEY/
    ],
    [
      'an unknown critical header',
      await sign({}, { header: { crit: ['exp'], exp: 1 } }).catch(
        () =>
          `${Buffer.from('{"alg":"RS256","kid":"rsa","crit":["x"],"x":1}').toString('base64url')}.${body}.${signature}`
      ),
      /NOT_SUPPORTED|JWS_INVALID/
    ],
    ['no signature', `${head}.${body}.`, /SIGNATURE_VERIFICATION_FAILED/],
    [
      'another payload',
      `${head}.${Buffer.from('{"sub":"bob"}').toString('base64url')}.${signature}`,
      /SIGNATURE_VERIFICATION_FAILED/
    ],
    ['another issuer', await sign({ iss: 'https://evil.example' }), /: iss/],
    ['the issuer with a slash', await sign({ iss: `${url}/` }), /: iss/],
    ['no issuer', await sign({ iss: undefined }), /\(iss\)/],
    ['another audience', await sign({ aud: 'other' }), /\(aud\)/],
    ['no audience', await sign({ aud: undefined }), /\(aud\)/],
    ['an empty list of audiences', await sign({ aud: [] }), /\(aud\)/],
    ['two audiences without azp', await sign({ aud: ['app', 'other'] }), /azp/],
    ['two audiences, and azp another', await sign({ aud: ['app', 'other'], azp: 'other' }), /azp/],
    ['one audience, and azp another', await sign({ azp: 'other' }), /azp/],
    ['expired', await sign({ exp: seconds - 61 }), /EXPIRED/],
    ['without end', await sign({ exp: undefined }), /\(exp\)/],
    ['an end that is no number', await sign({ exp: 'never' }), /\(exp\)/],
    ['an end that no calendar knows', await sign({ exp: 1e13 }), /: exp/],
    ['issued in the future', await sign({ iat: seconds + 61 }), /: iat/],
    ['issued at no time', await sign({ iat: undefined }), /\(iat\)/],
    ['not valid yet', await sign({ nbf: seconds + 61 }), /\(nbf\)/],
    ['another nonce', await sign({ nonce: 'm' }), /nonce/],
    ['no nonce', await sign({ nonce: undefined }), /nonce/],
    ['an empty subject', await sign({ sub: '' }), /: sub/],
    ['a subject that is a number', await sign({ sub: 42 }), /: sub/],
    ['no subject', await sign({ sub: undefined }), /\(sub\)/],
    ['an access token of RFC 9068', await sign({}, { header: { typ: 'at+jwt' } }), /typ/],
    ['a logout token', await sign({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }), /typ/],
    ['an access token of Keycloak', await sign({ typ: 'Bearer' }), /typ/],
    ['encrypted', 'a.b.c.d.e', /ERR_/],
    ['no token', 'nonsense', /ERR_/]
  ]
  t.ok(corpus.length >= 20)
  for (const [what, token, reason] of corpus) {
    const posted = await failureOf(client.identityFromIdToken(token, 'n'))
    t.match(posted, /^provider_token_invalid: /, `${what}, posted`)
    t.match(posted, reason, what)
    await answerTokens({ id_token: token })
    t.match(await failureOf(byCode()), /^provider_error: /, `${what}, from the provider`)
  }
  await answerTokens({ id_token: await sign({ at_hash: 'wrong' }) })
  t.equal(await failureOf(byCode()), 'provider_error: ID token: at_hash')

  const half = createHash('sha256').update(access).digest().subarray(0, 16).toString('base64url')
  const fine: Array<[string, string]> = [
    ['as it should be', await sign()],
    ['a list of one', await sign({ aud: ['app'] })],
    ['two audiences, and azp the app', await sign({ aud: ['app', 'other'], azp: 'app' })],
    ['clocks that differ by less than a minute', await sign({ iat: seconds + 59, exp: seconds - 59 })],
    ['typ JWT', await sign({}, { header: { typ: 'JWT' } })],
    ['at_hash', await sign({ at_hash: half })],
    ['ES256', await sign({}, { key: elliptic.privateKey, header: { alg: 'ES256', kid: 'ec' } })]
  ]
  for (const [what, token] of fine) {
    await answerTokens({ id_token: token })
    t.match(
      await byCode(),
      { issuer: url, subject: 'alice', email: 'alice@example.org', emailProven: false, provider: 'test' },
      what
    )
    t.match(await client.identityFromIdToken(token, 'n'), { identity: { subject: 'alice' }, expiresAt: Date }, what)
  }
  t.equal(server.count('/jwks'), 1, 'the keys were fetched once for all')
})

void t.test(
  'an ID token for another client id of the app is accepted from clients, but not from a code exchange',
  async t => {
    const { client, sign, answerTokens, byCode } = await setUp(t)
    const token = await sign({ aud: 'app-ios' })
    t.match(await client.identityFromIdToken(token, 'n'), {
      identity: { subject: 'alice' },
      expiresAt: new Date((seconds + 300) * 1000)
    })
    await answerTokens({ id_token: token })
    t.match(await failureOf(byCode()), /^provider_error: .*aud/)
  }
)

void t.test('unknown key ids cause at most one fetch of the keys per minute', async t => {
  const { client, clock, server, sign } = await setUp(t)
  await client.identityFromIdToken(await sign(), 'n')
  const tokens = await Promise.all(
    Array.from({ length: 100 }, async (_one, index) => await sign({}, { header: { kid: `k${index}` } }))
  )
  const spray = async () => {
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        tokens.map(async token => {
          t.match(await failureOf(client.identityFromIdToken(token, 'n')), /^provider_token_invalid/)
        })
      )
    }
  }
  await spray()
  t.equal(server.count('/jwks'), 1)
  clock.now = new Date(start.getTime() + 60_000)
  await spray()
  t.equal(server.count('/jwks'), 2)
  server.answers['/jwks'] = raw(500)
  clock.now = new Date(start.getTime() + 120_000)
  await failureOf(client.identityFromIdToken(tokens[0] ?? '', 'n'))
  await spray()
  t.equal(server.count('/jwks'), 3, 'nor does a server that fails')
})

void t.test('a new key is found at once if the last fetch is a minute old', async t => {
  const { client, clock, server, sign } = await setUp(t)
  await client.identityFromIdToken(await sign(), 'n')
  server.answers['/jwks'] = { keys: [{ ...await exportJWK(stranger.publicKey), kid: 'new' }] }
  const token = await sign({}, { key: stranger.privateKey, header: { kid: 'new' } })
  t.match(await failureOf(client.identityFromIdToken(token, 'n')), /NO_MATCHING_KEY/)
  clock.now = new Date(start.getTime() + 60_000)
  t.match(await client.identityFromIdToken(token, 'n'), { identity: { subject: 'alice' } })
})

const silence: Answer = () => {}
const drip: Answer = response => {
  response.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => { response.write(' ') }, 20)
  response.on('close', () => clearInterval(timer))
}
const unavailable = /^provider_unavailable: /
const unusable = /^provider_error: /
const mischief: Array<[what: string, answer: Answer, becomes: RegExp]> = [
  ['silent', silence, unavailable],
  ['dripping', drip, unavailable],
  ['hanging up', response => response.destroy(), unavailable],
  [
    'hanging up halfway',
    response => {
      response.writeHead(200, { 'content-length': '100' }).write('{')
      setTimeout(() => response.destroy(), 20)
    },
    unavailable
  ],
  ['at 500', raw(500, '{}'), unavailable],
  ['at 500 with HTML', raw(500, '<h1>sorry</h1>', { 'content-type': 'text/html' }), unavailable],
  ['at 503', raw(503), unavailable],
  ['at 429', raw(429, '{"error":"slow_down"}'), unavailable],
  ['huge', raw(200, Buffer.alloc(2 ** 20 + 1, ' ')), unusable],
  [
    'endless',
    response => {
      response.writeHead(200)
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(65_536, ' '), more)
      }
      more()
    },
    unusable
  ],
  ...[301, 302, 303, 307, 308].map((status): [string, Answer, RegExp] => [
    `at ${status}`,
    raw(status, '{}', { location: '/elsewhere', 'content-type': 'application/json' }),
    unusable
  ]),
  ['talking HTML', raw(200, '<html>', { 'content-type': 'text/html' }), unusable],
  ['talking garbage', raw(200, '{"access_token":'), unusable],
  ['talking UTF-16', raw(200, Buffer.from('{"access_token":"a"}', 'utf16le')), unusable],
  ['empty', raw(200), unusable],
  ['talking null', raw(200, 'null'), unusable],
  ['talking numbers', raw(200, '42'), unusable],
  ['talking lists', raw(200, '[]'), unusable]
]

for (const path of ['/token', '/jwks', '/userinfo', '/.well-known/openid-configuration']) {
  void t.test(`a fault at ${path} becomes a failure in time, without a retry`, async t => {
    for (const [what, answer, becomes] of mischief) {
      // Who answers is not to be cut off, however busy the machine.
      const timeoutMs = answer === silence || answer === drip ? 2000 : 60_000
      const { server, byCode, answerTokens, sign, log } = await setUp(t, { discovered: true, timeoutMs })
      await answerTokens({ id_token: await sign({ email: undefined }) })
      server.answers[path] = answer
      const failure = await failureOf(byCode())
      t.match(failure, becomes, what)
      t.equal(server.count(path), 1, `${what}: asked once`)
      t.equal(server.count('/elsewhere'), 0, `${what}: not sent elsewhere`)
      t.equal(log.length, 1, `${what}: told in the log, once`)
    }
  })
}

void t.test('an unreachable provider is provider_unavailable, with a Retry-After', async t => {
  const { client } = await setUp(t, {
    provider: { endpoints: { authorization: 'http://127.0.0.1:1/', token: 'http://127.0.0.1:1/' } }
  })
  const failure = await client
    .identityFromCode({ code: 'c', verifier: undefined, redirectUri: 'https://app.example/cb', nonce: undefined })
    .catch((error: unknown) => ({ ...(error as object) }))
  t.match(failure, {
    code: 'provider_unavailable',
    statusCode: 503,
    headers: { 'retry-after': '5' },
    reason: 'token endpoint: ECONNREFUSED'
  })
})

void t.test('all requests of a login share one time limit', async t => {
  const late =
    (answer: object): Answer =>
      response => {
        setTimeout(() => response.writeHead(200).end(JSON.stringify(answer)), 120)
      }
  const { server, byCode, sign } = await setUp(t, { discovered: true, timeoutMs: 300 })
  const metadata = server.answers['/.well-known/openid-configuration'] as object
  server.answers['/.well-known/openid-configuration'] = late(metadata)
  server.answers['/jwks'] = late(jwks)
  server.answers['/token'] = late({ access_token: access, token_type: 'Bearer', id_token: await sign() })
  t.match(await failureOf(byCode()), unavailable)
})

void t.test('a token response must have the form of RFC 6749 and OpenID Connect', async t => {
  const { answerTokens, byCode } = await setUp(t)
  const rows: Array<[changes: object, failure: string]> = [
    [{ token_type: 'mac' }, 'provider_error: token endpoint: the token type is not Bearer'],
    [{ token_type: undefined }, 'provider_error: token endpoint: the token type is not Bearer'],
    [{ token_type: ['Bearer'] }, 'provider_error: token endpoint: the token type is not Bearer'],
    [{ access_token: undefined }, 'provider_error: token endpoint: no access token'],
    [{ access_token: 7 }, 'provider_error: token endpoint: no access token'],
    [{ access_token: 'a\r\nx: y' }, 'provider_error: token endpoint: no access token'],
    [{ id_token: undefined }, 'provider_error: ID token: missing'],
    [{ id_token: {} }, 'provider_error: ID token: missing'],
    [{ token_type: 'bearer', expires_in: 'soon', scope: 7, refresh_token: null }, 'none']
  ]
  for (const [changes, failure] of rows) {
    await answerTokens(changes)
    t.equal(await failureOf(byCode()), failure)
  }
})

void t.test('a refused code is an error of the client; a refused app is logged for the operator', async t => {
  const { server, byCode, log } = await setUp(t)
  const rows: Array<[status: number, answer: object, failure: string]> = [
    [
      400,
      { error: 'invalid_grant', error_description: 'the-code' },
      'code_exchange_failed: token endpoint: invalid_grant'
    ],
    [400, { error: 'invalid_request' }, 'code_exchange_failed: token endpoint: invalid_request'],
    [401, { error: 'weird the-code' }, 'code_exchange_failed: token endpoint: refused'],
    [200, { error: 'bad_verification_code' }, 'code_exchange_failed: token endpoint: bad_verification_code'],
    [
      400,
      { error: { message: 'This authorization code has been used.', type: 'OAuthException', code: 100 } },
      'code_exchange_failed: token endpoint: 100'
    ],
    [401, { error: 'invalid_client' }, 'provider_error: token endpoint: invalid_client'],
    [400, { error: 'unauthorized_client' }, 'provider_error: token endpoint: unauthorized_client'],
    [200, { error: 'incorrect_client_credentials' }, 'provider_error: token endpoint: incorrect_client_credentials'],
    [200, { error: 'redirect_uri_mismatch' }, 'provider_error: token endpoint: redirect_uri_mismatch'],
    [400, { error: { code: 101 } }, 'provider_error: token endpoint: 101'],
    [400, { error: { toString: 'no function' } }, 'code_exchange_failed: token endpoint: refused'],
    [200, { error: { code: { toString: 'no function' } } }, 'code_exchange_failed: token endpoint: refused'],
    [404, {}, 'provider_error: token endpoint: status 404']
  ]
  for (const [status, answer, failure] of rows) {
    server.answers['/token'] = raw(status, JSON.stringify(answer))
    log.length = 0
    t.equal(await failureOf(byCode()), failure)
    t.equal(log.some(line => line.includes("'error'")), failure.startsWith('provider_error') && status !== 404)
  }
})

void t.test('the client secret is in no URL, log or error, even if the provider echoes it', async t => {
  for (const clientAuthentication of ['body', 'header'] as const) {
    const { client, server, byCode, log } = await setUp(t, { provider: { clientAuthentication } })
    const address = await client.authorizationUrl({
      state: 's',
      nonce: 'n',
      challenge: 'c',
      redirectUri: 'https://app.example/cb'
    })
    const echo =
      (status: number): Answer =>
        (response, { body, headers }) =>
          response
            .writeHead(status)
            .end(JSON.stringify({ error: `${body} ${headers.authorization}`, error_description: body, echo: headers }))
    const errors: unknown[] = []
    for (const answer of [
      echo(400),
      echo(401),
      echo(200),
      echo(500),
      raw(200, secret),
      raw(302, secret, { location: `/${secret}` })
    ]) {
      server.answers['/token'] = answer
      errors.push(await byCode().catch((error: unknown) => error))
    }
    const told = [
      address,
      ...log,
      ...server.asked.map(({ path, query }) => `${path}?${query}`),
      inspect(errors, { depth: 20, showHidden: true }),
      JSON.stringify(errors)
    ].join('\n')
    const basic = Buffer.from(`app:${secret}`).toString('base64')
    for (const hidden of [secret, basic, 'the-code', 'v'.repeat(43), access]) t.notOk(told.includes(hidden), hidden)
    const { body, headers } = server.asked[0] ?? {}
    t.ok(
      clientAuthentication === 'body'
        ? body?.includes(`client_secret=${secret}`)
        : headers?.authorization === `Basic ${basic}`
    )
  }
})

void t.test('the authorization request follows RFC 6749, with state, nonce and S256', async t => {
  const { client, url } = await setUp(t, {
    provider: { parameters: { prompt: 'select_account', state: 'fixed' } },
    discovered: true
  })
  const address = new URL(
    await client.authorizationUrl({ state: 's', nonce: 'n', challenge: 'c', redirectUri: 'https://app.example/cb?a=b' })
  )
  t.equal(address.origin + address.pathname, `${url}/authorize`)
  t.same(Object.fromEntries(address.searchParams), {
    response_type: 'code',
    client_id: 'app',
    scope: 'openid email',
    redirect_uri: 'https://app.example/cb?a=b',
    state: 's',
    nonce: 'n',
    code_challenge: 'c',
    code_challenge_method: 'S256',
    prompt: 'select_account'
  })
})

void t.test('the code goes to the token endpoint once, with its verifier and the redirect URI', async t => {
  const { server, byCode } = await setUp(t, { settings: { storeTokens: true } })
  t.match(await byCode(), { tokens: { access_token: access, expires_at: start.getTime() + 3_600_000 } })
  t.equal(server.count('/token'), 1)
  t.same(Object.fromEntries(new URLSearchParams(server.asked.find(({ path }) => path === '/token')?.body)), {
    grant_type: 'authorization_code',
    code: 'the-code',
    redirect_uri: 'https://app.example/cb',
    code_verifier: 'v'.repeat(43),
    client_id: 'app',
    client_secret: secret
  })
})

void t.test('metadata are accepted only with exactly the configured issuer', async t => {
  const { client, server, url } = await setUp(t, { discovered: true })
  const path = '/.well-known/openid-configuration'
  const metadata = server.answers[path] as object
  const rows: Array<[changes: object, failure: string]> = [
    [{ issuer: 'https://evil.example' }, 'provider_error: metadata: issuer mismatch'],
    [{ issuer: `${url}/` }, 'provider_error: metadata: issuer mismatch'],
    [{ issuer: undefined }, 'provider_error: metadata: issuer mismatch'],
    [{ token_endpoint: undefined }, 'provider_error: metadata: token_endpoint is not an https address'],
    [{ token_endpoint: 'ftp://x.example/' }, 'provider_error: metadata: token_endpoint is not an https address'],
    [{ jwks_uri: 'http://user@x.example/' }, 'provider_error: metadata: jwks_uri is not an https address'],
    [{ jwks_uri: 7 }, 'provider_error: metadata: jwks_uri is not an https address']
  ]
  for (const [changes, failure] of rows) {
    server.answers[path] = { ...metadata, ...changes }
    t.equal(await failureOf(client.discover()), failure)
  }
  t.equal(server.count(path), rows.length, 'a failure is not kept')
})

void t.test('metadata are fetched on first use and cached for an hour', async t => {
  const { client, server, clock } = await setUp(t, { discovered: true })
  const path = '/.well-known/openid-configuration'
  t.equal(server.count(path), 0)
  await Promise.all([client.discover(), client.discover()])
  clock.now = new Date(start.getTime() + 3_599_000)
  await client.discover()
  t.equal(server.count(path), 1)
  clock.now = new Date(start.getTime() + 3_600_000)
  await client.discover()
  t.equal(server.count(path), 2)
})

void t.test('the iss of a redirect must be the provider, and is required if the provider always sends it', async t => {
  const { client, server, url } = await setUp(t, { discovered: true })
  t.same(
    [
      await client.isIssuer(undefined),
      await client.isIssuer(url),
      await client.isIssuer(`${url}/`),
      await client.isIssuer('')
    ],
    [true, true, false, false]
  )
  const always = await setUp(t, { discovered: true })
  always.server.answers['/.well-known/openid-configuration'] = {
    ...always.server.answers['/.well-known/openid-configuration'],
    authorization_response_iss_parameter_supported: true
  }
  t.same(
    [
      await always.client.isIssuer(undefined),
      await always.client.isIssuer(always.url),
      await always.client.isIssuer(server.url)
    ],
    [false, true, false]
  )
})

void t.test('the client authenticates with a method from the metadata', async t => {
  const rows: Array<[methods: unknown, inBody: boolean]> = [
    [undefined, false],
    [['client_secret_basic'], false],
    [['client_secret_basic', 'client_secret_post'], true]
  ]
  for (const [methods, inBody] of rows) {
    const { server, byCode } = await setUp(t, { discovered: true })
    server.answers['/.well-known/openid-configuration'] = {
      ...server.answers['/.well-known/openid-configuration'],
      token_endpoint_auth_methods_supported: methods
    }
    await byCode()
    const { body = '', headers } = server.asked.find(({ path }) => path === '/token') ?? {}
    t.same([body.includes('client_secret='), headers?.authorization !== undefined], [inBody, !inBody])
  }
})

void t.test('UserInfo is fetched if the ID token has no address, and must have the same subject', async t => {
  const { server, sign, answerTokens, byCode } = await setUp(t, { settings: { trustEmail: true } })
  await answerTokens({ id_token: await sign({ email: undefined }) })
  server.answers['/userinfo'] = { sub: 'mallory', email: 'alice@example.org', email_verified: true }
  t.equal(await failureOf(byCode()), 'provider_error: profile: the UserInfo response has another subject')
  server.answers['/userinfo'] = { email: 'alice@example.org', email_verified: true }
  t.match(await failureOf(byCode()), /another subject/)
  server.answers['/userinfo'] = { sub: 'alice', email: 'alice@example.org', given_name: 'Alice' }
  t.match(
    await byCode(),
    { email: 'alice@example.org', emailProven: false, fields: { first_name: 'Alice' } },
    'verified was another address'
  )
  server.answers['/userinfo'] = {
    sub: 'alice',
    email: 'alice@example.org',
    email_verified: true,
    iss: 'https://evil.example'
  }
  t.match(await byCode(), { emailProven: true, subject: 'alice', issuer: server.url })
  t.equal(server.asked.find(({ path }) => path === '/userinfo')?.headers.authorization, `Bearer ${access}`)
})

void t.test('an address is verified only if the provider claims it and is trusted for it', async t => {
  type Row = [
    settings: Partial<SocialSettings>, claims: Record<string, unknown>, provider: Partial<Provider>, proven: boolean
  ]
  const rows: Row[] = [
    [{}, {}, {}, false],
    [{ trustEmail: true }, {}, {}, true],
    [{ trustEmail: true }, { email_verified: false }, {}, false],
    [{ trustEmail: true }, { email_verified: 'true' }, {}, true],
    [{ trustEmail: true }, { email_verified: 'false' }, {}, false],
    [{ trustEmail: true }, { email_verified: 'True' }, {}, false],
    [{ trustEmail: true }, { email_verified: 1 }, {}, false],
    [{ trustEmail: true }, { email_verified: ['true'] }, {}, false],
    [{ trustEmail: true }, { email_verified: undefined }, {}, false],
    [{ trustEmail: ['example.org'] }, {}, {}, true],
    [{ trustEmail: ['example.org'] }, { email: 'a@sub.example.org' }, {}, false],
    [{ trustEmail: ['example.org'] }, { email: 'a@notexample.org' }, {}, false],
    [{ trustEmail: [] }, {}, { ownsMailbox: () => true }, false],
    [{ trustEmail: false }, {}, { ownsMailbox: () => true }, false],
    [{}, {}, { ownsMailbox: () => true }, true],
    [{}, { email: 'no address' }, { ownsMailbox: () => true }, false]
  ]
  for (const [settings, changes, provider, proven] of rows) {
    const { client, sign } = await setUp(t, { settings, provider })
    const { identity } = await client.identityFromIdToken(await sign(changes), 'n')
    t.equal(identity.emailProven, proven, inspect([settings, changes]))
    if (changes.email === 'no address') t.equal(identity.email, undefined)
  }
})

void t.test('a subject must be a string that every database can store', async t => {
  for (const subject of ['', 'a\0b', 'a\nb', '\uD800', 'x'.repeat(256), 7, undefined, null]) {
    const { byCode } = await setUp(t, { provider: { profile: () => ({ subject: subject as string }) } })
    t.equal(await failureOf(byCode()), 'provider_error: profile: no valid subject', inspect(subject))
  }
  const { byCode } = await setUp(t, { provider: { profile: () => undefined as never } })
  t.match(await failureOf(byCode()), unusable)
  const long = await setUp(t, {
    provider: { profile: () => ({ subject: 'x'.repeat(255), fields: { a: undefined, b: null, c: 0 } }) }
  })
  t.match(await long.byCode(), { subject: 'x'.repeat(255), email: undefined, fields: { c: 0 } })
})

void t.test('an access token is valid only if it was issued to this app', async t => {
  const isOurs: Provider['isOurs'] = async ({ get, endpoints }, { clientId, clientSecret }) =>
    (await get(`${endpoints.userinfo}`) as { app?: string }).app === clientId && clientSecret === secret
  const { client, server } = await setUp(t, { provider: { isOurs } })
  const userinfo = (answer: Answer) => { server.answers['/userinfo'] = answer }
  userinfo({ app: 'other', sub: 'alice' })
  t.equal(
    await failureOf(client.identityFromAccessToken('t')),
    'provider_token_invalid: access token: not issued to this app'
  )
  userinfo(raw(401))
  t.equal(await failureOf(client.identityFromAccessToken('t')), 'provider_token_invalid: /userinfo: status 401')
  userinfo(raw(503))
  t.match(await failureOf(client.identityFromAccessToken('t')), unavailable)
  userinfo({ app: 'app', sub: 'alice', email: 'a@example.org' })
  t.match(await client.identityFromAccessToken('t'), { subject: 'alice', email: 'a@example.org' })
  for (const token of ['', 'a b', 'a\nb', 'ä', 'x'.repeat(16_385)]) {
    t.match(await failureOf(client.identityFromAccessToken(token)), /^provider_token_invalid/)
  }
  t.same(client.accepts, { idToken: true, accessToken: true })
  const without = await setUp(t)
  t.same(without.client.accepts, { idToken: true, accessToken: false })
  t.match(await failureOf(without.client.identityFromAccessToken('t')), /^provider_token_invalid/)
})

void t.test('a provider without ID tokens accepts none', async t => {
  const { client, sign, server } = await setUp(t)
  const plain = await setUp(t, {
    provider: { endpoints: { authorization: `${server.url}/authorize`, token: `${server.url}/token` } }
  })
  t.same(plain.client.accepts, { idToken: false, accessToken: false })
  t.equal(
    await failureOf(plain.client.identityFromIdToken(await sign(), 'n')),
    'provider_token_invalid: ID token: missing'
  )
  t.equal(client.postsBack, false)
})

void t.test('an error thrown by a custom provider becomes provider_error, logged in one line', async t => {
  const { byCode, log } = await setUp(t, { provider: { profile: () => { throw new Error('no\n  luck') } } })
  t.equal(await failureOf(byCode()), 'provider_error: profile: no luck')
  t.equal(log.length, 1)
  const odd = await setUp(t, { provider: { profile: () => { throw JSON.parse('7') } } })
  t.equal(await failureOf(odd.byCode()), 'provider_error: profile: threw a value that is not an Error')
})
