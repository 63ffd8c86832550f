/**
 * Attacks on a login by redirect, from the security considerations of OAuth (RFC 6749, 7636, 9207, 9700) and
 * OpenID Connect Core.
 */
import { createHash } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'
import { github } from '../src/providers/github.js'
import { answerLies, faults, idTokenLies, userinfoLies } from './support/hostile-provider.js'
import { articleOptions, sqliteBuild, story, t } from './support/build.js'
import { startGithub } from './support/providers/github.js'
import { sharedDatabase, withBadProviders, withProvider } from './support/social-app.js'
import { createBrowser, fragmentOf } from './support/social-browser.js'

const place = { urls: { socialLogin: '/welcome' } }
const cookies = { tokens: { cookies: {} } }

/** Where a login ended: the error code or path of the redirect to the app, or the status of the plugin's page. */
function endOf ({ statusCode, headers }: LightMyRequestResponse): string | number {
  if (statusCode !== 303) return statusCode
  const { pathname, searchParams } = new URL(String(headers.location))
  return searchParams.get('error') ?? pathname
}

type App = Awaited<ReturnType<typeof withBadProviders>>

/** Logs in with a new browser; `change` may edit the provider's redirect to the callback. */
async function visit (
  app: App,
  change: (redirect: URL) => void = () => {},
  rest: { fault?: boolean, deny?: boolean } = {}
) {
  const { deny = false, ...options } = rest
  const browser = createBrowser(app)
  const redirect = new URL(await app.bad.authorize(await browser.start('company'), 'alice', { deny }))
  change(redirect)
  return await browser.comeBack(redirect.href, options)
}

// Login CSRF
void t.test('a callback with a missing or unknown state is refused before the code exchange', async t => {
  const { browser, exchanges } = await withBadProviders(t, sqliteBuild)
  await browser.start('company')
  const [cookie = ''] = [...browser.cookies.keys()]
  for (const state of [
    '',
    '&state=',
    `&state=${'A'.repeat(43)}`,
    `&state=${cookie.replace('social-', '')}`,
    '&state[]=a',
    '&State=a',
    '&__proto__=a'
  ]) {
    const answer = await browser.open('GET', `/company/callback?code=code-alice${state}`)
    t.equal(answer.statusCode, 400, state)
    t.match(answer.body, '>state_invalid</p>')
    t.same(answer.cookies, [])
  }
  t.equal(exchanges(), 0)
})

// Login CSRF: the victim's browser is sent to the attacker's callback.
story('another browser can neither complete a login nor invalidate it', async (t, build) => {
  const app = await withBadProviders(t, build, { options: cookies })
  const { bad, browser, exchanges } = app
  const redirect = await bad.authorize(await browser.start('company'), 'alice')
  const another = createBrowser(app)
  for (let tries = 0; tries < 2; tries++) {
    t.equal((await another.comeBack(redirect)).statusCode, 400)
    // A login of its own does not help the other browser.
    await another.start('company')
  }
  another.cookies.set([...browser.cookies.keys()][0] ?? '', 'A'.repeat(43))
  t.equal((await another.comeBack(redirect)).statusCode, 400, 'the name of the cookie is not enough')
  t.equal(another.cookies.has('__Host-access'), false)
  t.equal(exchanges(), 0)
  t.equal((await browser.comeBack(redirect)).statusCode, 200)
  t.equal(browser.cookies.has('__Host-access'), true)
})

// Replayed callback
story('a state can be used once, whether the login succeeded or failed', async (t, build) => {
  const { bad, browser, exchanges } = await withBadProviders(t, build)
  for (const [first, status, asked] of [
    ['', 200, 1],
    ['&error=access_denied', 400, 1],
    ['&code=twice', 400, 1]
  ] as const) {
    const redirect = await bad.authorize(await browser.start('company'), 'alice')
    const kept = new Map(browser.cookies)
    t.equal((await browser.comeBack(`${redirect}${first}`)).statusCode, status)
    for (const [name, value] of kept) browser.cookies.set(name, value)
    t.equal((await browser.comeBack(redirect)).statusCode, 400)
    t.equal(exchanges(), asked, first)
  }
})

