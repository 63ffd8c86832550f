/** `sessions.open` and `passwords.verify`: the app logs users in by methods of its own, under the same rules. */
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { authenticate, Failure } from '../src/index.js'
import { alice, password, sqliteBuild, story, t, type BuiltApp } from './support/build.js'

interface OwnLogin { Body: { pk: string, amr?: string[] } }

function addRoutes (app: FastifyInstance): void {
  app.post<OwnLogin>('/own-login', async (request, reply) => {
    const { pk, ...options } = request.body
    return await app.restAuth.sessions.open({ pk }, request, reply, options)
  })
  app.get<{ Params: { pk: string } }>('/own-login/:pk', async (request, reply) => {
    await app.restAuth.sessions.open({ pk: request.params.pk }, request, reply)
    return await reply.redirect('/me')
  })
  app.get('/me', { onRequest: authenticate }, async request => ({
    email: request.user.email, claims: app.restAuth.claims(request)
  }))
}

const ownLogin = async ({ app }: BuiltApp, body: object) =>
  await app.inject({ method: 'POST', url: '/own-login', body, headers: { 'user-agent': 'test' } })
const create = async ({ app }: BuiltApp, changes: object = {}) =>
  await app.restAuth.users.create({ email: alice.email, gender: 'F', phone_number: '1', password, ...changes } as never)
const codeOfError = (error: unknown) => error instanceof Failure ? error.code : error

story('`sessions.open` answers like a login, and the session is like any other', async (t, build) => {
  const userFields = {
    nickname: { schema: Type.String({ maxLength: 9, default: 'x' }) },
    rank: { schema: Type.Integer({ minimum: 0, maximum: 9, default: 3 }), userDetails: 'hidden' }
  }
  const built = await build(t, { after: addRoutes, options: { userFields } })
  const { pk } = await built.app.restAuth.users.create({ email: alice.email, password } as never)
  const own = (await ownLogin(built, { pk, amr: ['otp', 'mfa'] })).json()
  const login = (await built.post('/login', { email: alice.email, password })).json()
  t.same(Object.keys(own).sort(), Object.keys(login).sort())
  t.same(own.user, login.user, 'without hidden fields')
  t.equal((await built.get('/user', { token: own.access })).statusCode, 200)
  t.equal((await built.post('/token/refresh', { refresh: own.refresh })).statusCode, 200)
  const [, session] = await built.app.restAuth.sessions.list(pk)
  t.match(session, { amr: ['otp', 'mfa'], userAgent: 'test' })
  t.match(await built.app.restAuth.users.find({ pk }), { last_login: built.clock.now })
  await built.app.restAuth.sessions.endAll(pk)
  t.equal((await built.get('/user', { token: own.access })).statusCode, 401)
})

story('access tokens say when and how the user proved who they are', async (t, build) => {
  const built = await build(t, { after: addRoutes })
  const claimsOf = async (token: string) =>
    (await built.app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } })).json().claims
  const { access, refresh, user } = await built.register()
  const start = Math.floor(built.clock.now.getTime() / 1000)
  t.match(await claimsOf(access), { auth_time: start, amr: ['pwd'] })
  built.clock.advance(100)
  const later = (await built.post('/token/refresh', { refresh })).json().access
  t.match(await claimsOf(later), { auth_time: start, amr: ['pwd'] }, 'a refresh proves nothing')

  const own = (await ownLogin(built, { pk: user.pk })).json()
  const { auth_time: time, amr } = await claimsOf(own.access)
  t.same([time, amr], [start + 100, undefined])
  built.clock.advance(10)
  await built.post('/reauthenticate', { password }, { token: own.access })
  const confirmed = (await built.post('/token/refresh', { refresh: own.refresh })).json().access
  t.match(await claimsOf(confirmed), { auth_time: start + 110, amr: ['pwd'] })
})

story('a user who can\'t log in gets no session by another door', async (t, build) => {
  const built = await build(t, { after: addRoutes, options: { account: { emailVerification: 'mandatory' } } })
  const { users, sessions } = built.app.restAuth
  const { pk } = await create(built)
  t.equal((await ownLogin(built, { pk })).json().code, 'email_not_verified')
  await users.update(pk, { email_verified: true })
  t.equal((await ownLogin(built, { pk })).statusCode, 200)
  await users.deactivate(pk)
  t.equal((await ownLogin(built, { pk })).json().code, 'user_inactive')
  t.same(await sessions.list(pk), [])
  await users.delete(pk)
  t.equal((await ownLogin(built, { pk })).json().code, 'user_not_found')
})

story('if the hook `loggedIn` throws, the session that was opened ends', async (t, build) => {
  const built = await build(t, {
    after: addRoutes, options: { hooks: { loggedIn: () => { throw new Error('not today') } } }
  })
  const { pk } = await create(built)
  t.equal((await ownLogin(built, { pk })).statusCode, 500)
  t.same(await built.app.restAuth.sessions.list(pk), [])
})

