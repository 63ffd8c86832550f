/** `tokens.format: 'opaque'`: one key for a session, as dj-rest-auth has without JWTs. */
import { codeOf } from './support/answers.js'
import {
  alice, articleOptions, cookiesOf, password, secret, sqliteBuild, story, t, type BuiltApp, type CallOptions
} from './support/build.js'
import { databases, temporaryFile } from './support/databases.js'
import { withProvider } from './support/social-app.js'

const days = 86400
const opaque = { tokens: { format: 'opaque' } }
const keyPattern = /^fra_[\w-]{49}$/

interface Keyed { key: string, key_expiration: string, user: { pk: string, email: string } }

async function register ({ post }: BuiltApp, email = alice.email): Promise<Keyed> {
  return (await post('/registration', { ...alice, email })).json()
}
const token = (key: string): CallOptions => ({ headers: { authorization: `Token ${key}` } })
const after = ({ clock }: BuiltApp, seconds: number) => new Date(clock.now.getTime() + seconds * 1000).toISOString()

story('registration and login return a key, which Token and Bearer send', async (t, build) => {
  const app = await build(t, { options: opaque })
  const registered = await register(app)
  t.same(Object.keys(registered), ['key', 'key_expiration', 'user'])
  t.match(registered, { key: keyPattern, key_expiration: after(app, 7 * days), user: { email: alice.email } })
  const { key } = (await app.post('/login', { email: alice.email, password })).json()
  t.match(key, keyPattern)
  t.not(key, registered.key)
  for (const scheme of ['Token', 'token', 'Bearer', 'BEARER']) {
    t.equal((await app.get('/user', { headers: { authorization: `${scheme} ${key}` } })).statusCode, 200, scheme)
  }
  t.equal((await app.get('/user', token(registered.key))).statusCode, 200, 'the other session goes on')
})

story('anything but a live key is refused', async (t, build) => {
  const app = await build(t, { options: opaque })
  const { key } = await register(app)
  const altered = key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A')
  for (const wrong of [altered, key.slice(0, -1), `${key}A`, key.toUpperCase(), key.replace('fra_', 'frb_'), 'x',
    'fra_', key.replace('fra_', ''), `${key}.${key}.${key}`]) {
    t.equal(codeOf(await app.get('/user', token(wrong))), '401 token_not_valid', wrong)
  }
  for (const header of ['Token', `Token ${key} ${key}`, 'Token  ']) {
    t.equal(codeOf(await app.get('/user', { headers: { authorization: header } })), '401 bad_authorization_header')
  }
  for (const header of [`Basic ${key}`, `Key ${key}`, key]) {
    t.equal(codeOf(await app.get('/user', { headers: { authorization: header } })), '401 not_authenticated', header)
  }
})

story('a key that is used lives on until its session ends, and an unused one expires', async (t, build) => {
  const refresh = { idle: 1 * days, absolute: 3 * days }
  const app = await build(t, { options: { tokens: { format: 'opaque', refresh } } })
  const { get, clock } = app
  const [used, unused] = [await register(app), await register(app, 'bob@example.com')]
  for (let hours = 0; hours < 71; hours++) {
    clock.advance(3600)
    t.equal((await get('/user', token(used.key))).statusCode, 200)
    t.equal((await get('/sessions', token(used.key))).json().length, 1)
    if (hours === 22) t.equal((await get('/user', token(unused.key))).statusCode, 200, 'just in time')
  }
  t.equal(codeOf(await get('/user', token(unused.key))), '401 token_expired')
  clock.advance(3600)
  t.equal(codeOf(await get('/user', token(used.key))), '401 token_expired')
})

story('the use of a key is written at most once a minute', async (t, build) => {
  const app = await build(t, { options: opaque })
  const { key } = await register(app)
  const lastSeen = async () => (await app.get('/sessions', token(key))).json()[0].last_seen_at
  const first = await lastSeen()
  app.clock.advance(59)
  t.equal(await lastSeen(), first)
  app.clock.advance(1)
  await app.get('/user', token(key))
  t.not(await lastSeen(), first)
})