story('a login must be completed within ten minutes', async (t, build) => {
  const { bad, browser, clock, exchanges } = await withBadProviders(t, build)
  const [late, inTime] = [await browser.start('company'), await browser.start('company')]
  clock.advance(599)
  t.equal((await browser.comeBack(await bad.authorize(inTime, 'alice'))).statusCode, 200)
  clock.advance(1)
  t.equal((await browser.comeBack(await bad.authorize(late, 'alice'))).statusCode, 400)
  t.equal(exchanges(), 1)
})

// Mix-up attack
story('a login with one provider cannot be completed at the callback of another', async (t, build) => {
  const { bad, browser, exchanges } = await withBadProviders(t, build)
  const redirect = await bad.authorize(await browser.start('company'), 'alice')
  t.equal((await browser.comeBack(redirect.replace('/company/', '/other/'))).statusCode, 400)
  t.equal(exchanges(), 0)
  t.equal((await browser.comeBack(redirect)).statusCode, 200)
})

// Mix-up attack
story('two instances on one database cannot complete logins of each other', async (t, build, { dialect }) => {
  const shared = sharedDatabase(t, dialect)
  const one = await withBadProviders(t, build, shared.given)
  const options = {
    ...articleOptions,
    prefix: '/auth-too',
    social: { company: { issuer: one.bad.issuer, clientId: one.bad.clientId, clientSecret: 'any', trustEmail: true } }
  }
  const two = await build(t, { options, database: shared.given.database ?? one.database })
  const redirect = await one.bad.authorize(await one.browser.start('company'), 'alice')
  const there = createBrowser(two)
  for (const [name, value] of one.browser.cookies) there.cookies.set(name, value)
  t.equal((await there.comeBack(redirect.replace('/auth/', '/auth-too/'))).statusCode, 400)
  t.equal(one.exchanges(), 0)
  t.equal((await one.browser.comeBack(redirect)).statusCode, 200)
})

// Code injection: PKCE and nonce bind the code to one login.
void t.test('each login has a fresh state, nonce and PKCE challenge, and the exchange sends the verifier', async t => {
  const app = await withBadProviders(t, sqliteBuild)
  const { bad, browser } = app
  const seen = new Set<string | null>()
  for (let starts = 1; starts <= 3; starts++) {
    const address = await browser.start('company')
    const { searchParams } = new URL(address)
    for (const name of ['state', 'nonce', 'code_challenge']) {
      const value = searchParams.get(name) ?? ''
      t.match(value, /^[\w-]{43}$/, `${name}: 256 bits`)
      seen.add(value)
    }
    t.equal(searchParams.get('code_challenge_method'), 'S256')
    t.equal(searchParams.get('response_type'), 'code')
    t.equal((await browser.comeBack(await bad.authorize(address, 'alice'))).statusCode, 200)
    const verifier = bad.calls('token').at(-1)?.form.code_verifier ?? ''
    t.match(verifier, /^[\w.~-]{43,128}$/)
    t.equal(createHash('sha256').update(verifier).digest('base64url'), searchParams.get('code_challenge'))
    t.notOk(address.includes(verifier))
    seen.add(verifier)
  }
  t.equal(seen.size, 12, 'all values differ')
})

