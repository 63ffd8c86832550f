/** Tokens in cookies: how they are set, sent and deleted, and that they appear nowhere else. */
import fastifyCookie from '@fastify/cookie'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyRequest, type LightMyRequestResponse } from 'fastify'
import fp from 'fastify-plugin'
import { addCookies, setCookie } from '../src/lib/cookies.js'
import { createPlugin } from '../src/plugin.js'
import { keyIn } from './support/answers.js'
import {
  alice, articleOptions, cheapHash, cookiesOf, password, patient, secret, sqliteBuild, story, t
} from './support/build.js'

const cookies = { tokens: { cookies: {} } }
const credentials = { email: alice.email, password }
const withCookie = (cookie: string, headers: Record<string, string> = {}) => ({
  headers: { cookie, 'x-requested-with': 'fetch', ...headers }
})
const cookieNamed = (answer: LightMyRequestResponse, name: string) =>
  answer.cookies.find(cookie => cookie.name === name)?.value ?? ''
const setCookies = (answer: LightMyRequestResponse) =>
  [answer.headers['set-cookie'] ?? []].flat().map(line => line.replace(/=[^;]*/, '=…'))

story('login and registration set both tokens as cookies and leave them out of the body', async (t, build) => {
  const { post, get } = await build(t, { options: cookies })
  const registered = await post('/registration', alice)
  const loggedIn = await post('/login', credentials)
  for (const answer of [registered, loggedIn]) {
    t.same(setCookies(answer), [
      '__Host-access=…; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Strict',
      '__Host-refresh=…; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Strict'
    ])
    t.same(Object.keys(answer.json()), ['access_expiration', 'refresh_expiration', 'user'])
    t.same((await get('/user', { headers: { cookie: cookiesOf(answer) } })).json(), answer.json().user)
  }
  t.match(loggedIn.json(), {
    access_expiration: '2026-11-23T12:05:00.000Z',
    refresh_expiration: '2026-11-30T12:00:00.000Z'
  })
  t.not(cookieNamed(registered, '__Host-refresh'), cookieNamed(loggedIn, '__Host-refresh'))
})

story('confirming an e-mail address sets the cookies if loginOnEmailConfirmation is on', async (t, build) => {
  const { post, get, mails } = await build(t, {
    options: {
      ...cookies,
      account: { ...articleOptions.account, emailVerification: 'mandatory', loginOnEmailConfirmation: true }
    }
  })
  const registered = await post('/registration', alice)
  t.same(setCookies(registered), [], 'nobody is logged in yet')
  const [mail] = await mails()
  const answer = await post(
    '/registration/verify-email', { key: keyIn(mail) }, withCookie('__Host-access=garbage; __Host-refresh=garbage')
  )
  t.equal(answer.statusCode, 200)
  t.same(Object.keys(answer.json()), ['access_expiration', 'refresh_expiration', 'user'])
  t.equal((await get('/user', { headers: { cookie: cookiesOf(answer) } })).statusCode, 200)
})

story('logout ends the session and deletes both cookies with the attributes they were set with', async (t, build) => {
  const { post, get, app } = await build(t, { options: cookies })
  const registered = await post('/registration', alice)
  const cookie = cookiesOf(registered)
  const answer = await post('/logout', undefined, withCookie(cookie))
  t.equal(answer.statusCode, 200)
  t.same(
    answer.headers['set-cookie'],
    ['__Host-access', '__Host-refresh'].map(name => `${name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict`)
  )
  t.equal((await get('/user', { headers: { cookie } })).json().code, 'token_not_valid')
  t.same(await app.restAuth.sessions.list(registered.json().user.pk), [])
})

