/** The fake providers of the tests behave like real ones. If these tests fail, the fakes are wrong, not the plugin. */
import { createHash } from 'node:crypto'
import { createRemoteJWKSet, importPKCS8, jwtVerify, SignJWT } from 'jose'
import {
  answerLies, emailLies, faults, idTokenLies, startBadProvider, userinfoLies, type Lie
} from './support/hostile-provider.js'
import { sqliteBuild, t } from './support/build.js'
import { startOpenidProvider } from './support/openid-provider.js'
import { startApple } from './support/providers/apple.js'
import { startFacebook } from './support/providers/facebook.js'
import { startGithub } from './support/providers/github.js'
import { createClock, withQuery } from './support/providers/server.js'

const callback = 'http://localhost:3000/auth/x/callback'
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const challenge = {
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256'
}
const redirectUris = [callback]

const parametersOf = (url: string): Record<string, string> => Object.fromEntries(new URL(url).searchParams)
const post = async (
  url: string,
  form: Record<string, string>,
  headers: Record<string, string> = { accept: 'application/json' }
): Promise<Response> =>
  await fetch(url, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ grant_type: 'authorization_code', ...form })
  })
const get = async (url: string, token: string): Promise<Response> =>
  await fetch(url, { headers: { authorization: `Bearer ${token}` } })

t.test('the clocks of apps and fake providers start at the same time', async t => {
  const { clock } = await sqliteBuild(t)
  t.same(createClock().now, clock.now)
})

t.test('the OpenID provider exchanges a code once, for an ID token with the claims of the user', async t => {
  const openid = await startOpenidProvider(t, { redirectUris })
  const { issuer, clientId: client_id, clientSecret: client_secret, endpoints } = openid
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json() as Record<string, unknown>
  t.match(metadata, {
    issuer,
    authorization_endpoint: endpoints.authorization,
    token_endpoint: endpoints.token,
    jwks_uri: endpoints.jwks,
    userinfo_endpoint: endpoints.userinfo,
    authorization_response_iss_parameter_supported: true
  })
  const request = withQuery(endpoints.authorization, {
    client_id,
    redirect_uri: callback,
    response_type: 'code',
    scope: 'openid email profile',
    state: 's',
    nonce: 'n',
    ...challenge
  })

  const redirect = await openid.authorize(request, 'alice')
  t.ok(redirect.startsWith(`${callback}?`))
  const { code = '', ...rest } = parametersOf(redirect)
  t.same(rest, { state: 's', iss: issuer })
  t.equal(
    (
      await post(endpoints.token, {
        client_id,
        client_secret,
        code,
        redirect_uri: callback,
        code_verifier: `${verifier}x`
      })
    ).status,
    400
  )
  const again = parametersOf(await openid.authorize(request, 'alice')).code ?? ''
  const answer = (await (
    await post(endpoints.token, {
      client_id,
      client_secret,
      code: again,
      redirect_uri: callback,
      code_verifier: verifier
    })
  ).json()) as Record<string, string>
  t.equal(answer.token_type, 'Bearer')
  const { payload } = await jwtVerify(answer.id_token ?? '', createRemoteJWKSet(new URL(endpoints.jwks)), {
    issuer,
    audience: client_id,
    subject: 'alice',
    currentDate: openid.clock.now
  })
  t.match(payload, { nonce: 'n', email: undefined })
  openid.people.alice = { ...openid.people.alice, email: 'new@example.com' }
  t.same(await (await get(endpoints.userinfo, answer.access_token ?? '')).json(), {
    sub: 'alice',
    email: 'new@example.com',
    email_verified: true,
    given_name: 'Alice',
    family_name: 'Liddell'
  })
  t.equal(
    (
      await post(endpoints.token, {
        client_id,
        client_secret,
        code: again,
        redirect_uri: callback,
        code_verifier: verifier
      })
    ).status,
    400
  )

  t.match(openid.calls('token')[1], { method: 'POST', form: { code_verifier: verifier, redirect_uri: callback } })
  t.match(parametersOf(await openid.authorize(request, 'alice', { deny: true })), {
    error: 'access_denied',
    state: 's',
    iss: issuer,
    code: undefined
  })
  const posted = await openid.authorizeByPost(withQuery(request, { response_mode: 'form_post' }), 'bob')
  t.match(posted, { url: callback, form: { code: String, state: 's', iss: issuer } })
  await t.rejects(openid.authorize(withQuery(request, { redirect_uri: 'http://evil.example/' }), 'alice'))
})

