/** Login by redirect: what the browser receives, where the login ends, and which errors it shows. */
import { Type } from '@sinclair/typebox'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { LightMyRequestResponse } from 'fastify'
import { Rejection, type Tx } from '../src/index.js'
import { apple } from '../src/providers/apple.js'
import { github } from '../src/providers/github.js'
import { articleOptions, sqliteBuild, story, t, type Build, type Test } from './support/build.js'
import { startOpenidProvider } from './support/openid-provider.js'
import { startApple } from './support/providers/apple.js'
import type { PostedRedirect } from './support/providers/browser.js'
import { startGithub } from './support/providers/github.js'
import { sharedDatabase, withBadProviders, withProvider } from './support/social-app.js'
import { createBrowser, fragmentOf } from './support/social-browser.js'

const place = { urls: { socialLogin: '/welcome' } }
const cookies = { tokens: { cookies: {} } }
const setCookies = (answer: LightMyRequestResponse) =>
  [answer.headers['set-cookie'] ?? []].flat().map(line => line.replace(/=[^;]*/, '=…'))

story('a browser goes to the provider and comes back logged in', async (t, build) => {
  const { openid, browser, get } = await withProvider(t, build)
  const redirect = await openid.authorize(await browser.start('company'), 'alice')
  const answer = await browser.comeBack(redirect)
  t.equal(answer.statusCode, 200)
  const { access, user } = answer.json()
  t.match(user, { email: 'alice@example.com', gender: null, missing_fields: ['gender', 'phone_number'] })
  t.equal((await get('/user', { token: access })).json().pk, user.pk)
})