story('a new login ends the session that the browser had', async (t, build) => {
  const { post, get, app } = await build(t, { options: cookies })
  const elsewhere = await post('/registration', alice)
  const first = await post('/login', credentials)
  const cookie = cookiesOf(first)
  t.equal((await post('/login', { ...credentials, password: 'not it at all' }, withCookie(cookie))).statusCode, 400)
  t.equal((await get('/user', { headers: { cookie } })).statusCode, 200, 'a login that fails ends nothing')
  t.equal((await post('/login', credentials, withCookie(cookie))).statusCode, 200)
  t.equal((await get('/user', { headers: { cookie } })).json().code, 'token_not_valid')
  t.equal((await app.restAuth.sessions.list(first.json().user.pk)).length, 2)
  t.equal(
    (await get('/user', { headers: { cookie: cookiesOf(elsewhere) } })).statusCode, 200,
    'the session of another browser stays'
  )
})

story('logout works with the refresh cookie alone; a refresh token in the body comes first', async (t, build) => {
  const { post, app } = await build(t, { options: cookies })
  const first = await post('/registration', alice)
  const { pk } = first.json().user
  const second = await post('/login', credentials)
  const refresh = (answer: LightMyRequestResponse) => cookieNamed(answer, '__Host-refresh')
  const sessions = async () => (await app.restAuth.sessions.list(pk)).length
  await post('/logout', { refresh: refresh(second) }, withCookie(`__Host-refresh=${refresh(first)}`))
  t.equal(await sessions(), 1)
  await post('/logout', { refresh: refresh(second) }, withCookie(`__Host-refresh=${refresh(first)}`))
  t.equal(await sessions(), 1, 'it was the session of the token in the body')
  await post('/logout', undefined, withCookie(`__Host-refresh=${refresh(first)}`))
  t.equal(await sessions(), 0)
})

story('an expired access cookie is refused even if the browser kept it', async (t, build) => {
  const { post, get, clock } = await build(t, { options: cookies })
  const cookie = cookiesOf(await post('/registration', alice))
  clock.advance(299)
  t.equal((await get('/user', { headers: { cookie } })).statusCode, 200)
  clock.advance(1)
  t.equal((await get('/user', { headers: { cookie } })).json().code, 'token_expired')
})

story('with an Authorization header all cookies are ignored', async (t, build) => {
  const { post, get, patch, app } = await build(t, { options: cookies })
  const registered = await post('/registration', alice)
  const cookie = cookiesOf(registered)
  const access = cookieNamed(registered, '__Host-access')
  for (const [authorization, code] of [
    ['Bearer garbage', 'token_not_valid'],
    ['Bearer one two', 'bad_authorization_header'],
    ['Basic YTpi', 'not_authenticated'],
    ['', 'not_authenticated']
  ] as const) {
    const answer = await get('/user', { headers: { cookie, authorization } })
    t.equal(answer.statusCode, 401, 'no silent fallback')
    t.equal(answer.json().code, code)
  }
  t.equal((await get('/user', { token: access, headers: { cookie: '__Host-access=garbage' } })).statusCode, 200)
  t.equal(
    (await patch('/user', { gender: 'M' }, { token: access, headers: { 'sec-fetch-site': 'cross-site' } })).statusCode,
    200, 'and no CSRF check is needed'
  )
  await post('/logout', undefined, { headers: { cookie, authorization: 'Bearer garbage' } })
  t.equal((await app.restAuth.sessions.list(registered.json().user.pk)).length, 1)
})

story('two cookies with one name are refused: an attacker may have planted one', async (t, build) => {
  const { post, get, patch } = await build(t, { options: cookies })
  const [mine, theirs] = await Promise.all([
    post('/registration', alice), post('/registration', { ...alice, email: 'eve@example.com' })
  ])
  const [a, b] = [mine, theirs].map(answer => cookieNamed(answer, '__Host-access'))
  for (const cookie of [
    `__Host-access=${a}; __Host-access=${b}`, `__Host-access=${b};__Host-access=${a}`,
    `__Host-access=${a}; x=1; __Host-access=${a}`, `__Host-access=; __Host-access=${a}`
  ]) {
    const answer = await get('/user', { headers: { cookie } })
    t.equal(answer.statusCode, 401)
    t.equal(answer.json().code, 'token_not_valid')
    t.equal((await patch('/user', { gender: 'M' }, { headers: { cookie } })).statusCode, 401)
  }
  t.equal(
    (await get('/user', { headers: { cookie: `theme=dark; theme=light; __Host-access=${a}` } })).statusCode, 200,
    'other cookies may come twice'
  )
})