// Code injection
story('a stolen code is refused in the login of another browser', async (t, build, { dialect }) => {
  const shared = sharedDatabase(t, dialect)
  const app = await withProvider(t, (t, options) => build(t, { ...options, ...shared.given }), { ...place, ...cookies })
  const { openid, browser } = app
  const db = await shared.open(app)
  const stolen = new URL(await openid.authorize(await createBrowser(app).start('company'), 'alice'))
  const redirect = new URL(await openid.authorize(await browser.start('company'), 'bob'))
  redirect.searchParams.set('code', stolen.searchParams.get('code') ?? '')
  const answer = await browser.comeBack(redirect.href)
  t.equal(endOf(answer), 'code_exchange_failed', 'the provider checks the PKCE verifier')
  t.equal(openid.calls('token').length, 1)
  t.equal(browser.cookies.size, 0)
  t.same(await db.orm.select().from(db.sessions), [])
})

// Mix-up attack (RFC 9207)
void t.test('a redirect whose iss is missing or wrong is refused if the provider always sends iss', async t => {
  const app = await withBadProviders(t, sqliteBuild, { options: place })
  const { bad, other, exchanges } = app
  for (const deny of [false, true]) {
    for (const iss of [
      undefined,
      '',
      other.issuer,
      `${bad.issuer}/`,
      bad.issuer.toUpperCase(),
      'https://evil.example',
      'null'
    ]) {
      bad.redirect = { iss }
      t.equal(endOf(await visit(app, () => {}, { deny })), 'state_invalid', `${iss}`)
    }
  }
  t.equal(exchanges(), 0)
  bad.redirect = {}
  t.equal(endOf(await visit(app)), '/welcome')
  t.equal(endOf(await visit(app, () => {}, { deny: true })), 'provider_denied')
})

// Mix-up attack (RFC 9207)
void t.test('a redirect without iss is accepted if the provider never promised it, a wrong iss is not', async t => {
  const fake = await startGithub(t, { redirectUris: ['http://localhost:3000/auth/github/callback'] })
  const built = await sqliteBuild(t, {
    options: {
      ...place,
      social: {
        github: {
          clientId: fake.clientId,
          clientSecret: fake.clientSecret,
          provider: { ...github, endpoints: fake.endpoints }
        }
      }
    }
  })
  const browser = createBrowser(built)
  for (const [iss, end] of [
    ['https://evil.example', 'state_invalid'],
    ['https://github.com', 'state_invalid'],
    [undefined, '/welcome'],
    ['https://github.com/login/oauth', '/welcome']
  ] as const) {
    const redirect = new URL(await fake.authorize(await browser.start('github'), 'alice'))
    redirect.searchParams.delete('iss')
    if (iss) redirect.searchParams.set('iss', iss)
    t.equal(endOf(await browser.comeBack(redirect.href)), end, String(iss))
  }
  t.equal(fake.calls('token').length, 2)
})

// Parameter pollution (RFC 6749, section 3.1)
void t.test('a repeated parameter ends the login', async t => {
  const app = await withBadProviders(t, sqliteBuild, { options: place })
  for (const name of ['code', 'iss', 'error', 'user', 'state']) {
    for (const same of [true, false]) {
      const answer = await visit(app, ({ searchParams }) => {
        const value = searchParams.get(name) ?? 'access_denied'
        searchParams.set(name, value)
        searchParams.append(name, same ? value : 'another')
      })
      t.equal(endOf(answer), name === 'state' ? 400 : 'state_invalid', name)
    }
  }
  t.equal(app.exchanges(), 0)
})

void t.test('a redirect with an error or without a code ends the login without a code exchange', async t => {
  for (const options of [place, {}]) {
    const app = await withBadProviders(t, sqliteBuild, { options })
    const hasPlace = options === place
    for (const [parameters, code, status] of [
      [{ error: 'access_denied' }, 'provider_denied', 400],
      [{ error: 'invalid_scope', error_description: '<script>alert(1)</script>' }, 'provider_error', 502],
      [{ error: '', code: 'code-alice' }, 'provider_error', 502],
      [{ error: 'user_cancelled_authorize' }, 'provider_denied', 400],
      [{ error: 'access_denied', code: 'code-alice' }, 'provider_denied', 400],
      [{ error: 'server_error' }, 'provider_unavailable', 503],
      [{ error: 'temporarily_unavailable' }, 'provider_unavailable', 503],
      [{}, 'state_invalid', 400],
      [{ code: '' }, 'state_invalid', 400]
    ] as const) {
      const answer = await visit(app, ({ searchParams }) => {
        searchParams.delete('code')
        for (const [name, value] of Object.entries(parameters)) searchParams.set(name, value)
      }, { fault: status >= 500 })
      t.equal(endOf(answer), hasPlace ? code : status, JSON.stringify(parameters))
      t.notMatch(`${answer.body}${answer.headers.location}`, /script|access_denied/)
      if (status === 503 && !hasPlace) t.equal(answer.headers['retry-after'], '5')
    }
    t.equal(app.exchanges(), 0)
  }
})