story('with cookies, `sessions.open` sets them on a route of the app, which has no cookie plugin', async (t, build) => {
  const built = await build(t, { after: addRoutes, options: { tokens: { cookies: {} } } })
  const { pk } = await create(built)
  const answer = await ownLogin(built, { pk })
  t.notOk('access' in answer.json())
  const login = await built.post('/login', { email: alice.email, password })
  const attributes = ({ value: _value, ...cookie }: object & { value: string }) => cookie
  t.same(answer.cookies.map(attributes), login.cookies.map(attributes))
  const cookies = Object.fromEntries(answer.cookies.map(({ name, value }) => [name, value]))
  t.match((await built.app.inject({ url: '/me', cookies })).json(), { email: alice.email })
})

story('with keys, `sessions.open` returns one', async (t, build) => {
  const built = await build(t, { after: addRoutes, options: { tokens: { format: 'opaque' } } })
  const { pk } = await create(built)
  const { key } = (await ownLogin(built, { pk, amr: ['otp'] })).json()
  t.equal((await built.get('/user', { headers: { authorization: `Token ${key}` } })).statusCode, 200)
})

story('with cookies, another site can\'t log its visitors in by a route of the app', async (t, build) => {
  const built = await build(t, { after: addRoutes, options: { tokens: { cookies: {} } } })
  const { pk } = await create(built)
  const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const answer = await built.app.inject({ method: 'POST', url: '/own-login', body: { pk }, headers })
  t.equal(answer.statusCode, 403)
  t.same(answer.cookies, [])
  t.same(await built.app.restAuth.sessions.list(pk), [])
})

story('with cookies, a provider\'s POST opens no session, but the GET that it redirects to does', async (t, build) => {
  const headers = { origin: 'https://idp.example', 'sec-fetch-site': 'cross-site' }
  const inBodies = await build(t, { after: addRoutes })
  const { pk: inBody } = await create(inBodies)
  const inCookies = await build(t, { after: addRoutes, options: { tokens: { cookies: {} } } })
  const { pk } = await create(inCookies)
  const post = async ({ app }: BuiltApp, pk: unknown) =>
    (await app.inject({ method: 'POST', url: '/own-login', body: { pk }, headers })).statusCode
  t.equal(await post(inBodies, inBody), 200)
  t.equal(await post(inCookies, pk), 403)
  const { 'sec-fetch-site': site } = headers
  const answer = await inCookies.app.inject({ url: `/own-login/${pk}`, headers: { 'sec-fetch-site': site } })
  t.equal(answer.headers.location, '/me')
  const cookies = Object.fromEntries(answer.cookies.map(({ name, value }) => [name, value]))
  t.match((await inCookies.app.inject({ url: '/me', cookies })).json(), { email: alice.email })
})

story('the response of `sessions.open` is not stored by caches', async (t, build) => {
  const built = await build(t, { after: addRoutes })
  const { pk } = await create(built)
  t.equal((await ownLogin(built, { pk })).headers['cache-control'], 'no-store')
})

t.test('`amr` must be a list of methods', async t => {
  const built = await sqliteBuild(t, { after: addRoutes })
  const { pk } = await create(built)
  for (const amr of ['otp', ['a b'], [''], [5], ['x'.repeat(33)], { 0: 'otp' }]) {
    const answer = await ownLogin(built, { pk, amr: amr as string[] })
    t.match(answer.json().message, /^sessions\.open: amr must be/)
  }
  t.same(await built.app.restAuth.sessions.list(pk), [])
})

story('`passwords.verify` tells whether it is the password of an active user', async (t, build) => {
  const built = await build(t)
  const { passwords, users } = built.app.restAuth
  const user = await create(built)
  t.equal(await passwords.verify(user, password), true)
  t.equal(await passwords.verify(user, `${password} `), false)
  t.equal(await passwords.verify(user, ''), false)
  t.equal(await passwords.verify({ pk: '0' as never }, password), false)
  await t.rejects(passwords.verify(user, undefined as never), TypeError)
  const without = await create(built, { email: 'bob@example.com', password: undefined })
  t.equal(await passwords.verify(without, ''), false)
  await users.deactivate(user.pk)
  t.equal(await passwords.verify(user, password), false)
})

t.test('`passwords.verify` throws a failure of status 503 if the server is busy', async t => {
  const built = await sqliteBuild(t)
  const user = await create(built)
  const tried = await Promise.allSettled(Array.from({ length: 300 }, async () =>
    await built.app.restAuth.passwords.verify(user, 'wrong')))
  const codes = new Set(tried.map(result => result.status === 'rejected' ? codeOfError(result.reason) : 'done'))
  t.same([...codes].sort(), ['done', 'server_busy'])
})