const plain = { tokens: { cookies: { secure: false } } }
const two = 'access=a; access=b; refresh=c; refresh=d'
/** Domain and path of the cookies that an answer deletes. */
const deletedScopes = (answer: LightMyRequestResponse) =>
  answer.cookies
    .filter(({ name, value }) => name === 'access' && value === '')
    .map(({ domain = '-', path }) => `${domain} ${path}`)

story('where two of our cookies come, all but those with the present domain and path are deleted', async (t, build) => {
  for (const [cookies, host, url, deleted] of [
    [{}, 'www.app.test', '/user', [
      'www.app.test /', 'app.test /', '- /auth', 'www.app.test /auth', 'app.test /auth', '- /auth/',
      'www.app.test /auth/', 'app.test /auth/', '- /auth/user', 'www.app.test /auth/user', 'app.test /auth/user'
    ]],
    [{ domain: '.App.test', path: '/auth' }, 'app.test:8080', '/nothing?next=/x/y', [
      '- /', 'app.test /', '- /auth', '- /auth/', 'app.test /auth/', '- /auth/nothing', 'app.test /auth/nothing'
    ]],
    [{ path: '/auth/' }, 'localhost:3000', '/user', ['- /', '- /auth', '- /auth/user']],
    [{}, '127.0.0.1', '/user', ['- /auth', '- /auth/', '- /auth/user']],
    [{}, '[::1]:3000', '/user', ['- /auth', '- /auth/', '- /auth/user']],
    [{}, 'a;Domain=b.test', '/user', ['- /auth', '- /auth/', '- /auth/user']]
  ] as const) {
    const { get } = await build(t, { options: { tokens: { cookies: { secure: false, ...cookies } } } })
    const answer = await get(url, { headers: { host, cookie: two } })
    t.ok([401, 404].includes(answer.statusCode))
    t.same(deletedScopes(answer), deleted, `${JSON.stringify(cookies)} at ${host}${url}`)
    t.same(deletedScopes(await get(url, { headers: { host, cookie: 'access=a; refresh=c' } })), [])
  }
})

story('behind a proxy, cookies below the path and on the host of publicUrl are deleted too', async (t, build) => {
  const { get } = await build(t, { options: { ...plain, publicUrl: 'http://app.test/shop' } })
  const scopes = deletedScopes(await get('/user', { headers: { host: '10.0.0.1:3000', cookie: two } }))
  for (const scope of ['app.test /', '- /shop', 'app.test /shop/']) t.ok(scopes.includes(scope), scope)
  const deep = `/${'a.b/'.repeat(200)}`
  const answer = await get(deep, { headers: { host: `${'x.'.repeat(100)}test`, cookie: two } })
  t.equal(answer.statusCode, 404)
  t.ok(answer.cookies.length <= 30, 'the headers of an answer stay small')
})

story('a login deletes the cookies of another domain or path before it sets its own', async (t, build) => {
  const { post, get } = await build(t, { options: plain })
  const older = (await post('/registration', alice)).cookies.map(({ name, value }) => `${name}=${value}`)
  for (const cookie of [older.join('; '), two, older[0] ?? '']) {
    const answer = await post('/login', credentials, withCookie(cookie, { host: 'www.app.test' }))
    t.equal(answer.statusCode, 200)
    t.match(answer.cookies.slice(-2), [{ name: 'access', path: '/' }, { name: 'refresh', path: '/' }])
    t.ok(answer.cookies.slice(0, -2).length > 10)
    t.ok(answer.cookies.slice(0, -2).every(({ value, maxAge }) => value === '' && maxAge === 0))
    const kept = answer.cookies.slice(-2).map(({ name, value }) => `${name}=${value}`).join('; ')
    t.equal((await get('/user', { headers: { cookie: kept } })).statusCode, 200)
  }
  for (const cookie of ['access=garbage; refresh=garbage', 'theme=dark']) {
    const answer = await post('/login', credentials, withCookie(cookie, { host: 'www.app.test' }))
    t.equal(answer.cookies.length, 2, 'nothing to delete')
  }
})

