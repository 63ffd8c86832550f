/** Clients post a code or token of a provider to log in; it must prove a recent login to this app. */
import { createHash, randomBytes } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'
import { facebook as facebookProvider } from '../src/providers/facebook.js'
import { github as githubProvider } from '../src/providers/github.js'
import { bodySchemaIn } from './support/answers.js'
import { likeGoogle, withBadProvider } from './support/hostile-provider-app.js'
import { idTokenLies, type Lie } from './support/hostile-provider.js'
import { articleOptions, cookiesOf, fieldCodes, sqliteBuild, story, t, type Test } from './support/build.js'
import { startOpenidProvider } from './support/openid-provider.js'
import { startFacebook } from './support/providers/facebook.js'
import { startGithub } from './support/providers/github.js'

const ownRedirectUri = 'https://spa.example/welcome'
const defaultRedirectUri = 'http://localhost:3000/auth/company/callback'

/** An app with a certified provider, and what a single-page app does to get a code of it. */
async function withOpenid (t: Test, provider: object = {}) {
  const openid = await startOpenidProvider(t, { redirectUris: [ownRedirectUri, defaultRedirectUri] })
  const { issuer, clientId, clientSecret } = openid
  const built = await sqliteBuild(t, {
    options: { ...articleOptions, social: { company: { issuer, clientId, clientSecret, ...provider } } }
  })
  openid.clock = built.clock
  async function askCode (redirectUri = ownRedirectUri, nonce?: string) {
    const verifier = randomBytes(32).toString('base64url')
    const query = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      scope: 'openid email',
      redirect_uri: redirectUri,
      state: 'of the page',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...(nonce !== undefined && { nonce })
    })
    const redirect = new URL(await openid.authorize(`${openid.endpoints.authorization}?${query}`, 'alice'))
    return { code: redirect.searchParams.get('code') ?? '', code_verifier: verifier, redirect_uri: redirectUri }
  }
  return { ...built, openid, askCode }
}

/** What one ID token has that no other has. */
const unique = () => randomBytes(4).toString('hex')
const codeOf = (answer: LightMyRequestResponse): string => answer.statusCode === 200 ? 'logged in' : answer.json().code

void t.test('a code is accepted once, with its verifier and redirect URI', async t => {
  const { post, get, openid, askCode } = await withOpenid(t)
  const grant = await askCode()
  const answer = await post('/company', grant)
  t.equal(answer.statusCode, 200)
  const { access, refresh, user } = answer.json()
  t.match(user, { email: 'alice@example.com', missing_fields: ['gender', 'phone_number'] })
  t.equal((await get('/user', { token: access })).json().pk, user.pk)
  t.equal((await post('/token/refresh', { refresh })).statusCode, 200)
  t.match(openid.calls('token').map(({ form }) => form), [grant], 'the provider has seen what was posted')
  t.equal(codeOf(await post('/company', grant)), 'code_exchange_failed', 'the code is spent')
  t.equal((await post('/company', await askCode())).json().user.pk, user.pk, 'another one is of the same person')
})

void t.test('a code with a wrong or missing verifier or redirect URI is refused', async t => {
  const { post, askCode, app } = await withOpenid(t)
  const changes: object[] = [
    { code_verifier: 'x'.repeat(43) },
    { code_verifier: undefined },
    { code_verifier: '' },
    { redirect_uri: defaultRedirectUri },
    { redirect_uri: undefined },
    { redirect_uri: 'https://evil.example' },
    { code: 'none' }
  ]
  for (const change of changes) {
    const answer = await post('/company', { ...await askCode(), ...change })
    t.equal(answer.statusCode, 400)
    t.match(
      answer.json(),
      { code: 'code_exchange_failed', detail: 'Failed to exchange code for access token' },
      JSON.stringify(change)
    )
  }
  t.equal(await app.restAuth.users.find({ email: 'alice@example.com' }), undefined)
})

void t.test('the redirect URI defaults to the callback, and blank fields count as absent', async t => {
  const { post, call, openid, askCode } = await withOpenid(t)
  const { redirect_uri: _default, ...grant } = await askCode(defaultRedirectUri)
  t.equal(
    (await post('/company', { ...grant, redirect_uri: '', id_token: '', nonce: '', access_token: '', login_code: '' }))
      .statusCode,
    200
  )
  t.equal(openid.calls('token')[0]?.form.redirect_uri, defaultRedirectUri)
  const form = { ...await askCode(), id_token: '', nonce: '' }
  t.equal((await call('POST', '/company', { form })).statusCode, 200, 'as a form, too')
})