story('logout, a new password, deactivation and deletion end a key', async (t, build) => {
  const app = await build(t, { options: opaque })
  const { post, get, call } = app
  const { users, sessions } = app.app.restAuth
  const ends: Array<[what: string, end: (session: Keyed) => Promise<unknown>]> = [
    ['logout', ({ key }) => post('/logout', undefined, token(key))],
    ['logout with Bearer', ({ key }) => post('/logout', {}, { token: key })],
    ['logout everywhere', ({ key }) => post('/logout/all', undefined, token(key))],
    ['a new password', async ({ user }) => {
      const { key } = (await post('/login', { email: user.email, password })).json()
      const body = { old_password: password, new_password1: 'Brand-new-pw-1' }
      t.equal((await post('/password/change', body, token(key))).statusCode, 200)
      t.equal((await get('/user', token(key))).statusCode, 200, 'the session that changed it goes on')
    }],
    ['the list of sessions', async ({ key }) => {
      const [{ id }] = (await get('/sessions', token(key))).json()
      t.equal((await call('DELETE', `/sessions/${id}`, token(key))).statusCode, 204)
    }],
    ['code of the app', ({ user }) => sessions.endAll(user.pk)],
    ['deletion', ({ user }) => users.delete(user.pk)]
  ]
  for (const [index, [what, end]] of ends.entries()) {
    const session = await register(app, `user${index}@example.com`)
    await end(session)
    t.equal(codeOf(await get('/user', token(session.key))), '401 token_not_valid', what)
  }
  const { key, user } = await register(app)
  await users.deactivate(user.pk)
  t.equal((await get('/user', token(key))).statusCode, 401)
  await users.activate(user.pk)
  t.equal(codeOf(await get('/user', token(key))), '401 token_not_valid', 'activation revives no session')
})

story('fifty requests with a key and a logout among them: none succeeds after it', async (t, build) => {
  const app = await build(t, { options: opaque })
  const { key } = await register(app)
  app.clock.advance(120)
  const answers = await Promise.all(Array.from({ length: 50 }, async (_, index) =>
    index === 25 ? await app.post('/logout', undefined, token(key)) : await app.get('/user', token(key))))
  t.ok(answers.every(({ statusCode }) => statusCode === 200 || statusCode === 401))
  t.equal(codeOf(await app.get('/user', token(key))), '401 token_not_valid')
})

story('a key confirms its password for routes with maxAge, and has no claims', async (t, build) => {
  const app = await build(t, {
    options: opaque,
    after: app => {
      app.get('/recent', { onRequest: app.authenticate({ maxAge: 60 }) }, async () => ({}))
      app.get('/claims', { onRequest: app.authenticate }, async request => ({ claims: app.restAuth.claims(request) }))
    }
  })
  const { key } = await register(app)
  const own = async (url: string) => await app.app.inject({ url, headers: { authorization: `Token ${key}` } })
  app.clock.advance(61)
  t.equal((await own('/recent')).json().code, 'reauthentication_required')
  t.equal((await app.post('/reauthenticate', { password }, token(key))).statusCode, 200)
  t.equal((await own('/recent')).statusCode, 200)
  t.same((await own('/claims')).json(), { claims: null })
})

t.test('stateless routes, which read claims, are refused at start', async t => {
  await t.rejects(
    sqliteBuild(t, {
      options: opaque,
      after: app => { app.get('/fast', { onRequest: app.authenticate({ stateless: true }) }, async () => ({})) }
    }),
    /authenticate: stateless: is not possible when tokens.format is 'opaque'/
  )
})

story('there are no routes for refresh tokens', async (t, build) => {
  const { post, app } = await build(t, { options: opaque })
  for (const path of ['/token/refresh', '/token/verify']) {
    t.equal(codeOf(await post(path, { refresh: 'x', token: 'x' })), '404 not_found')
    t.notOk(`/auth${path}` in (app.restAuth.openapi() as { paths: object }).paths)
  }
  t.match(app.restAuth.openapi(), {
    components: {
      schemas: { AuthKey: { required: ['key', 'key_expiration', 'user'] } },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } }
    }
  })
})