story('a __Host- cookie has no other domain or path, so only one with Partitioned is deleted', async (t, build) => {
  const { post, get } = await build(t, { options: cookies })
  await post('/registration', alice)
  const cookie = two.replaceAll(/\b(?=access|refresh)/g, '__Host-')
  const read = await get('/user', { headers: { cookie, host: 'www.app.test' } })
  const twins = ['__Host-access', '__Host-refresh'].map(name =>
    `${name}=…; Max-Age=0; Path=/; HttpOnly; Secure; Partitioned; SameSite=Strict`)
  t.same(setCookies(read), twins)
  t.same(setCookies(await post('/login', credentials, withCookie(cookie))).filter(line => !twins.includes(line)), [
    '__Host-access=…; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Strict',
    '__Host-refresh=…; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Strict'
  ])
})

story('a logout with two cookies of a name ends the session of each', async (t, build) => {
  for (const options of [plain, cookies]) {
    const { post, app } = await build(t, { options })
    const registered = await post('/registration', alice)
    const { pk } = registered.json().user
    const [first, second] = [cookiesOf(registered), cookiesOf(await post('/login', credentials))]
    t.equal((await app.restAuth.sessions.list(pk)).length, 2)
    const answer = await post('/logout', undefined, withCookie(`${first}; ${second}`))
    t.equal(answer.statusCode, 200)
    t.same(await app.restAuth.sessions.list(pk), [])
  }
})

story('cookie names are case-sensitive', async (t, build) => {
  const { post, get } = await build(t, { options: cookies })
  const access = cookieNamed(await post('/registration', alice), '__Host-access')
  for (const name of [
    '__host-access', '__HOST-ACCESS', '__Host-Access', 'access', '__Host-access2', 'x__Host-access'
  ]) {
    t.equal((await get('/user', { headers: { cookie: `${name}=${access}` } })).json().code, 'not_authenticated', name)
    t.equal(
      (await get('/user', { headers: { cookie: `__Host-access=${access}; ${name}=garbage` } })).statusCode, 200, name
    )
  }
  t.equal((await get('/user', { headers: { cookie: '__Host-access=' } })).json().code, 'token_not_valid')
  for (const cookie of ['', ';', '=', '__Host-access', ';;=;__Host-access', '__proto__=x']) {
    t.equal((await get('/user', { headers: { cookie } })).json().code, 'not_authenticated', cookie)
  }
})

story('a token in the URL or in a body does not authenticate', async (t, build) => {
  // Fastify logs URLs, and so this test's token.
  const { post, get, call } = await build(t, { options: cookies, server: { logger: false } })
  const access = cookieNamed(await post('/registration', alice), '__Host-access')
  t.equal((await get(`/user?access=${access}&access_token=${access}&__Host-access=${access}`)).statusCode, 401)
  t.equal(
    (await call('PATCH', '/user', { body: { access, access_token: access, '__Host-access': access } })).statusCode, 401
  )
})

story('stale or malformed cookies block no public route, and a login never reuses their tokens', async (t, build) => {
  const { post, app, clock } = await build(t, { options: cookies })
  const old = await post('/registration', alice)
  clock.advance(3600)
  for (const cookie of [
    cookiesOf(old), '__Host-access=garbage; __Host-refresh=garbage',
    '__Host-access=a; __Host-access=b; __Host-refresh=a; __Host-refresh=b', '__Host-access=; __Host-refresh='
  ]) {
    const answers = [
      await post('/login', credentials, withCookie(cookie)),
      await post('/registration', { ...alice, email: `${Math.random()}@example.com` }, withCookie(cookie)),
      await post('/password/reset', { email: alice.email }, withCookie(cookie)),
      await post('/logout', undefined, withCookie(cookie))
    ]
    t.same(answers.map(({ statusCode }) => statusCode), [200, 201, 200, 200], cookie)
    // Session fixation: a login must not keep a token that was there before.
    const set = answers.slice(0, 2).flatMap(answer => answer.cookies).filter(({ value }) => value !== '')
    for (const { value } of set) t.notOk(cookie.includes(value))
  }
  t.equal(
    (await app.restAuth.sessions.list(old.json().user.pk)).length, 4,
    'its own cookies logged the first session out'
  )
  t.equal((await post('/registration/verify-email', { key: 'x' }, withCookie(cookiesOf(old)))).statusCode, 404)
  t.equal(
    (
      await post(
        '/password/reset/confirm', { uid: 'x', token: 'x', new_password1: 'Brand-new-pw-1' }, withCookie(cookiesOf(old))
      )
    ).statusCode,
    400
  )
})