t.test('GitHub refuses with status 200, and answers with forms unless asked for JSON', async t => {
  const github = await startGithub(t, { redirectUris })
  const { clientId: client_id, clientSecret: client_secret, endpoints } = github
  const login = async () =>
    parametersOf(
      await github.authorize(
        withQuery(endpoints.authorization, {
          client_id,
          redirect_uri: callback,
          scope: 'read:user user:email',
          state: 's',
          ...challenge
        }),
        'alice'
      )
    )
  const { code = '', iss } = await login()
  t.equal(iss, 'https://github.com/login/oauth')
  const good = { client_id, client_secret, code, redirect_uri: callback, code_verifier: verifier }
  for (const [changes, error] of [
    [{ client_secret: 'wrong' }, 'incorrect_client_credentials'],
    [{ code: 'wrong' }, 'bad_verification_code'],
    [{ redirect_uri: 'http://evil.example/' }, 'redirect_uri_mismatch'],
    [{ code_verifier: 'wrong' }, 'bad_verification_code']
  ] as const) {
    const refused = await post(endpoints.token, { ...good, ...changes })
    t.equal(refused.status, 200)
    t.match(await refused.json(), { error, error_description: String, error_uri: String })
  }
  const form = new URLSearchParams(await (await post(endpoints.token, good, {})).text())
  t.equal(form.get('token_type'), 'bearer')
  t.match(await (await post(endpoints.token, good)).json(), { error: 'bad_verification_code' }, 'once')
  const { code: late = '' } = await login()
  github.clock.now = new Date(github.clock.now.getTime() + 601_000)
  t.match(
    await (await post(endpoints.token, { ...good, code: late })).json(),
    { error: 'bad_verification_code' },
    'not for long'
  )

  const token = form.get('access_token') ?? ''
  t.match(await (await get(endpoints.userinfo, token)).json(), { id: 583231, login: 'alice-hub', email: null })
  t.match(await (await get(`${endpoints.userinfo}/emails`, token)).json(), [
    { verified: false },
    { email: 'alice@example.com', primary: true, verified: true },
    {}
  ])
  t.equal((await get(endpoints.userinfo, 'wrong')).status, 401)
  const inspect = async (access_token: string) =>
    await fetch(endpoints.tokeninfo.replace('{client_id}', client_id), {
      method: 'POST',
      body: JSON.stringify({ access_token }),
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
      }
    })
  t.match(await (await inspect(token)).json(), { app: { client_id }, user: { id: 583231 } })
  t.equal((await inspect(github.issueToken({ person: 'alice', clientId: 'another' }))).status, 404)
  t.equal(github.calls('tokeninfo').length, 2)
})

t.test('Facebook has its own error format, and returns only the requested fields', async t => {
  const facebook = await startFacebook(t, { redirectUris })
  const { clientId: client_id, clientSecret: client_secret, endpoints } = facebook
  const authorization = withQuery(endpoints.authorization, {
    client_id,
    redirect_uri: callback,
    scope: 'email',
    state: 's'
  })
  const redirect = await facebook.authorize(authorization, 'alice')
  t.ok(redirect.endsWith('#_=_'))
  const good = { client_id, client_secret, code: parametersOf(redirect).code ?? '', redirect_uri: callback }
  const refused = await post(endpoints.token, { ...good, redirect_uri: 'http://evil.example/' })
  t.equal(refused.status, 400)
  t.match(await refused.json(), { error: { type: 'OAuthException', code: 100, fbtrace_id: String } })
  const { access_token: token, ...answer } = (await (await fetch(withQuery(endpoints.token, good))).json()) as Record<
    string,
    string
  >
  t.match(answer, { token_type: 'bearer', expires_in: Number })
  t.match(await (await post(endpoints.token, good)).json(), {
    error: { message: 'This authorization code has been used.' }
  })

  const me = async (fields: string, person?: string) =>
    await (
      await get(withQuery(endpoints.userinfo, { fields }), person ? facebook.issueToken({ person }) : (token ?? ''))
    ).json()
  t.same(await me('id,name,email'), { id: '10220000000000001', name: 'Alice Liddell', email: 'alice@example.com' })
  t.same(await me('email', 'bob'), { id: '10220000000000002' })
  const debug = async (input_token: string) =>
    await (
      await fetch(withQuery(endpoints.tokeninfo, { input_token, access_token: `${client_id}|${client_secret}` }))
    ).json()
  t.match(await debug(token ?? ''), { data: { app_id: client_id, is_valid: true, user_id: '10220000000000001' } })
  t.match(await debug(facebook.issueToken({ person: 'alice', clientId: 'another' })), { error: { code: 100 } })
  t.match(parametersOf(await facebook.authorize(authorization, 'alice', { deny: true })), {
    error: 'access_denied',
    error_reason: 'user_denied'
  })
})