story('with urls.socialLogin, the page of the app fetches the tokens with a login code', async (t, build) => {
  const { openid, browser } = await withProvider(t, build, { urls: { socialLogin: '/welcome' } })
  const answer = await browser.comeBack(await openid.authorize(await browser.start('company'), 'alice'))
  t.equal(answer.statusCode, 303)
  t.match(answer.headers.location, /^http:\/\/localhost:3000\/welcome#provider=company&login_code=[\w-]{43}$/)
  const fetched = await browser.open('POST', '/company', { body: { login_code: fragmentOf(answer).login_code } })
  t.equal(fetched.statusCode, 200)
  t.equal(fetched.json().user.email, 'alice@example.com')
})

story('with cookies, the callback sets the tokens as cookies', async (t, build) => {
  const { openid, browser } = await withProvider(t, build, {
    tokens: { cookies: {} },
    urls: { socialLogin: '/welcome' }
  })
  const answer = await browser.comeBack(
    await openid.authorize(await browser.start('company', '?next=%2Fbasket'), 'alice')
  )
  t.equal(answer.headers.location, 'http://localhost:3000/basket')
  t.same([...browser.cookies.keys()].sort(), ['__Host-access', '__Host-refresh'])
})

void t.test('with cookies, no URL or page contains a token; without urls.socialLogin a page is shown', async t => {
  const { bad, browser } = await withBadProviders(t, sqliteBuild, { options: cookies })
  for (const [query, statusCode] of [['', 200], ['?next=/basket', 303]] as const) {
    const answer = await browser.comeBack(await bad.authorize(await browser.start('company', query), 'alice'))
    t.equal(answer.statusCode, statusCode)
    t.equal(answer.headers.location, query === '' ? undefined : 'http://localhost:3000/basket')
    t.same(setCookies(answer).slice(1), [
      '__Host-access=…; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Strict',
      '__Host-refresh=…; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Strict'
    ])
    for (const { value } of answer.cookies) {
      t.notOk(value !== '' && `${answer.body}${answer.headers.location}`.includes(value))
    }
    if (query === '') t.match(answer.body, 'You are logged in')
  }
})

void t.test('the cookie of a pending login is host-only, lasts ten minutes and is removed at the end', async t => {
  for (const [publicUrl, name, secure] of [
    ['http://localhost:3000', /^social-[\w-]{12}$/, ''],
    ['https://app.example', /^__Host-social-[\w-]{12}$/, ' Secure;']
  ] as const) {
    const { bad, browser } = await withBadProviders(t, sqliteBuild, { options: { publicUrl, ...place } })
    const started = await browser.open('GET', '/company/login')
    const [cookie, ...others] = started.cookies
    t.equal(others.length, 0)
    t.match(cookie?.name, name)
    t.match(cookie?.value, /^[\w-]{43}$/)
    t.same(setCookies(started), [`${cookie?.name}=…; Max-Age=600; Path=/; HttpOnly;${secure} SameSite=Lax`])
    const ended = await browser.comeBack(await bad.authorize(String(started.headers.location), 'alice'))
    const [login] = [...browser.cookies.keys()]
    t.same(setCookies(ended), [
      `${cookie?.name}=…; Max-Age=0; Path=/; HttpOnly;${secure} SameSite=Lax`,
      `${login}=…; Max-Age=60; Path=/; HttpOnly;${secure} SameSite=Lax`
    ])
    t.match(login, name)
    const fetched = await browser.open('POST', '/company', { body: { login_code: fragmentOf(ended).login_code } })
    t.same(setCookies(fetched), [`${login}=…; Max-Age=0; Path=/; HttpOnly;${secure} SameSite=Lax`])
  }
})

story('a cross-site request starts no login but shows a button to confirm', async (t, build, { dialect }) => {
  const shared = sharedDatabase(t, dialect)
  const app = await withBadProviders(t, build, shared.given)
  const db = await shared.open(app)
  for (const method of ['GET', 'POST'] as const) {
    for (const site of ['cross-site', 'same-site', 'garbage', 'same-origin, cross-site']) {
      const page = await app.call(method, '/company/login?next=/basket', { headers: { 'sec-fetch-site': site } })
      t.equal(page.statusCode, 200)
      t.match(page.body, '<a class="button" href="/auth/company/login?next=%2Fbasket">Continue with company</a>')
      t.same(page.cookies, [])
    }
    t.same(await db.orm.select().from(db.socialTransactions), [], 'no login is pending')
  }
  for (const site of ['none', 'same-origin']) {
    t.equal((await app.get('/company/login', { headers: { 'sec-fetch-site': site } })).statusCode, 303)
  }
  t.equal((await db.orm.select().from(db.socialTransactions)).length, 2)
})

void t.test('a form starts a login only from an allowed origin', async t => {
  const options = {
    tokens: { cookies: {}, csrf: { origins: ['https://front.example'] } },
    urls: { next: ['https://App.Example:443', 'http://localhost:5173'] }
  }
  const { call } = await withBadProviders(t, sqliteBuild, { options })
  for (const site of ['cross-site', 'same-site', undefined]) {
    for (const [origin, status] of [
      ['https://front.example', 303],
      ['https://app.example', 303],
      ['http://localhost:5173', 303],
      ['https://evil.example', 200],
      ['null', 200],
      ['https://app.example.evil.example', 200],
      ['https://front.example:8443', 200],
      ['http://app.example', 200],
      ['https://app.example/', 200]
    ] as const) {
      const answer = await call('POST', '/company/login', {
        form: {},
        headers: { origin, ...(site && { 'sec-fetch-site': site }) }
      })
      t.equal(answer.statusCode, status, `${origin} ${site}`)
      t.equal(answer.cookies.length, status === 303 ? 1 : 0)
    }
  }
})

void t.test('without Sec-Fetch-Site, Origin is checked, else Referer', async t => {
  const { call } = await withBadProviders(t, sqliteBuild)
  const own = 'http://localhost:3000'
  for (const [headers, status] of [
    [{}, 200],
    [{ origin: own }, 303],
    [{ referer: `${own}/auth/company/login?next=/` }, 303],
    [{ origin: own, referer: 'https://evil.example/' }, 303],
    [{ referer: 'https://evil.example/' }, 200],
    [{ referer: `https://evil.example/${own}` }, 200],
    [{ referer: `${own}.evil.example/` }, 200],
    [{ referer: `${own}@evil.example/` }, 200],
    [{ referer: 'garbage' }, 200],
    [{ referer: '' }, 200],
    [{ origin: 'null', referer: `${own}/` }, 200],
    [{ origin: 'https://evil.example', referer: `${own}/` }, 200],
    [{ origin: '', referer: `${own}/` }, 200]
  ] as const) {
    for (const method of ['GET', 'POST'] as const) {
      const answer = await call(method, '/company/login', { headers })
      t.equal(answer.statusCode, status, JSON.stringify(headers))
      // So that the click is known to be ours.
      if (status === 200) t.equal(answer.headers['referrer-policy'], 'same-origin')
    }
  }
})

story('HEAD and OPTIONS neither start nor complete a login', async (t, build, { dialect }) => {
  const shared = sharedDatabase(t, dialect)
  const app = await withBadProviders(t, build, shared.given)
  const { bad, browser, call, exchanges } = app
  const db = await shared.open(app)
  const redirect = await bad.authorize(await browser.start('company'), 'alice')
  const { pathname, search } = new URL(redirect)
  const headers = { cookie: [...browser.cookies].map(pair => pair.join('=')).join('; '), 'sec-fetch-site': 'none' }
  for (const [method, status] of [['HEAD', 405], ['OPTIONS', 204]] as const) {
    for (const path of ['/company/login', '/company/login/', `${pathname}${search}`, `${pathname}/${search}`]) {
      const answer = await call(method, path, { headers })
      t.equal(answer.statusCode, status, path)
      t.match(answer.headers.allow, /^GET, (POST, )?OPTIONS$/)
      t.same(answer.cookies, [])
    }
  }
  t.equal((await db.orm.select().from(db.socialTransactions)).length, 1)
  t.equal(exchanges(), 0)
  t.equal((await browser.comeBack(redirect)).statusCode, 200)
})

void t.test('a start page escapes the next address, and shows nothing of a refused one', async t => {
  const { call } = await withBadProviders(t, sqliteBuild, {
    options: { site: { name: '<i>Site</i>' } },
    provider: { label: '<b>"Company"</b>' }
  })
  for (const next of [
    '/"><script>alert(1)</script>', "/' onmouseover='alert(1)", '"><script>alert(1)</script>',
    'javascript:alert(1)', '/&lt;script&gt;'
  ]) {
    const { body } = await call('GET', `/company/login?next=${encodeURIComponent(next)}`, {
      headers: { 'sec-fetch-site': 'cross-site' }
    })
    t.notMatch(body, /<script|onmouseover='|javascript:|<b>|<i>/)
    t.notMatch(body, next)
  }
})

story('abandoned logins are deleted', async (t, build, { dialect }) => {
  const shared = sharedDatabase(t, dialect)
  const app = await withBadProviders(t, build, shared.given)
  const { browser, clock } = app
  const db = await shared.open(app)
  for (let starts = 0; starts < 3; starts++) await browser.start('company')
  t.equal((await db.orm.select().from(db.socialTransactions)).length, 3)
  clock.advance(600)
  await browser.start('other')
  t.equal((await db.orm.select().from(db.socialTransactions)).length, 1)
})

void t.test('a login that starts while the provider is down shows an error, and the next try works', async t => {
  const { bad, browser, clock } = await withBadProviders(t, sqliteBuild, { options: place })
  bad.faults = { discovery: 'error500' }
  // What it said before is known for an hour.
  clock.advance(3601)
  const answer = await browser.open('GET', '/company/login', { fault: true })
  t.equal(answer.statusCode, 503)
  t.equal(answer.headers['retry-after'], '5')
  t.match(
    answer.body,
    /company does not answer.*<a class="button" href="\/auth\/company\/login">Try again.*provider_unavailable/s
  )
  t.same([...browser.cookies], [])
  bad.faults = {}
  const login = await browser.comeBack(await bad.authorize(await browser.start('company'), 'alice'))
  t.match(login.headers.location, /#provider=company&login_code=/)
})

story('a rejection by a hook ends the login, for every kind of ending', async (t, build, { dialect }) => {
  for (const options of [{ ...cookies, ...place }, cookies, place, {}]) {
    let verdict: string | undefined = 'Not today'
    const shared = sharedDatabase(t, dialect)
    const app = await withBadProviders(t, build, {
      ...shared.given,
      options: {
        ...options,
        hooks: {
          loggedIn: () => {
            if (verdict) throw new Rejection(verdict)
          }
        }
      }
    })
    const { bad, browser } = app
    const answer = await browser.comeBack(await bad.authorize(await browser.start('company'), 'alice'))
    if (!('urls' in options)) {
      t.equal(answer.statusCode, 400)
      t.match(answer.body, 'Not today')
    } else if ('tokens' in options) {
      t.equal(answer.headers.location, 'http://localhost:3000/welcome?error=rejected')
    } else {
      const fetched = await browser.open('POST', '/company', { body: { login_code: fragmentOf(answer).login_code } })
      t.match(fetched.json(), { code: 'rejected', detail: 'Not today' })
    }
    t.equal(browser.cookies.size, 0)
    const db = await shared.open(app)
    t.same(await db.orm.select().from(db.sessions), [])
    verdict = undefined
    await browser.comeBack(await bad.authorize(await browser.start('company'), 'alice'))
    t.equal(browser.cookies.size, 'tokens' in options ? 2 : 'urls' in options ? 1 : 0)
  }
})

void t.test('the error is added to the query of an address that has a query or a fragment', async t => {
  const { bad, browser } = await withBadProviders(t, sqliteBuild, {
    options: { urls: { next: ['https://app.example'] } }
  })
  const ends: Array<[next: string, end: RegExp, failed: string]> = [
    [
      '/a?b=c#d',
      /^http:\/\/localhost:3000\/a\?b=c#d&provider=company&login_code=[\w-]{43}$/,
      'http://localhost:3000/a?b=c&error=provider_denied#d'
    ],
    [
      'https://app.example',
      /^https:\/\/app.example\/#provider=company&login_code=[\w-]{43}$/,
      'https://app.example/?error=provider_denied'
    ]
  ]
  for (const [next, end, failed] of ends) {
    const start = async () => await browser.start('company', `?next=${encodeURIComponent(next)}`)
    t.match((await browser.comeBack(await bad.authorize(await start(), 'alice'))).headers.location, end)
    t.equal(
      (await browser.comeBack(await bad.authorize(await start(), 'alice', { deny: true }))).headers.location,
      failed
    )
  }
})

/** A browser that is back, with the code of its login. */
async function withLogin (t: Test, build: Build, shared: { database?: unknown } = {}) {
  const app = await withBadProviders(t, build, { options: place, ...shared })
  const logIn = async () => {
    const answer = await app.browser.comeBack(await app.bad.authorize(await app.browser.start('company'), 'alice'))
    return fragmentOf(answer).login_code ?? ''
  }
  const fetch = async (code: string, browser = app.browser, provider = 'company') =>
    (await browser.open('POST', `/${provider}`, { body: { login_code: code } })).json()
  return { ...app, logIn, fetch }
}

story('a login code can be used once, even by parallel requests', async (t, build, { dialect }) => {
  const shared = sharedDatabase(t, dialect)
  const app = await withLogin(t, build, shared.given)
  const db = await shared.open(app)
  const code = await app.logIn()
  t.same(await db.orm.select().from(db.sessions), [], 'none before it is fetched')
  const answers = await Promise.all(Array.from({ length: 16 }, async () => await app.fetch(code)))
  t.same(answers.map(({ code = 'fetched' }) => code).sort(), ['fetched', ...Array(15).fill('state_invalid')])
  t.equal((await db.orm.select().from(db.sessions)).length, 1)
  t.equal((await app.fetch(code)).code, 'state_invalid')
})

story('ending the sessions of a user invalidates a pending login code', async (t, build) => {
  const { logIn, fetch, app } = await withLogin(t, build)
  const { user } = await fetch(await logIn())
  const waiting = await logIn()
  await app.restAuth.sessions.endAll(user.pk)
  t.equal((await fetch(waiting)).code, 'state_invalid')
})

story('a login code is bound to its browser and provider, and lasts a minute', async (t, build) => {
  const { browser, logIn, fetch, clock, call } = await withLogin(t, build)
  const code = await logIn()
  const another = createBrowser({ call })
  t.equal((await fetch(code, another)).code, 'state_invalid', 'without a cookie')
  await another.start('company')
  another.cookies.set([...browser.cookies.keys()][0] ?? '', 'A'.repeat(43))
  t.equal((await fetch(code, another)).code, 'state_invalid', 'with another browser')
  t.equal((await fetch(code, browser, 'other')).code, 'state_invalid', 'at another provider')
  for (const wrong of ['A'.repeat(43), code.toLowerCase(), `${code}A`]) {
    t.equal((await fetch(wrong)).code, 'state_invalid')
  }
  clock.advance(59)
  t.equal((await fetch(code)).user.email, 'alice@example.com', 'none of that has spoilt it')
  const late = await logIn()
  clock.advance(60)
  t.equal((await fetch(late)).code, 'state_invalid')
})

story('a login code is invalid once the user is deactivated, disconnected or deleted', async (t, build) => {
  const { app: { restAuth: { users, socialAccounts, sessions } }, logIn, fetch } = await withLogin(t, build)
  const { user: { pk } } = await fetch(await logIn())
  await sessions.endAll(pk)
  const fetchAfter = async (meanwhile: () => Promise<unknown>) => {
    const code = await logIn()
    await meanwhile()
    t.equal((await fetch(code)).code, 'state_invalid')
    t.same(await sessions.list(pk), [])
  }
  await fetchAfter(async () => await users.deactivate(pk))
  await users.activate(pk)
  await fetchAfter(async () => {
    for (const { id } of await socialAccounts.list(pk)) await socialAccounts.disconnect(id)
  })
  await fetchAfter(async () => await users.delete(pk))
})

story('two providers work side by side, each with its own configuration', async (t, build) => {
  const fake = await startGithub(t, { redirectUris: ['http://localhost:3000/auth/github/callback'] })
  const openid = await startOpenidProvider(t, { redirectUris: ['http://localhost:3000/auth/company/callback'] })
  const built = await build(t, {
    options: {
      ...articleOptions,
      social: {
        company: {
          issuer: openid.issuer,
          clientId: openid.clientId,
          clientSecret: openid.clientSecret,
          trustEmail: true
        },
        github: {
          clientId: fake.clientId,
          clientSecret: fake.clientSecret,
          provider: { ...github, endpoints: fake.endpoints },
          trustEmail: true
        }
      }
    }
  })
  fake.clock = openid.clock = built.clock
  const browser = createBrowser(built)
  const [there, elsewhere] = [await browser.start('github'), await browser.start('company')]
  const [first, second] = [
    await browser.comeBack(await openid.authorize(elsewhere, 'alice')),
    await browser.comeBack(await fake.authorize(there, 'alice'))
  ]
  t.equal(first.statusCode, 200)
  t.equal(second.json().user.pk, first.json().user.pk, 'both have proven the address')
  t.equal(openid.calls('token').length, 1)
  t.equal(fake.calls('token').length, 1)
})

story('a callback by POST redirects to GET, to which the browser sends its cookie', async (t, build) => {
  const fake = await startApple(t, { redirectUris: ['http://localhost:3000/auth/apple/callback'] })
  const built = await build(t, {
    options: {
      ...articleOptions,
      ...place,
      ...cookies,
      userFields: { first_name: { schema: Type.String(), registration: 'optional' } },
      social: {
        apple: {
          clientId: fake.clientId,
          clientSecret: fake.clientSecret,
          provider: { ...apple, endpoints: fake.endpoints }
        }
      }
    }
  })
  fake.clock = built.clock
  const browser = createBrowser(built)
  // From another site, so without its cookies.
  const bringBack = async ({ url, form }: PostedRedirect, headers = {}) =>
    await built.call('POST', new URL(url).pathname, {
      form,
      headers: { origin: 'https://appleid.apple.com', 'sec-fetch-site': 'cross-site', ...headers }
    })

  const posted = await bringBack(await fake.authorize(await browser.start('apple'), 'alice'))
  t.equal(posted.statusCode, 303)
  t.match(posted.headers.location, /^http:\/\/localhost:3000\/auth\/apple\/callback\?/)
  t.same(posted.cookies, [])
  t.equal(fake.calls('token').length, 0, 'nothing is spent')
  const answer = await browser.comeBack(String(posted.headers.location))
  t.equal(answer.headers.location, 'http://localhost:3000/welcome')
  t.equal((await built.get('/user', { token: browser.cookies.get('__Host-access') })).json().first_name, 'Alice')

  const refused = await bringBack(await fake.authorize(await browser.start('apple'), 'alice', { deny: true }))
  t.equal(
    (await browser.comeBack(String(refused.headers.location))).headers.location,
    'http://localhost:3000/welcome?error=provider_denied'
  )

  const { url, form } = await fake.authorize(await browser.start('apple'), 'alice')
  const stuffed = await bringBack(
    { url, form: { ...form, next: 'https://evil.example', redirect_uri: 'https://evil.example' } },
    { host: 'evil.example' }
  )
  t.match(stuffed.headers.location, /^http:\/\/localhost:3000\/auth\/apple\/callback\?/)
  t.notMatch(stuffed.headers.location, 'evil')
  const twice = await built.call('POST', '/apple/callback', {
    payload: `${new URLSearchParams(form)}&code=another`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' }
  })
  t.equal(
    (await browser.comeBack(String(twice.headers.location))).headers.location,
    'http://localhost:3000/welcome?error=state_invalid'
  )
  for (const body of [undefined, { state: 'a' }, []]) {
    t.equal(
      (await built.call('POST', '/apple/callback', { ...(body !== undefined && { body }) })).headers.location,
      'http://localhost:3000/auth/apple/callback?'
    )
  }
})

void t.test('only a provider that uses form_post may POST to the callback', async t => {
  const { post } = await withBadProviders(t, sqliteBuild)
  const answer = await post('/company/callback', {})
  t.equal(answer.statusCode, 405)
  t.equal(answer.headers.allow, 'GET, OPTIONS')
})

void t.test('with Django REST framework errors, pages stay pages, and refused posts use that format', async t => {
  const { bad, browser, post } = await withBadProviders(t, sqliteBuild, { options: { ...place, errors: 'drf' } })
  const denied = await browser.comeBack(await bad.authorize(await browser.start('company'), 'alice', { deny: true }))
  t.equal(denied.headers.location, 'http://localhost:3000/welcome?error=provider_denied')
  t.match((await browser.open('GET', '/company/callback')).headers['content-type'], 'text/html')
  t.same((await post('/company', { login_code: 'A'.repeat(43) })).json(), {
    non_field_errors: ['The login was not started in this browser, took too long, or has ended already.']
  })
  t.same((await post('/company', {})).json(), {
    non_field_errors: ['Incorrect input. access_token or code is required.']
  })
  t.match((await post('/company', { login_code: 7 })).json(), { login_code: [String] })
  t.same((await post('/company/callback', {})).json(), { detail: 'Method "POST" not allowed.' })
})

void t.test('a failed database query is logged without its values', async t => {
  const nowhere = sqliteTable('nowhere', { name: text('name') })
  const registering = async (_input: object, tx: Tx) => {
    await tx.insert(nowhere).values({ name: 'a-value-of-a-query' })
  }
  for (const options of [place, {}]) {
    const { bad, browser, logs } = await withBadProviders(t, sqliteBuild, {
      options: { ...options, hooks: { registering } }
    })
    const answer = await browser.comeBack(await bad.authorize(await browser.start('company'), 'alice'), { fault: true })
    t.equal(
      answer.headers.location ?? answer.statusCode,
      options === place ? 'http://localhost:3000/welcome?error=internal_error' : 500
    )
    t.match(logs.join(''), 'database query failed')
    t.notMatch(`${logs.join('')}${answer.body}`, 'a-value-of-a-query')
  }
})

void t.test('a database failure shows an error page', async t => {
  const shared = sharedDatabase(t, 'sqlite')
  const app = await withBadProviders(t, sqliteBuild, { ...shared.given, options: place })
  const { bad, browser } = app
  const redirect = await bad.authorize(await browser.start('company'), 'alice')
  const db = await shared.open(app)
  await db.execute(db, 'DROP TABLE social_transactions')
  for (const answer of [
    await browser.comeBack(redirect, { fault: true }),
    await browser.open('GET', '/company/login', { fault: true })
  ]) {
    t.equal(answer.statusCode, 500)
    t.match(answer.headers['content-type'], 'text/html')
    t.match(answer.body, 'Try again')
  }
})

void t.test('the buttons of the pages link to the public address of the app', async t => {
  const { browser } = await withBadProviders(t, sqliteBuild, { options: { publicUrl: 'http://localhost:3000/base/' } })
  const page = await browser.open('GET', '/company/login?next=/a', { headers: { 'sec-fetch-site': 'cross-site' } })
  t.match(page.body, 'href="/base/auth/company/login?next=%2Fa"')
  t.match((await browser.open('GET', '/company/callback')).body, 'href="/base/auth/company/login"')
  t.equal(
    new URL(await browser.start('company')).searchParams.get('redirect_uri'),
    'http://localhost:3000/base/auth/company/callback'
  )
})

void t.test('the OpenAPI document describes the pages and the errors of both routes', async t => {
  const { app } = await withBadProviders(t, sqliteBuild)
  const { paths } = app.restAuth.openapi() as {
    paths: Record<string, { get: { responses: Record<string, { content?: object }> } }>
  }
  const typesOf = (path: string) =>
    Object.fromEntries(
      Object.entries(paths[path]?.get.responses ?? {})
        .filter(([status]) => status !== '303')
        .map(([status, { content = {} }]) => [status, Object.keys(content)])
    )
  const [page, problem] = ['text/html', 'application/problem+json']
  t.same(typesOf('/auth/company/login'), {
    200: [page],
    400: [page, problem],
    500: [page, problem],
    502: [page],
    503: [page, problem]
  })
  t.same(typesOf('/auth/company/callback'), {
    200: ['application/json'],
    400: [page, problem],
    403: [page],
    500: [page, problem],
    502: [page],
    503: [page, problem]
  })
})