story('without the `cookies` option, cookies are ignored', async (t, build) => {
  const { post, get, register, call, app } = await build(t)
  const { access, refresh, user } = await register()
  const cookie = ['access', '__Host-access', 'my-app-auth']
    .map(name => `${name}=${access}`)
    .concat(`__Host-refresh=${refresh}`)
    .join('; ')
  t.equal((await get('/user', { headers: { cookie } })).json().code, 'not_authenticated')
  const answer = await post('/logout', undefined, { headers: { cookie } })
  t.equal(answer.headers['set-cookie'], undefined)
  t.equal((await app.restAuth.sessions.list(user.pk)).length, 1)
  t.equal(
    (
      await call('POST', '/login', {
        form: credentials,
        headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
      })
    ).statusCode,
    200
  )
})

for (const [options, lines] of [
  [
    { access: 'my-app-auth', refresh: 'my-refresh-token', secure: false, sameSite: 'lax' },
    [
      'my-app-auth=…; Max-Age=300; Path=/; HttpOnly; SameSite=Lax',
      'my-refresh-token=…; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax'
    ]
  ],
  [
    { domain: 'app.example', sameSite: 'none' },
    [
      '__Secure-access=…; Max-Age=300; Domain=app.example; Path=/; HttpOnly; Secure; SameSite=None',
      '__Secure-refresh=…; Max-Age=604800; Domain=app.example; Path=/; HttpOnly; Secure; SameSite=None'
    ]
  ],
  [
    { sameSite: 'none', partitioned: true },
    [
      '__Host-access=…; Max-Age=300; Path=/; HttpOnly; Secure; Partitioned; SameSite=None',
      '__Host-refresh=…; Max-Age=604800; Path=/; HttpOnly; Secure; Partitioned; SameSite=None'
    ]
  ],
  [
    { path: '/auth', access: '__Secure-mine' },
    [
      '__Secure-mine=…; Max-Age=300; Path=/auth; HttpOnly; Secure; SameSite=Strict',
      '__Secure-refresh=…; Max-Age=604800; Path=/auth; HttpOnly; Secure; SameSite=Strict'
    ]
  ],
  [
    { secure: false },
    [
      'access=…; Max-Age=300; Path=/; HttpOnly; SameSite=Strict',
      'refresh=…; Max-Age=604800; Path=/; HttpOnly; SameSite=Strict'
    ]
  ]
] as const) {
  t.test(`cookies get the attributes of the options ${JSON.stringify(options)}`, async t => {
    const { post, get } = await sqliteBuild(t, { options: { tokens: { cookies: options } } })
    const answer = await post('/registration', alice)
    t.same(setCookies(answer), lines)
    t.equal((await get('/user', { headers: { cookie: cookiesOf(answer) } })).statusCode, 200)
    const deleted = setCookies(await post('/logout', {}, { headers: { cookie: cookiesOf(answer) } }))
    t.same(deleted, lines.map(line => line.replace(/Max-Age=\d+/, 'Max-Age=0')), 'deleted with the same attributes')
  })
}