void t.test('a posted nonce must match the nonce of the login', async t => {
  const { post, askCode } = await withOpenid(t)
  t.equal((await post('/company', { ...await askCode(undefined, 'n-1'), nonce: 'n-1' })).statusCode, 200)
  // The token came from the provider itself, by the back channel, so this is the provider's fault.
  t.equal(
    codeOf(await post('/company', { ...(await askCode(undefined, 'n-1')), nonce: 'n-2' }, { fault: true })),
    'provider_error'
  )
})

void t.test(
  'a code stolen from the callback cannot be posted, even if the provider does not support PKCE',
  async t => {
    const { post, call, bad } = await withBadProvider(t, sqliteBuild)
    const {
      headers: { location }
    } = await call('GET', '/company/login', { headers: { 'sec-fetch-site': 'none' } })
    const code = new URL(await bad.authorize(String(location), 'alice')).searchParams.get('code')
    const answer = await post('/company', { code, redirect_uri: defaultRedirectUri })
    t.equal(answer.statusCode, 400)
    t.equal(codeOf(answer), 'code_exchange_failed')
  }
)

void t.test('a request without credentials of the provider gets a list of the accepted ones', async t => {
  const { post, bad } = await withBadProvider(t, sqliteBuild)
  for (const body of [
    {},
    { code: '', id_token: '' },
    { nonce: 'n', code_verifier: 'v', redirect_uri: ownRedirectUri },
    { access_token: 'at-alice' }
  ]) {
    const answer = await post('/company', body)
    t.equal(answer.statusCode, 400)
    t.match(answer.json(), {
      code: 'provider_credentials_required',
      detail: 'Incorrect input. access_token or code is required.'
    })
  }
  t.same(fieldCodes(await post('/company', { code: 7, id_token: null, redirect_uri: 'x'.repeat(2049) })), {
    code: ['invalid_type'],
    redirect_uri: ['max_length'],
    id_token: ['null']
  })
  t.same(fieldCodes(await post('/company', { code: 'a\u0000' })), { code: ['null_characters_not_allowed'] })
  t.equal(bad.calls('token').length, 0)
  t.equal((await post('/another', { code: 'code-alice' })).statusCode, 404)
})

void t.test('with Django REST framework errors, it gets the answer of dj-rest-auth', async t => {
  const { post, bad } = await withBadProvider(t, sqliteBuild, { options: { errors: 'drf' } })
  const told = async (body: object) => {
    const { statusCode, body: text } = await post('/company', body)
    return [statusCode, JSON.parse(text)]
  }
  t.same(await told({}), [400, { non_field_errors: ['Incorrect input. access_token or code is required.'] }])
  t.same(await told({ code: 'none' }), [400, { non_field_errors: ['Failed to exchange code for access token'] }])
  t.same(await told({ id_token: 'none' }), [400, { non_field_errors: ['Incorrect value'] }])
  bad.faults = { token: 'error500' }
  const answer = await post('/company', { code: 'code-alice' }, { fault: true })
  t.same(answer.json(), { detail: 'The provider can not be reached. Try again shortly.' })
})

void t.test('a code reaches the provider unchanged, unless it is still as it was in the URL', async t => {
  const { post, call, bad } = await withBadProvider(t, sqliteBuild)
  const codes = [
    '4/0AX4XfWh', '4/0AX+4Xf=Wh==', 'a b', 'a&client_id=evil', 'ä€😀', '%', '%00', 'a\r\nb', '"}', '__proto__'
  ]
  const encoded = ['4%2F0AX4XfWh', '4%2f0A.b-c_d~e%3D', '4%252F0A']
  for (const code of [...codes, ...encoded]) {
    t.equal(codeOf(await post('/company', { code })), 'code_exchange_failed')
  }
  t.equal(codeOf(await call('POST', '/company', { form: { code: '4/0+A%2F' } })), 'code_exchange_failed')
  const decoded = ['4/0AX4XfWh', '4/0A.b-c_d~e=', '4%2F0A']
  t.same(bad.calls('token').map(({ form }) => form.code), [...codes, ...decoded, '4/0+A%2F'])
  for (const { form } of bad.calls('token')) {
    t.match(form, { redirect_uri: defaultRedirectUri, grant_type: 'authorization_code' })
  }
})