t.test('Apple posts its redirect, sends a name once, and requires a signed client secret', async t => {
  const apple = await startApple(t, { redirectUris })
  const { clientId: client_id, clientSecret: { teamId, keyId, privateKey }, endpoints } = apple
  const authorization = withQuery(endpoints.authorization, {
    client_id,
    redirect_uri: callback,
    response_type: 'code',
    response_mode: 'form_post',
    scope: 'name email',
    state: 's',
    nonce: 'n'
  })
  const { url, form } = await apple.authorize(authorization, 'alice')
  t.equal(url, callback)
  t.same(JSON.parse(form.user ?? ''), { name: { firstName: 'Alice', lastName: 'Liddell' }, email: 'alice@example.com' })
  const again = await apple.authorize(authorization, 'alice')
  t.notOk(again.form.user)
  t.same((await apple.authorize(authorization, 'bob', { deny: true })).form, {
    state: 's',
    error: 'user_cancelled_authorize'
  })

  const now = Math.floor(apple.clock.now.getTime() / 1000)
  const signed = async (lifetime: number) =>
    await new SignJWT({ iss: teamId, sub: client_id, aud: 'https://appleid.apple.com', iat: now, exp: now + lifetime })
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .sign(await importPKCS8(privateKey, 'ES256'))
  const good = { client_id, client_secret: await signed(300), code: form.code ?? '', redirect_uri: callback }
  t.same(await (await post(endpoints.token, { ...good, client_secret: await signed(20_000_000) })).json(), {
    error: 'invalid_client'
  })
  const { id_token = '' } = await (await post(endpoints.token, good)).json() as Record<string, string>
  const { payload } = await jwtVerify(id_token, createRemoteJWKSet(new URL(endpoints.jwks)), {
    issuer: 'https://appleid.apple.com',
    audience: client_id,
    currentDate: apple.clock.now
  })
  t.match(payload, { nonce: 'n', email: 'alice@example.com', email_verified: 'true' })
  t.match(await (await post(endpoints.token, good)).json(), { error: 'invalid_grant' })
})

t.test('the bad provider behaves well until a fault or a lie is set', async t => {
  const bad = await startBadProvider(t)
  const { endpoints, issuer, clientId: audience } = bad
  const redirect = await bad.authorize(
    withQuery(endpoints.authorization, { redirect_uri: callback, state: 's', nonce: 'n' }),
    'alice'
  )
  const exchange = async (code: string) =>
    (await (await post(endpoints.token, { code })).json()) as Record<string, string>
  const verify = async (token: string, nonce: string) => {
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(endpoints.jwks)), {
      issuer,
      audience,
      algorithms: ['RS256'],
      requiredClaims: ['sub', 'exp', 'iat'],
      currentDate: bad.clock.now
    })
    t.match(payload, { sub: 'alice', email: 'alice@example.com', email_verified: true, nonce })
  }
  const { code = '', ...rest } = parametersOf(redirect)
  t.same(rest, { state: 's', iss: issuer })
  await verify((await exchange(code)).id_token ?? '', 'n')
  bad.nonce = 'of-a-test'
  await verify((await exchange('code-alice')).id_token ?? '', 'of-a-test')
  t.match(await exchange('code-nobody'), { error: 'invalid_grant' })
  t.match(await (await get(endpoints.userinfo, 'at-bob')).json(), { sub: 'bob', email: 'bob@example.com' })
  await bad.rotateKeys()
  await verify((await exchange('code-alice')).id_token ?? '', 'of-a-test')

  // Of the same claims the same key makes the same token.
  const tellings = new Map<string, Lie | undefined>()
  const lies = [...idTokenLies, ...answerLies, ...userinfoLies, ...emailLies]
  for (const lie of [undefined, ...lies]) {
    bad.lie = lie
    tellings.set(
      JSON.stringify([await exchange('code-alice'), await (await get(endpoints.userinfo, 'at-alice')).json()]),
      lie
    )
  }
  t.equal(tellings.size, lies.length + 1, 'no lie is the truth, or another lie')
})

t.test('the bad provider implements every fault', async t => {
  const bad = await startBadProvider(t)
  const url = `${bad.issuer}/.well-known/openid-configuration`
  const outcomes: Record<string, unknown> = {}
  for (const fault of faults) {
    bad.faults.discovery = fault
    const asked = fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(['slow', 'drip'].includes(fault) ? 100 : 10_000)
    })
    outcomes[fault] = await asked
      .then(async answer => `${answer.status} ${(await answer.text()).slice(0, 3)}`)
      .catch(({ name }) => name)
  }
  t.same(outcomes, {
    slow: 'TimeoutError',
    drip: 'TimeoutError',
    reset: 'TypeError',
    empty: '200 ',
    html: '200 <!D',
    truncated: '200 {"i',
    charset: '200 {\0"',
    null: '200 nul',
    array: '200 [{"',
    huge: '200 {"i',
    bomb: '200 {"i',
    redirect: '307 ',
    error500: '500 {"e',
    error429: '429 {"e'
  })
  bad.faults.discovery = 'bomb'
  t.ok((await (await fetch(url)).text()).length > 2 ** 21)
  await bad.close()
  await t.rejects(fetch(url))
})