// Forged Host and X-Forwarded headers
void t.test('the redirect URI comes from the configuration, never from request headers', async t => {
  const built = await sqliteBuild(t, {
    server: { trustProxy: true },
    options: {
      publicUrl: 'https://app.example',
      social: {
        google: { clientId: 'an-id', clientSecret: 'a-secret' },
        github: { clientId: 'an-id', clientSecret: 'a-secret', callbackUrl: 'https://front.example/back' }
      }
    }
  })
  const headers = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
    forwarded: 'host=evil.example',
    'sec-fetch-site': 'none'
  }
  for (const [provider, uri] of [
    ['google', 'https://app.example/auth/google/callback'],
    ['github', 'https://front.example/back']
  ] as const) {
    const {
      headers: { location }
    } = await built.get(`/${provider}/login`, { headers })
    t.equal(new URL(String(location)).searchParams.get('redirect_uri'), uri)
    t.notMatch(location, /evil/)
  }
  const page = await built.get('/github/login', { headers: { ...headers, 'sec-fetch-site': 'cross-site' } })
  t.notMatch(page.body, /evil/)
})

// Forged Host and X-Forwarded headers
void t.test('the code exchange sends the same redirect URI as the authorization request', async t => {
  const callbackUrl = 'http://localhost:3000/auth/company/callback'
  for (const provider of [{}, { callbackUrl: 'http://127.0.0.1:3000/auth/company/callback' }]) {
    const app = await withBadProviders(t, sqliteBuild, { provider })
    const { bad, browser } = app
    const address = await browser.start('company')
    t.equal(new URL(address).searchParams.get('redirect_uri'), provider.callbackUrl ?? callbackUrl)
    await browser.comeBack(await bad.authorize(address, 'alice'), {
      headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' }
    })
    t.equal(bad.calls('token')[0]?.form.redirect_uri, provider.callbackUrl ?? callbackUrl)
  }
})

// Forged ID tokens and token responses
void t.test('a login with an invalid provider answer is refused', async t => {
  const app = await withBadProviders(t, sqliteBuild, { options: { ...place, ...cookies } })
  const { bad } = app
  for (const lie of [...idTokenLies, ...answerLies, ...userinfoLies]) {
    bad.lie = lie
    // Keys are fetched again at most once a minute.
    app.clock.advance(61)
    const answer = await visit(app)
    t.match(endOf(answer), /^(provider_error|code_exchange_failed|provider_unavailable)$/, String(lie))
    t.same(answer.cookies.filter(({ value }) => value !== ''), [], String(lie))
  }
  bad.lie = undefined
  t.equal(endOf(await visit(app)), '/welcome')
})

void t.test('a login fails in time if the provider fails, and the next try works', async t => {
  const app = await withBadProviders(
    t,
    (t, options) => sqliteBuild(t, { ...options, internals: { providerTimeoutMs: 1500 } }),
    { options: { ...place, ...cookies } }
  )
  const { bad, clock } = app
  // `slow` already covers the timeout.
  for (const fault of faults.filter(fault => fault !== 'drip')) {
    bad.faults = { token: fault }
    const answer = await visit(app)
    t.match(endOf(answer), /^provider_(error|unavailable)$/, fault)
    t.same(answer.cookies.filter(({ value }) => value !== ''), [], fault)
    t.equal(bad.calls('token').length, 1, `${fault}: a code is sent once`)
    bad.requests.length = 0
  }
  bad.faults = {}
  clock.advance(61)
  t.equal(endOf(await visit(app)), '/welcome')
})