story('only space and tab surround a cookie name: a look-alike from another host is not ours', async (t, build) => {
  const { post, get } = await build(t, { options: cookies })
  const token = (await post('/registration', alice)).cookies.find(({ name }) => name === '__Host-access')?.value
  const statusOf = async (cookie: string) => (await get('/user', { headers: { cookie } })).statusCode
  for (const space of ['\u00a0', '\ufeff', '\u2003', '\u3000', '\v', '\f', '\u0085', '\u200b', '"', '+', '%20']) {
    const header = (text: string) => Buffer.from(text).toString('latin1')
    t.equal(await statusOf(header(`${space}__Host-access=${token}`)), 401, `${JSON.stringify(space)} before`)
    t.equal(await statusOf(header(`__Host-access${space}=${token}`)), 401, `${JSON.stringify(space)} behind`)
    t.equal(await statusOf(`${header(`${space}__Host-access=planted`)}; __Host-access=${token}`), 200, 'beside ours')
  }
  for (const name of ['__host-access', '__HOST-ACCESS', 'x__Host-access', '__Host-access2', '__Host-acces']) {
    t.equal(await statusOf(`${name}=${token}`), 401, name)
  }
  const ours = [` \t__Host-access \t=\t ${token} `, `a=1;__Host-access=${token};b`, `;; __Host-access=${token}`]
  for (const header of ours) {
    t.equal(await statusOf(header), 200, JSON.stringify(header))
  }
  t.equal(await statusOf(`__Host-access=${token}; __Host-access\t=planted`), 401, 'two of one name')
})

const embedded = (partitioned: boolean) => ({ tokens: { cookies: { sameSite: 'none', partitioned } } })
const deleted = (name: string, partitioned: string) =>
  `${name}=…; Max-Age=0; Path=/; HttpOnly; Secure; ${partitioned}SameSite=None`

t.test('a partitioned cookie is deleted with its attribute, or browsers would keep it', async t => {
  const { post } = await sqliteBuild(t, { options: embedded(true) })
  const cookie = cookiesOf(await post('/registration', alice))
  t.same(setCookies(await post('/logout', {}, { headers: { cookie } })), [
    deleted('__Host-access', 'Partitioned; '), deleted('__Host-refresh', 'Partitioned; ')
  ])
})

for (const partitioned of [true, false]) {
  t.test(`cookies from before the option was changed are deleted when both are sent: now ${partitioned}`, async t => {
    const { get, post } = await sqliteBuild(t, { options: embedded(partitioned) })
    const registered = await post('/registration', alice)
    const cookie = `${cookiesOf(registered)}; __Host-access=older`
    const answer = await get('/user', { headers: { cookie } })
    t.equal(answer.statusCode, 401, 'nothing shows which is ours')
    t.same(setCookies(answer), [deleted('__Host-access', partitioned ? '' : 'Partitioned; ')])
  })
}

t.test('at a login and a logout, the cookie from before `partitioned` goes, and the new one stays', async t => {
  const { post } = await sqliteBuild(t, { options: embedded(true) })
  const cookie = cookiesOf(await post('/registration', alice))
  const twins = `${cookie}; __Host-access=older; __Host-refresh=older`
  const old = [deleted('__Host-access', ''), deleted('__Host-refresh', '')]
  const credentials = { email: alice.email, password: alice.password1 }
  for (const headers of [{ cookie }, { cookie: twins }]) {
    const answer = setCookies(await post('/login', credentials, { headers }))
    t.same(answer.slice(0, 2), old)
    t.same(answer.slice(2).map(text => /^(.*?)=….*; (Partitioned); /.exec(text)?.slice(1)), [
      ['__Host-access', 'Partitioned'], ['__Host-refresh', 'Partitioned']
    ])
  }
  t.same(setCookies(await post('/logout', {}, { headers: { cookie: twins } })), [
    ...old, deleted('__Host-access', 'Partitioned; '), deleted('__Host-refresh', 'Partitioned; ')
  ])
})

