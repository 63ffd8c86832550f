/** The built-in providers, against the answers they document: subject, verified address, audience of tokens. */
import { createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createSocialClient } from '../src/oauth/client.js'
import { providers } from '../src/providers/built-in.js'
import type { Endpoints, Provider } from '../src/providers/provider.js'
import type { SocialSettings } from '../src/settings/types.js'
import { t, type Test } from './support/build.js'
import { raw, startJsonServer, type Answer } from './support/json-server.js'

const now = new Date('2026-11-23T12:00:00.000Z')
const seconds = now.getTime() / 1000
const { privateKey, publicKey } = await generateKeyPair('RS256')
const access = 'provider-access-token'

/** A built-in provider whose endpoints are moved to a test server; the paths stay. */
async function setUp (
  t: Test,
  provider: Provider,
  answers: Record<string, Answer> = {},
  changes: Partial<SocialSettings> = {}
) {
  const server = await startJsonServer(t, answers)
  const move = (address: string) =>
    `${server.url}${new URL(address).pathname.replaceAll('%7B', '{').replaceAll('%7D', '}')}`
  const endpoints = Object.fromEntries(
    Object.entries(provider.endpoints ?? {}).map(([name, address]) => [name, move(address)])
  ) as unknown as Endpoints
  const paths = Object.fromEntries(
    Object.entries(endpoints).map(([name, address]) => [name, new URL(address).pathname])
  )
  if (paths.jwks) server.answers[paths.jwks] = { keys: [{ ...await exportJWK(publicKey), kid: 'k' }] }
  const client = createSocialClient(
    {
      name: 'test',
      label: provider.label,
      provider: { ...provider, endpoints },
      clientId: 'app',
      clientSecret: () => 'app-secret',
      callbackUrl: undefined,
      scopes: provider.scopes,
      trustEmail: undefined,
      accessToken: true,
      audiences: ['app'],
      storeTokens: false,
      ...changes
    },
    { clock: () => now, log: { warn: () => {}, error: () => {} } }
  )
  const sign = async (claims: object) =>
    await new SignJWT({
      iss: provider.issuer,
      sub: '4711',
      aud: 'app',
      iat: seconds,
      exp: seconds + 300,
      nonce: 'n',
      ...claims
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .sign(privateKey)
  /** Logs in with a code; the provider answers with these claims. */
  const byCode = async (claims: object = {}, extras: Record<string, unknown> = {}) => {
    server.answers[paths.token ?? ''] = {
      access_token: access,
      token_type: 'bearer',
      ...(paths.jwks && { id_token: await sign(claims) })
    }
    return await client.identityFromCode({
      code: 'c',
      verifier: 'v'.repeat(43),
      redirectUri: 'https://app.example/cb',
      nonce: 'n',
      extras
    })
  }
  const sent = () => new URLSearchParams(server.asked.find(({ path }) => path === paths.token)?.body)
  return { client, server, sign, byCode, sent, paths }
}

/** The code of a failure. */
const codeOf = async (promise: Promise<unknown>) =>
  await promise.then(
    () => 'none',
    (error: unknown) => (error as { code?: string }).code ?? String(error)
  )

void t.test('Google has two issuer names, and both give the same identity', async t => {
  const { client, sign, byCode } = await setUp(t, providers.google)
  for (const iss of ['https://accounts.google.com', 'accounts.google.com']) {
    t.match(await byCode({ iss, email: 'A@gmail.com', email_verified: true, given_name: 'A', family_name: 'B' }), {
      issuer: 'https://accounts.google.com',
      subject: '4711',
      email: 'a@gmail.com',
      emailProven: true,
      fields: { first_name: 'A', last_name: 'B' }
    })
  }
  t.equal(
    await codeOf(client.identityFromIdToken(await sign({ iss: 'http://accounts.google.com' }), 'n')),
    'provider_token_invalid'
  )
})

void t.test('a built-in provider with another issuer has the identities of that issuer', async t => {
  for (const provider of [
    providers.google, providers.apple, providers.microsoft, providers.gitlab, providers.linkedin
  ]) {
    const { byCode } = await setUp(t, { ...provider, issuer: 'https://login.example' })
    t.match(
      await byCode({ email: 'a@example.org' }),
      { issuer: 'https://login.example', subject: '4711' },
      provider.label
    )
  }
})

void t.test('Google is trusted for its own mailboxes and for Workspace domains', async t => {
  const { byCode } = await setUp(t, providers.google)
  const rows: Array<[claims: object, proven: boolean]> = [
    [{ email: 'a@googlemail.com', email_verified: true }, true],
    [{ email: 'a@gmail.com', email_verified: false }, false],
    [{ email: 'a@corp.example', email_verified: true, hd: 'Corp.example' }, true],
    [{ email: 'a@other.example', email_verified: true, hd: 'corp.example' }, false],
    [{ email: 'a@corp.example', email_verified: true }, false],
    [{ email: 'a@notgmail.com', email_verified: true }, false]
  ]
  for (const [claims, proven] of rows) t.equal((await byCode(claims)).emailProven, proven, JSON.stringify(claims))
})

void t.test('Google access tokens are checked for their audience', async t => {
  const { client, server } = await setUp(t, providers.google, {
    '/v1/userinfo': { sub: '4711', email: 'a@gmail.com', email_verified: true }
  })
  const rows: Array<[info: Answer, code: string]> = [
    [{ aud: 'app', azp: 'app', expires_in: '3000' }, 'none'],
    [{ aud: 'other', azp: 'other', expires_in: '3000' }, 'provider_token_invalid'],
    [{ aud: 'app', azp: 'other', expires_in: '3000' }, 'provider_token_invalid'],
    [{ aud: 'app', expires_in: '0' }, 'provider_token_invalid'],
    [{ aud: 'app' }, 'provider_token_invalid'],
    [raw(400, '{"error_description":"Invalid Value"}'), 'provider_token_invalid'],
    [raw(500), 'provider_unavailable']
  ]
  for (const [info, code] of rows) {
    server.answers['/tokeninfo'] = info
    t.equal(await codeOf(client.identityFromAccessToken(access)), code)
  }
})

const githubUser = { id: 583231, login: 'octocat', email: 'public@example.org', name: 'The Octocat' }

void t.test('a GitHub identity has the numeric id and the verified primary address', async t => {
  const { byCode, server, sent } = await setUp(t, providers.github, { '/user': githubUser })
  const rows: Array<[emails: Answer, email: string | undefined]> = [
    [
      [
        { email: 'b@example.org', primary: false, verified: true },
        { email: 'a@example.org', primary: true, verified: true }
      ],
      'a@example.org'
    ],
    [
      [
        { email: 'a@example.org', primary: true, verified: false },
        { email: 'b@example.org', primary: false, verified: true }
      ],
      'b@example.org'
    ],
    [[{ email: 'a@example.org', primary: true, verified: 'true' }], undefined],
    [[], undefined], [{ message: 'odd' }, undefined], [raw(404), undefined], [raw(403), undefined]
  ]
  for (const [emails, email] of rows) {
    server.answers['/user/emails'] = emails
    t.same(await byCode(), {
      provider: 'test',
      issuer: 'https://github.com/login/oauth',
      subject: '583231',
      email,
      emailProven: false,
      fields: {},
      tokens: undefined
    })
  }
  t.equal(sent().get('code_verifier'), 'v'.repeat(43))
  t.match(server.asked.find(({ path }) => path === '/user')?.headers, {
    authorization: `Bearer ${access}`,
    'user-agent': 'fastify-rest-auth',
    accept: 'application/vnd.github+json'
  })
  server.answers['/user/emails'] = raw(500)
  t.equal(await codeOf(byCode()), 'provider_unavailable')
  server.answers['/user'] = { ...githubUser, id: 'octocat' }
  t.equal(await codeOf(byCode()), 'provider_error')
})

void t.test('GitHub checks a token for the app, which authenticates with its secret', async t => {
  const { client, server } = await setUp(t, providers.github, { '/user': githubUser, '/user/emails': [] })
  const path = '/applications/app/token'
  server.answers[path] = { app: { client_id: 'app' } }
  t.match(await client.identityFromAccessToken(access), { subject: '583231' })
  t.match(server.asked[0], { method: 'POST', path, body: JSON.stringify({ access_token: access }) })
  t.equal(server.asked[0]?.headers.authorization, `Basic ${Buffer.from('app:app-secret').toString('base64')}`)
  server.answers[path] = { app: { client_id: 'other' } }
  t.equal(await codeOf(client.identityFromAccessToken(access)), 'provider_token_invalid')
  server.answers[path] = raw(404)
  t.equal(await codeOf(client.identityFromAccessToken(access)), 'provider_token_invalid')
})

void t.test('a Facebook address is never verified, and no URL contains the secret', async t => {
  const { client, byCode, server, paths } = await setUp(t, providers.facebook, {}, { trustEmail: true })
  server.answers[paths.userinfo ?? ''] = { id: '10', email: 'a@example.org', first_name: 'A', last_name: 'B' }
  t.match(await byCode(), {
    issuer: 'https://www.facebook.com',
    subject: '10',
    email: 'a@example.org',
    emailProven: false,
    fields: { first_name: 'A', last_name: 'B' }
  })
  t.equal(
    server.asked.at(-1)?.query.get('appsecret_proof'),
    createHmac('sha256', 'app-secret').update(access).digest('hex')
  )
  const rows: Array<[data: object, code: string]> = [
    [{ app_id: 'app', is_valid: true, type: 'USER' }, 'none'],
    [{ app_id: 'other', is_valid: true, type: 'USER' }, 'provider_token_invalid'],
    [{ app_id: 'app', is_valid: false, type: 'USER' }, 'provider_token_invalid'],
    [{ app_id: 'app', is_valid: true, type: 'PAGE' }, 'provider_token_invalid'],
    [{}, 'provider_token_invalid']
  ]
  for (const [data, code] of rows) {
    server.answers[paths.tokeninfo ?? ''] = { data }
    t.equal(await codeOf(client.identityFromAccessToken(access)), code)
  }
  t.equal(server.asked.find(({ path }) => path === paths.tokeninfo)?.headers.authorization, 'Bearer app|app-secret')
  t.notOk(server.asked.some(({ query }) => query.toString().includes('app-secret')))
})

void t.test('Apple posts the callback, and sends the name only once', async t => {
  const { client, byCode } = await setUp(t, providers.apple)
  t.equal(client.postsBack, true)
  t.equal(
    new URL(
      await client.authorizationUrl({ state: 's', nonce: 'n', challenge: 'c', redirectUri: 'https://app.example/cb' })
    ).searchParams.get('response_mode'),
    'form_post'
  )
  const claims = { email: 'x@privaterelay.appleid.com', email_verified: 'true' }
  const user = JSON.stringify({ name: { firstName: 'A', lastName: 'B' }, email: 'evil@example.org' })
  t.match(await byCode(claims, { user }), {
    subject: '4711',
    email: 'x@privaterelay.appleid.com',
    emailProven: true,
    fields: { first_name: 'A', last_name: 'B' }
  })
  for (const odd of [
    undefined,
    '{',
    '[]',
    'null',
    '{"name":"A"}',
    7,
    { name: { firstName: 'A' } },
    '{"name":{"firstName":{}}}'
  ]) { t.same((await byCode(claims, { user: odd })).fields, {}) }
  t.match(await byCode({ email: 'a@example.org', email_verified: true }), { emailProven: false })
  t.match(await byCode({ email: 'a@icloud.com', email_verified: 'false' }), { emailProven: false })
})

const tenant = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
const personal = '9188040d-6c67-4c5b-b112-36a304b66dad'
const issuerOf = (id: string) => `https://login.microsoftonline.com/${id}/v2.0`

void t.test('each Microsoft tenant is an issuer, and only for its own tokens', async t => {
  const { client, sign, byCode } = await setUp(t, providers.microsoft)
  t.match(await byCode({ iss: issuerOf(tenant), tid: tenant, oid: 'o', preferred_username: 'a@corp.example' }), {
    issuer: issuerOf(tenant),
    subject: '4711',
    email: undefined
  })
  for (const claims of [
    { iss: issuerOf(tenant), tid: personal },
    { iss: issuerOf(tenant) },
    { iss: `https://evil.example/${tenant}/v2.0`, tid: tenant },
    { iss: `${issuerOf(tenant)}/`, tid: tenant }
  ]) {
    t.equal(
      await codeOf(client.identityFromIdToken(await sign(claims), 'n')),
      'provider_token_invalid',
      JSON.stringify(claims)
    )
  }
  t.same([await client.isIssuer(issuerOf(tenant)), await client.isIssuer('https://evil.example')], [true, false])
})

void t.test('a Microsoft address is verified only with xms_edov', async t => {
  const { byCode } = await setUp(t, providers.microsoft, {}, { trustEmail: true })
  const claims = { iss: issuerOf(tenant), tid: tenant, email: 'ceo@victim.example', email_verified: true }
  t.equal((await byCode(claims)).emailProven, false)
  for (const xms_edov of [true, 1, '1', 'true']) t.equal((await byCode({ ...claims, xms_edov })).emailProven, true)
  for (const xms_edov of [false, 0, '0', 'false', null]) {
    t.equal((await byCode({ ...claims, xms_edov })).emailProven, false)
  }
  const careful = await setUp(t, providers.microsoft)
  t.equal((await careful.byCode({ ...claims, xms_edov: true })).emailProven, false)
  t.equal(
    (await careful.byCode({ iss: issuerOf(personal), tid: personal, email: 'a@outlook.com', xms_edov: true }))
      .emailProven,
    true
  )
  t.equal((await careful.byCode({ ...claims, email: 'a@outlook.com', xms_edov: true })).emailProven, false)
})

void t.test('GitLab is a standard OpenID provider', async t => {
  const { byCode, server } = await setUp(t, providers.gitlab)
  server.answers['/oauth/userinfo'] = { sub: '4711', email: 'a@example.org', email_verified: true }
  t.match(await byCode(), { issuer: 'https://gitlab.com', subject: '4711', email: 'a@example.org', emailProven: false })
})

void t.test('a Discord identity comes from its API', async t => {
  const { client, byCode, server, paths } = await setUp(t, providers.discord, {}, { trustEmail: true })
  server.answers[paths.userinfo ?? ''] = {
    id: '80351110224678912',
    username: 'nelly',
    email: 'a@example.org',
    verified: true
  }
  t.match(await byCode(), {
    issuer: 'https://discord.com',
    subject: '80351110224678912',
    email: 'a@example.org',
    emailProven: true
  })
  server.answers[paths.tokeninfo ?? ''] = { application: { id: 'app' } }
  t.match(await client.identityFromAccessToken(access), { subject: '80351110224678912' })
  server.answers[paths.tokeninfo ?? ''] = { application: { id: 'other' } }
  t.equal(await codeOf(client.identityFromAccessToken(access)), 'provider_token_invalid')
  server.answers[paths.userinfo ?? ''] = { id: 7 }
  t.equal(await codeOf(byCode()), 'provider_error')
})

void t.test('LinkedIn uses neither PKCE nor a nonce, but a wrong nonce is refused', async t => {
  const { client, byCode, sent } = await setUp(t, providers.linkedin)
  const address = new URL(
    await client.authorizationUrl({ state: 's', nonce: 'n', challenge: 'c', redirectUri: 'https://app.example/cb' })
  )
  t.same([...address.searchParams.keys()].sort(), ['client_id', 'redirect_uri', 'response_type', 'scope', 'state'])
  t.match(await byCode({ nonce: undefined, email: 'a@example.org', email_verified: true, given_name: 'A' }), {
    issuer: 'https://www.linkedin.com/oauth',
    fields: { first_name: 'A' }
  })
  t.equal(sent().has('code_verifier'), false)
  t.equal(await codeOf(byCode({ nonce: 'm', email: 'a@example.org' })), 'provider_error')
})

void t.test('every built-in provider uses https and requests few scopes; four can check access tokens', async t => {
  for (const [name, { issuer, endpoints = {}, scopes, isOurs }] of Object.entries(providers)) {
    for (const address of [issuer, ...Object.values(endpoints)]) t.match(address, /^https:\/\//, name)
    t.ok(scopes.length > 0 && scopes.length <= 3, name)
    t.equal(isOurs !== undefined, ['google', 'github', 'facebook', 'discord'].includes(name), name)
  }
})