void t.test('of several credentials the code is used, else the ID token', async t => {
  const { post, bad } = await withBadProvider(t, sqliteBuild, { social: bad => ({ google: likeGoogle(bad) }) })
  const [alice, bob] = [await bad.issueIdToken({ person: 'alice' }), await bad.issueIdToken({ person: 'bob' })]
  const emailOf = async (body: object) => (await post('/google', body)).json().user?.email
  t.equal(await emailOf({ code: 'code-alice', id_token: bob, access_token: 'at-bob' }), 'alice@example.com')
  t.equal(await emailOf({ id_token: alice, access_token: 'at-bob' }), 'alice@example.com')
  t.equal(await emailOf({ access_token: 'at-bob' }), 'bob@example.com')
  t.equal(
    codeOf(await post('/google', { code: 'none', id_token: bob, access_token: 'at-bob' })),
    'code_exchange_failed',
    'one that is wrong is not made good by another'
  )
})

story('an ID token can be used once, even by sixteen requests at once', async (t, build) => {
  const { post, bad, app, enter } = await withBadProvider(t, build)
  const idToken = await bad.issueIdToken({ person: 'alice' })
  const first = await post('/company', { id_token: idToken })
  t.equal(first.statusCode, 200)
  t.equal((await enter('alice')).json().user.pk, first.json().user.pk, 'by code it is the same person')
  const again = await post('/company', { id_token: idToken })
  t.equal(again.statusCode, 400)
  t.match(again.json(), { code: 'provider_token_invalid', detail: 'Incorrect value' })

  const fresh = await bad.issueIdToken({ person: 'bob' })
  const answers = await Promise.all(Array.from({ length: 16 }, async () => await post('/company', { id_token: fresh })))
  const [winner, ...others] = answers.filter(({ statusCode }) => statusCode === 200)
  t.same(others, [])
  for (const answer of answers) if (answer !== winner) t.equal(codeOf(answer), 'provider_token_invalid')
  const bob = await app.restAuth.users.find({ email: 'bob@example.com' })
  t.equal((await app.restAuth.sessions.list(bob?.pk ?? '')).length, 1)
})

void t.test('another encoding of the same ID token counts as used', async t => {
  const { post, bad } = await withBadProvider(t, sqliteBuild)
  const idToken = await bad.issueIdToken({ person: 'alice' })
  t.equal((await post('/company', { id_token: idToken })).statusCode, 200)
  // Of the last character of 2048 bits in Base64 only two bits count, and decoders are lenient.
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const twin = last[last.indexOf(idToken.at(-1) ?? '') ^ 1]
  const tries = [
    `${idToken.slice(0, -1)}${twin}`,
    `${idToken}==`,
    `${idToken}\n`,
    ` ${idToken}`,
    idToken.replace(/\.(?=[^.]*$)/, '. ')
  ]
  for (const same of tries) {
    t.equal(
      codeOf(await post('/company', { id_token: same })),
      'provider_token_invalid',
      JSON.stringify(same.slice(-6))
    )
  }
})

void t.test('login and connect both use up an ID token; a refusal does not', async t => {
  const { post, bad, enter } = await withBadProvider(t, sqliteBuild)
  const { access: token } = (await enter('alice')).json()
  const idToken = await bad.issueIdToken({ person: 'bob' })
  t.equal(codeOf(await post('/company', { id_token: idToken, nonce: 'wrong' })), 'provider_token_invalid')
  t.equal((await post('/company/connect', { id_token: idToken }, { token })).statusCode, 200)
  t.equal(codeOf(await post('/company', { id_token: idToken })), 'provider_token_invalid')
})