story('logins in several tabs can be completed in any order', async (t, build) => {
  const { bad, browser } = await withBadProviders(t, build, { options: place })
  const [first, second] = [
    await browser.start('company', '?next=/first'),
    await browser.start('other', '?next=/second')
  ]
  const [third, fourth] = [await browser.start('company', '?next=/third'), await browser.start('company')]
  for (const [address, end] of [
    [third, '/third'],
    [first, '/first'],
    [fourth, '/welcome'],
    [second, '/second']
  ] as const) {
    t.equal(endOf(await browser.comeBack(await bad.authorize(address, 'alice'))), end)
  }
})

// Race: the same callback in parallel
story('sixteen parallel requests to one callback create one session', async (t, build, { dialect }) => {
  const shared = sharedDatabase(t, dialect)
  const app = await withBadProviders(t, build, shared.given)
  const { bad, browser, exchanges } = app
  const redirect = await bad.authorize(await browser.start('company'), 'alice')
  const answers = await Promise.all(Array.from({ length: 16 }, async () => await browser.comeBack(redirect)))
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [200, ...Array(15).fill(400)])
  t.equal(exchanges(), 1)
  const db = await shared.open(app)
  t.equal((await db.orm.select().from(db.sessions)).length, 1)
  t.equal((await db.orm.select().from(db.users)).length, 1)
})

// Leaks by Referer or cache, clickjacking, and 307 redirects that repeat a POST
void t.test('a callback answers with a 303 or an unframeable page, and leaks no code by Referer or cache', async t => {
  for (const options of [{}, place, cookies, { ...place, ...cookies }]) {
    const app = await withBadProviders(t, sqliteBuild, { options })
    for (const deny of [false, true]) {
      const { statusCode, headers } = await visit(app, () => {}, { deny })
      t.ok([200, 303, 400].includes(statusCode))
      t.match(headers, {
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'content-security-policy': /frame-ancestors 'none'/
      })
      t.notMatch(headers.location, /code-alice|state=|iss=/)
    }
  }
})

story('the log contains no code, state, nonce, verifier, token or secret', async (t, build) => {
  const secrets = new Set<string>(['the-client-secret-of-the-app', 'at-alice'])
  const app = await withBadProviders(t, build, { options: place })
  const { bad, other, browser, logs, call } = app
  const note = (address: string) => {
    for (const [name, value] of new URL(address).searchParams) {
      if (['state', 'code', 'nonce'].includes(name)) secrets.add(value)
    }
  }
  const goAndComeBack = async (spoil: (redirect: string) => string = redirect => redirect) => {
    const address = await browser.start('company')
    note(address)
    const redirect = await bad.authorize(address, 'alice')
    note(redirect)
    for (const value of browser.cookies.values()) secrets.add(value)
    // Other methods must not log them either.
    const { pathname, search } = new URL(redirect)
    for (const method of ['HEAD', 'OPTIONS', 'PUT', 'POST'] as const) await call(method, `${pathname}${search}`)
    return await browser.comeBack(spoil(redirect))
  }
  const { login_code: code = '' } = fragmentOf(await goAndComeBack())
  secrets.add(code)
  await browser.open('POST', '/other', { body: { login_code: code } })
  await browser.open('POST', '/company', { body: { login_code: code } })
  await browser.open('POST', '/company', { body: { login_code: code } })
  for (const spoil of [
    (redirect: string) => redirect.replace('company', 'other'),
    (redirect: string) => `${redirect}&code=twice`,
    (redirect: string) => redirect.replace('code-alice', 'code-mallory')
  ]) { await goAndComeBack(spoil) }
  bad.lie = 'signed by another key'
  await goAndComeBack()
  bad.faults = { token: 'html' }
  await goAndComeBack()
  for (const { form } of [...bad.calls('token'), ...other.calls('token')]) secrets.add(form.code_verifier ?? '')
  const text = logs.join('')
  t.ok(secrets.size > 25, `${secrets.size} secrets`)
  for (const secret of secrets) t.notOk(text.includes(secret), secret)
  t.match(text, '/auth/company/callback', 'requests are logged by their route')
})