story('with cookies, the one cookie holds the key', async (t, build) => {
  const app = await build(t, { options: { tokens: { format: 'opaque', cookies: {} } } })
  const registered = await app.post('/registration', alice)
  t.same(Object.keys(registered.json()), ['key_expiration', 'user'])
  t.equal(registered.cookies.length, 1)
  t.match(registered.cookies[0], { name: '__Host-key', value: keyPattern, maxAge: 30 * days, path: '/' })
  t.match(registered.cookies[0], { httpOnly: true, secure: true, sameSite: 'Strict' })
  const headers = { cookie: cookiesOf(registered), 'sec-fetch-site': 'same-origin' }
  t.equal((await app.get('/user', { headers })).statusCode, 200)
  t.equal((await app.patch('/user', { gender: 'M' }, { headers })).statusCode, 200)
  const evil = { cookie: headers.cookie, origin: 'https://evil.example' }
  t.equal((await app.patch('/user', { gender: 'M' }, { headers: evil })).statusCode, 403)
  const again = await app.post('/login', { email: alice.email, password }, { headers })
  t.equal((await app.get('/user', { headers })).statusCode, 401, 'the session whose cookie is overwritten has ended')
  const current = { ...headers, cookie: cookiesOf(again) }
  const left = await app.post('/logout', undefined, { headers: current })
  t.match(left.cookies, [{ name: '__Host-key', value: '', maxAge: 0 }])
  t.equal((await app.get('/user', { headers: current })).statusCode, 401)
})

t.test('a login with a provider returns a key', async t => {
  const { openid, post, get } = await withProvider(t, sqliteBuild, opaque)
  openid.people.alice = { email: 'alice@example.com', email_verified: true }
  const answer = await post('/company', { id_token: await openid.issueIdToken({ person: 'alice' }) })
  t.match(answer.json(), { key: keyPattern })
  t.equal((await get('/user', token(answer.json().key))).statusCode, 200)
})

for (const { name, dialect, open } of databases) {
  t.test(`after a change of the format, tokens of the other one are refused (${name})`, async t => {
    const { database: opened, close } = await open(true)
    t.teardown(close)
    const database = dialect === 'sqlite' ? temporaryFile(t) : opened
    const start = async (tokens: object) =>
      await sqliteBuild(t, { options: { ...articleOptions, secret, database, migrate: true, tokens } })
    const pairs = await start({})
    const { access, refresh } = await pairs.register()
    await pairs.app.close()
    const keys = await start({ format: 'opaque' })
    for (const one of [access, refresh]) {
      t.equal(codeOf(await keys.get('/user', { token: one })), '401 token_not_valid')
    }
    const { key } = await register(keys, 'bob@example.com')
    await keys.app.close()
    const again = await start({})
    t.equal(codeOf(await again.get('/user', { token: key })), '401 token_not_valid')
    t.equal(codeOf(await again.post('/token/refresh', { refresh: key })), '401 token_not_valid')
    t.equal(codeOf(await again.post('/token/verify', { token: key })), '401 token_not_valid')
    t.equal((await again.post('/token/refresh', { refresh })).statusCode, 200, 'the session is still there')
  })
}

t.test('options that have no effect on keys are refused at start, by name', async t => {
  for (const [tokens, line] of [
    [{ algorithm: 'HS256' }, 'tokens.algorithm: has no effect'],
    [{ claims: () => ({}) }, 'tokens.claims: has no effect'],
    [{ access: 60 }, 'tokens.access: has no effect'],
    [{ refreshGrace: 0 }, 'tokens.refreshGrace: has no effect'],
    [{ refresh: { rotate: true } }, 'tokens.refresh.rotate: has no effect'],
    [{ refresh: { idle: 299 } }, 'tokens.refresh.idle: must be at least 300'],
    [{ cookies: { access: false } }, 'tokens.cookies.access: must not be false'],
    [{ cookies: { refresh: 'r' } }, 'tokens.cookies.refresh: has no effect']
  ] as const) {
    const options = { tokens: { format: 'opaque', ...tokens } }
    await t.rejects(sqliteBuild(t, { options }), { message: new RegExp(line) })
  }
})