void t.test('an ID token with a nonce requires the same nonce', async t => {
  const { post, bad } = await withBadProvider(t, sqliteBuild)
  const log = async (nonce: string | undefined, posted: string | undefined) =>
    codeOf(
      await post('/company', {
        id_token: await bad.issueIdToken({
          person: 'alice',
          ...(nonce !== undefined && { nonce }),
          claims: { jti: unique() }
        }),
        ...(posted !== undefined && { nonce: posted })
      })
    )
  t.equal(await log('n', 'n'), 'logged in')
  t.equal(await log(undefined, undefined), 'logged in')
  t.equal(await log(undefined, ''), 'logged in')
  for (const [nonce, posted] of [
    ['n', undefined],
    ['n', ''],
    ['n', 'N'],
    ['n', 'another'],
    [undefined, 'n']
  ]) { t.equal(await log(nonce, posted), 'provider_token_invalid', `${nonce} ${posted}`) }
})

void t.test('an ID token for another app is refused, unless the option names it', async t => {
  const { post, bad } = await withBadProvider(t, sqliteBuild, {
    social: bad => ({
      phone: {
        issuer: bad.issuer,
        clientId: bad.clientId,
        clientSecret: 'any',
        trustEmail: true,
        audiences: ['ios', 'android']
      }
    })
  })
  const log = async (provider: string, claims: object) =>
    codeOf(
      await post(`/${provider}`, {
        id_token: await bad.issueIdToken({ person: 'alice', claims: { jti: unique(), ...claims } })
      })
    )
  for (const aud of [bad.clientId, 'ios', ['android']]) t.equal(await log('phone', { aud }), 'logged in')
  for (const aud of ['ios', 'another', ['ios'], '', [], null, 7]) {
    t.equal(await log('company', { aud }), 'provider_token_invalid', JSON.stringify(aud))
  }
  for (const aud of ['another', 'iosx', 'IOS']) t.equal(await log('phone', { aud }), 'provider_token_invalid', aud)
  t.equal(await log('phone', { aud: ['ios', 'another'], azp: 'another' }), 'provider_token_invalid')
})

void t.test('an access token in JWT format is not accepted as an ID token', async t => {
  const { post, bad } = await withBadProvider(t, sqliteBuild)
  const log = async (claims: object) =>
    codeOf(
      await post('/company', {
        id_token: await bad.issueIdToken({ person: 'alice', claims: { jti: unique(), ...claims } })
      })
    )
  t.equal(await log({}), 'logged in')
  // As Entra and Authentik make them: the same issuer, audience, subject and type.
  for (const claims of [{ scp: 'orders.read' }, { scp: ['orders.read'] }, { scope: 'openid email' }]) {
    t.equal(await log(claims), 'provider_token_invalid', JSON.stringify(claims))
  }
})

void t.test('an expired ID token is refused, and one signed by a new key is accepted', async t => {
  const { post, bad, clock } = await withBadProvider(t, sqliteBuild)
  const [kept, old] = await Promise.all(
    ['first', 'second'].map(async jti => await bad.issueIdToken({ person: 'alice', claims: { jti } }))
  )
  t.equal(codeOf(await post('/company', { id_token: kept })), 'logged in')
  clock.advance(3600 + 61)
  t.equal(codeOf(await post('/company', { id_token: old })), 'provider_token_invalid', 'too late')
  const withdrawn = await bad.issueIdToken({ person: 'alice' })
  t.equal(
    codeOf(
      await post('/company', { id_token: await bad.issueIdToken({ person: 'alice', claims: { jti: unique() } }) })
    ),
    'logged in'
  )
  await bad.rotateKeys()
  clock.advance(61)
  t.equal(codeOf(await post('/company', { id_token: await bad.issueIdToken({ person: 'alice' }) })), 'logged in')
  t.equal(codeOf(await post('/company', { id_token: withdrawn })), 'provider_token_invalid', 'its key is withdrawn')
})

// Alone it came with no access token, so there is none to compare.
const told = idTokenLies.filter(lie => lie !== 'the hash of another access token')

void t.test('invalid ID tokens are refused', async t => {
  const { post, bad, app, logs } = await withBadProvider(t, sqliteBuild)
  for (const lie of [...told, undefined] as Array<Lie | undefined>) {
    bad.lie = lie
    const answer = await post('/company', {
      id_token: await bad.issueIdToken({ person: 'alice', nonce: 'n' }),
      nonce: 'n'
    })
    t.equal(codeOf(answer), lie ? 'provider_token_invalid' : 'logged in', String(lie))
    if (lie) t.equal(await app.restAuth.users.find({ email: 'alice@example.com' }), undefined, lie)
  }
  for (const idToken of ['none', 'a.b.c', '..', 'e30.e30.', 'eyJhbGciOiJub25lIn0.e30.', '{}', 'x'.repeat(8192)]) {
    const answer = await post('/company', { id_token: idToken })
    t.equal(codeOf(answer), 'provider_token_invalid', idToken.slice(0, 20))
  }
  t.notMatch(logs.join(''), /eyJ[\w-]{20,}/, 'the log contains none of them')
})