// Attack: finding out that an account exists but is deactivated.
story('a login of a deactivated user gets the error of a wrong password, and no cookie', async (t, build) => {
  for (const [options, end] of [[{ ...cookies, ...place }, 'invalid_credentials'], [{}, 400]] as const) {
    const app = await withBadProviders(t, build, { options })
    t.not(endOf(await visit(app)), end)
    const { app: { restAuth: { users } } } = app
    await users.deactivate((await users.find({ email: 'alice@example.com' }))?.pk ?? '')
    const answer = await visit(app)
    t.equal(endOf(answer), end)
    t.same(answer.cookies.filter(({ value }) => value !== ''), [])
    t.notMatch(answer.body, /deactivated|inactive|"access"/)
  }
})

// Open redirect by tampering with what the browser carries
void t.test('the next address is stored on the server: not in the state, the cookies or the URLs', async t => {
  const { bad, browser } = await withBadProviders(t, sqliteBuild)
  const address = await browser.start('company', '?next=/a-secret-place')
  const redirect = new URL(await bad.authorize(address, 'alice'))
  for (const text of [address, redirect.href, [...browser.cookies].join()]) {
    t.notMatch(text, 'a-secret-place')
    t.notMatch(Buffer.from(text, 'base64').toString(), 'a-secret-place')
  }
  redirect.searchParams.set('next', 'https://evil.example')
  redirect.searchParams.set('redirect_uri', 'https://evil.example')
  t.equal(endOf(await browser.comeBack(redirect.href)), '/a-secret-place')
})

// Session fixation
story('cookies planted before a login are not used by it', async (t, build) => {
  const app = await withBadProviders(t, build, { options: cookies })
  const { bad, browser } = app
  // The cookies of the attacker's own logins.
  const attacker = createBrowser(app)
  await attacker.comeBack(await bad.authorize(await attacker.start('company'), 'bob'))
  await attacker.start('company')
  for (const [name, value] of attacker.cookies) browser.cookies.set(name, value)
  const planted = new Map(browser.cookies)
  const address = await browser.start('company')
  const own = [...browser.cookies.keys()].filter(name => !planted.has(name))
  t.equal(own.length, 1, 'another name')
  t.notOk([...planted.values()].includes(browser.cookies.get(own[0] ?? '') ?? ''))
  t.equal((await browser.comeBack(await bad.authorize(address, 'alice'))).statusCode, 200)
  for (const name of ['__Host-access', '__Host-refresh']) t.not(browser.cookies.get(name), planted.get(name))
  const { access = '' } = { access: browser.cookies.get('__Host-access') }
  t.equal((await app.get('/user', { token: access })).json().email, 'alice@example.com')
})

// Cookie tossing from a sibling subdomain
void t.test('two cookies of the same name are both refused, because one may be planted', async t => {
  const { bad, browser, call, exchanges } = await withBadProviders(t, sqliteBuild)
  const { pathname, search } = new URL(await bad.authorize(await browser.start('company'), 'alice'))
  const [[name, value] = []] = [...browser.cookies]
  const answer = await call('GET', `${pathname}${search}`, {
    headers: { cookie: `${name}=${value}; ${name}=${'A'.repeat(43)}` }
  })
  t.equal(answer.statusCode, 400)
  t.equal(exchanges(), 0)
})