t.test('a cookie of more than 4096 bytes, which browsers drop, is an error', async t => {
  const attributes = { secure: true, sameSite: 'strict', path: '/', domain: undefined, partitioned: false } as const
  const app = Fastify(patient)
  await addCookies(app)
  app.get('/:length', async ({ params }, reply) => {
    setCookie(reply, 'name', 'x'.repeat(Number((params as { length: string }).length)), 1, attributes)
    return 'set'
  })
  const kept = await app.inject('/4092')
  t.match(kept.headers['set-cookie'], /^name=x{4092}; Max-Age=1; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  const dropped = await app.inject('/4093')
  t.equal(dropped.json().message, 'the cookie name has 4097 bytes, but browsers drop cookies of more than 4096')
  t.equal(dropped.headers['set-cookie'], undefined)
})

t.test('Vary lists the headers that a reply depends on, after those of the app', async t => {
  const { get } = await sqliteBuild(t)
  t.equal((await get('/user')).headers.vary, 'Authorization')
  const { get: getByCookie, app } = await sqliteBuild(t, {
    options: cookies,
    before: app => { app.addHook('onRequest', async (_request, reply) => { reply.header('vary', 'Accept-Language') }) },
    after: app => { app.get('/me', { onRequest: app.authenticate }, async request => request.user.email) }
  })
  t.equal((await getByCookie('/user')).headers.vary, 'Accept-Language, Authorization, Cookie, Origin, Sec-Fetch-Site')
  t.equal((await app.inject('/me')).headers.vary, 'Accept-Language', 'the app decides for its own routes')
})

t.test('the OpenAPI document has a cookie scheme beside the header scheme, and no tokens in bodies', async t => {
  const { app } = await sqliteBuild(t, { options: { tokens: { cookies: { access: 'my-app-auth' } } } })
  const document = app.restAuth.openapi() as any
  t.match(document.components.securitySchemes, {
    bearer: { type: 'http' },
    'my-app-auth': { type: 'apiKey', in: 'cookie', name: 'my-app-auth' }
  })
  t.same(document.paths['/auth/user'].get.security, [{ bearer: [] }, { 'my-app-auth': [] }])
  t.same(document.paths['/auth/logout'].post.security, [{ bearer: [] }, { 'my-app-auth': [] }, {}])
  t.same(document.paths['/auth/login'].post.security, [])
  t.same(Object.keys(document.components.schemas.AuthTokens.properties), [
    'access_expiration', 'refresh_expiration', 'user'
  ])
  const codes = (operation: any): string[] =>
    document.components.schemas[
      operation.responses[403]?.content['application/problem+json'].schema.$ref.split('/').at(-1)
    ]?.properties.code.enum ?? []
  for (const [path, operations] of Object.entries<any>(document.paths)) {
    for (const [method, operation] of Object.entries<any>(operations)) {
      t.equal(codes(operation).includes('csrf_failed'), method !== 'get', `${method} ${path}`)
    }
  }
})

for (const order of ['before', 'after'] as const) {
  story(`the app's own @fastify/cookie, registered ${order} the plugin, leaves our cookies alone`, async (t, build) => {
    const { app, post, get } = await build(t, {
      options: cookies,
      [order]: async (app: FastifyInstance) => {
        await app.register(fastifyCookie, {
          secret: 'Zr7TqK2wXe9LbVn4MuCy5PaJdGs8HfQt',
          parseOptions: {
            domain: 'other.example',
            path: '/elsewhere',
            signed: true,
            httpOnly: false,
            secure: false,
            sameSite: 'none',
            maxAge: 1,
            expires: new Date(0),
            partitioned: true,
            priority: 'high',
            encode: (value: string) => `changed-${value}`,
            decode: (value: string) => value.replace('changed-', '')
          } as object
        })
        app.get(
          '/both',
          { onRequest: (request: FastifyRequest) => app.authenticate(request) },
          async (request, reply) =>
            reply
              .setCookie('seen', 'yes', { httpOnly: true })
              .send({ email: request.user.email, names: Object.keys(request.cookies) })
        )
      }
    })
    const answer = await post('/registration', alice)
    t.equal(
      setCookies(answer)[0], '__Host-access=…; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Strict',
      'its defaults are not ours'
    )
    const cookie = `mine=1; ${cookiesOf(answer)}`
    t.equal((await get('/user', { headers: { cookie } })).statusCode, 200)
    const both = await app.inject({ url: '/both', headers: { cookie } })
    t.same(both.json(), { email: alice.email, names: ['mine', '__Host-access', '__Host-refresh'] })
    t.match(both.headers['set-cookie'], /^seen=/)
  })
}

t.test('a cookie that an app\'s hook sets is kept beside ours', async t => {
  const { post } = await sqliteBuild(t, {
    options: cookies,
    before: async app => {
      await app.register(fastifyCookie)
      app.addHook('onRequest', async (_request, reply) => {
        reply.setCookie('visit', 'first-of-the-day', { httpOnly: true, maxAge: 60, path: '/' })
      })
      app.addHook('onRequest', async (_request, reply) => {
        reply.header('set-cookie', 'plain=as-it-is; HttpOnly; Path=/; SameSite=Lax; Max-Age=60')
      })
    }
  })
  const names = (await post('/registration', alice)).cookies.map(({ name }) => name)
  t.same(names.sort(), ['__Host-access', '__Host-refresh', 'plain', 'visit'])
})

t.test('the app\'s own @fastify/swagger document has the cookie scheme and security requirements', async t => {
  const { default: swagger } = await import('@fastify/swagger')
  const app = Fastify(patient)
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'The app', version: '1' } } })
  await app.register(fp(createPlugin({ hashCost: cheapHash })), { secret, database: ':memory:', ...cookies } as object)
  app.get('/own', { schema: { response: { 200: Type.Object({}) } } }, async () => ({}))
  app.get('/mine', { onRequest: app.authenticate }, async () => ({}))
  app.get('/anybody', { onRequest: app.authenticate({ optional: true }) }, async () => ({}))
  await app.ready()
  const { paths } = app.swagger() as { paths: Record<string, { get: { security?: unknown } }> }
  t.match(app.swagger(), { components: { securitySchemes: { bearer: {}, '__Host-access': { in: 'cookie' } } } })
  t.same(paths['/auth/user']?.get.security, [{ bearer: [] }, { '__Host-access': [] }])
  t.same(paths['/mine']?.get.security, paths['/auth/user']?.get.security, 'a route of the app has the same requirement')
  t.same(paths['/anybody']?.get.security, [{ bearer: [] }, { '__Host-access': [] }, {}])
})