/** An app with GitHub, Facebook and what is like Google, each of which tells whom a token was issued to. */
async function withTokens (t: Test, accessToken = true) {
  const [github, facebook] = await Promise.all([
    startGithub(t, { redirectUris: [] }),
    startFacebook(t, { redirectUris: [] })
  ])
  const { post, bad, app, logs } = await withBadProvider(t, sqliteBuild, {
    social: bad => ({
      github: {
        provider: { ...githubProvider, endpoints: github.endpoints },
        clientId: github.clientId,
        clientSecret: github.clientSecret,
        accessToken
      },
      facebook: {
        provider: { ...facebookProvider, endpoints: facebook.endpoints },
        clientId: facebook.clientId,
        clientSecret: facebook.clientSecret,
        accessToken
      },
      google: likeGoogle(bad, { accessToken })
    })
  })
  return { post, bad, app, logs, github, facebook }
}

void t.test('an access token is ignored unless the app accepts access tokens', async t => {
  const { post, github, facebook, bad, app } = await withTokens(t, false)
  const tokens = {
    github: github.issueToken({ person: 'alice' }),
    facebook: facebook.issueToken({ person: 'alice' }),
    google: 'at-alice'
  }
  for (const [provider, token] of Object.entries(tokens)) {
    t.equal(codeOf(await post(`/${provider}`, { access_token: token })), 'provider_credentials_required', provider)
  }
  t.equal(github.requests.length + facebook.requests.length + bad.calls('tokeninfo').length, 0, 'nobody is asked')
  t.notMatch(JSON.stringify(app.restAuth.openapi()), /an access token that .* issued/)
})

void t.test('an ID token that is posted as `access_token` is verified as the ID token that it is', async t => {
  for (const accessToken of [false, true]) {
    const { post, bad } = await withTokens(t, accessToken)
    const idToken = await bad.issueIdToken({ person: 'alice' })
    t.equal((await post('/google', { access_token: idToken })).json().user.email, 'alice@example.com')
    t.equal(codeOf(await post('/google', { access_token: idToken })), 'provider_token_invalid', 'once')
    t.equal(codeOf(await post('/google', { id_token: idToken })), 'provider_token_invalid', 'by whatever name')
    const [header, payload] = (await bad.issueIdToken({ person: 'bob' })).split('.')
    t.equal(codeOf(await post('/google', { access_token: `${header}.${payload}.x` })), 'provider_token_invalid')
    const withNonce = await bad.issueIdToken({ person: 'bob', nonce: 'n-1' })
    t.equal(codeOf(await post('/google', { access_token: withNonce })), 'provider_token_invalid')
    t.equal(codeOf(await post('/google', { access_token: withNonce, nonce: 'n-1' })), 'logged in')
    t.equal(bad.calls('tokeninfo').length, 0, 'never taken for an access token')
    const another = await bad.issueIdToken({ person: 'bob', claims: { aud: 'another', jti: unique() } })
    t.equal(
      codeOf(await post('/google', { access_token: another })),
      accessToken ? 'provider_token_invalid' : 'provider_credentials_required'
    )
  }
})

void t.test('a redirect URI that does not fit a posted code is an error of the client', async t => {
  const redirectUris = [ownRedirectUri]
  const { clientId, clientSecret, endpoints, authorize } = await startGithub(t, { redirectUris })
  const provider = { ...githubProvider, endpoints }
  const { post } = await sqliteBuild(t, {
    options: { ...articleOptions, social: { github: { clientId, clientSecret, provider } } }
  })
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: ownRedirectUri,
    scope: provider.scopes.join(' '),
    state: 'x'
  })
  const askCode = async () =>
    new URL(await authorize(`${endpoints.authorization}?${query}`, 'alice')).searchParams.get('code')
  for (const uri of ['https://elsewhere.example/', undefined]) {
    const answer = await post('/github', { code: await askCode(), redirect_uri: uri })
    t.equal(answer.statusCode, 400)
    t.equal(codeOf(answer), 'code_exchange_failed')
  }
  t.equal(codeOf(await post('/github', { code: await askCode(), redirect_uri: ownRedirectUri })), 'logged in')
})