story('the refresh cookie renews the session, and a forged request does not spend it', async (t, build) => {
  const { post, get, clock } = await build(t, { options: cookies })
  const refresh = `__Host-refresh=${cookieNamed(await post('/registration', alice), '__Host-refresh')}`
  clock.advance(300)
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' }
  ] as Record<string, string>[]) {
    t.equal((await post('/token/refresh', undefined, withCookie(refresh, headers))).statusCode, 403)
  }
  t.equal((await post('/token/refresh', undefined, { headers: { cookie: refresh } })).statusCode, 403)
  t.equal((await post('/token/refresh', undefined, withCookie(`${refresh}; ${refresh}`))).statusCode, 401)
  const answer = await post('/token/refresh', undefined, withCookie(`${refresh}; __Host-access=stale`))
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), {
    access_expiration: '2026-11-23T12:10:00.000Z',
    refresh_expiration: '2026-11-30T12:05:00.000Z'
  })
  t.not(cookiesOf(answer).includes(refresh), true)
  t.equal((await get('/user', { headers: { cookie: cookiesOf(answer) } })).statusCode, 200)
  clock.advance(11)
  t.equal((await post('/token/refresh', {}, withCookie(refresh))).statusCode, 401, 'a refresh token works once')
})

story('logging out everywhere deletes the cookies', async (t, build) => {
  const { post, app } = await build(t, { options: cookies })
  const registered = await post('/registration', alice)
  await post('/login', credentials)
  const answer = await post('/logout/all', undefined, withCookie(cookiesOf(registered)))
  t.match(setCookies(answer), [/^__Host-access=…; Max-Age=0;/, /^__Host-refresh=…; Max-Age=0;/])
  t.same(await app.restAuth.sessions.list(registered.json().user.pk), [])
})