void t.test("with callbackUrl `postmessage`, codes of Google's popup need no redirect_uri", async t => {
  const { post, get, bad } = await withBadProvider(t, sqliteBuild, {
    social: bad => ({ google: likeGoogle(bad, { callbackUrl: 'postmessage' }) })
  })
  t.equal((await post('/google', { code: 'code-alice' })).statusCode, 200)
  t.equal(bad.calls('token')[0]?.form.redirect_uri, 'postmessage')
  const start = await get('/google/login', { headers: { 'sec-fetch-site': 'none' } })
  t.equal(
    new URL(String(start.headers.location)).searchParams.get('redirect_uri'),
    'http://localhost:3000/auth/google/callback', 'the redirect flow needs an address'
  )
})

void t.test('an access token is accepted if the provider confirms that it was issued to this app', async t => {
  const { post, github, facebook, app } = await withTokens(t)
  const verified = async (email: string) => (await app.restAuth.users.find({ email }))?.email_verified
  t.equal(
    (await post('/github', { access_token: github.issueToken({ person: 'alice' }) })).json().user.email,
    'alice@example.com'
  )
  t.equal(await verified('alice@example.com'), false, 'GitHub is not trusted for it')
  t.equal(
    codeOf(await post('/facebook', { access_token: facebook.issueToken({ person: 'alice' }) })),
    'account_exists',
    'of the same address, which Facebook proves to nobody'
  )
  t.equal((await post('/google', { access_token: 'at-bob' })).json().user.email, 'bob@example.com')
})

void t.test('an access token of another app, or an invalid one, is refused', async t => {
  const { post, github, facebook, bad, app, logs } = await withTokens(t)
  const stolen = {
    github: github.issueToken({ person: 'alice', clientId: 'another' }),
    facebook: facebook.issueToken({ person: 'alice', clientId: 'another' })
  }
  for (const [provider, token] of Object.entries(stolen)) {
    const answer = await post(`/${provider}`, { access_token: token })
    t.equal(answer.statusCode, 400)
    t.match(answer.json(), { code: 'provider_token_invalid', detail: 'Incorrect value' }, provider)
    for (const none of ['none', `${token}x`, 'a b', 'a\r\nhost: evil', 'ä', '&access_token=x', '../user']) {
      t.equal(
        codeOf(await post(`/${provider}`, { access_token: none })),
        'provider_token_invalid',
        `${provider} ${none}`
      )
    }
    t.notMatch(logs.join(''), token)
  }
  t.equal(codeOf(await post('/google', { access_token: 'at-nobody' })), 'provider_token_invalid')
  t.equal(
    codeOf(await post('/github', { id_token: await bad.issueIdToken({ person: 'alice' }) })),
    'provider_credentials_required',
    'GitHub has no ID tokens'
  )
  t.notOk(await app.restAuth.users.find({ email: 'alice@example.com' }))
})

void t.test('the OpenAPI document lists the credentials each provider accepts', async t => {
  const { app } = await withTokens(t)
  const taken = (provider: string) =>
    Object.keys(bodySchemaIn(app.restAuth.openapi(), `/auth/${provider}`, 'post').properties).join(' ')
  t.equal(taken('company'), 'code code_verifier redirect_uri id_token nonce access_token login_code')
  t.equal(taken('google'), 'code code_verifier redirect_uri id_token nonce access_token login_code')
  t.equal(taken('github'), 'code code_verifier redirect_uri access_token login_code')
})

void t.test('with cookies, the tokens are in cookies only', async t => {
  const { enter, get } = await withBadProvider(t, sqliteBuild, { options: { tokens: { cookies: {} } } })
  const answer = await enter('alice')
  t.same(Object.keys(answer.json()).sort(), ['access_expiration', 'refresh_expiration', 'user'])
  t.equal((await get('/user', { headers: { cookie: cookiesOf(answer) } })).json().email, 'alice@example.com')
})
