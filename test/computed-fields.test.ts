/** Fields with `compute`: a function gives each response that shows the user a value, which has no column. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Type, type TSchema } from '@sinclair/typebox'
import { sql } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import { Rejection } from '../src/index.js'
import { bodySchemaIn, keyIn } from './support/answers.js'
import { alice, articleOptions, password, story, type Build, type BuildOptions, type Test } from './support/build.js'
import { sharedDatabase, withBadProvider } from './support/hostile-provider-app.js'
import { withProvider } from './support/social-app.js'

type User = Record<string, any>
type Compute = (user: User) => unknown

const field = (schema: TSchema, compute: Compute, more: object = {}) => ({ schema, compute, ...more })
const credentials = { email: alice.email, password }
const buildWith = async (t: Test, build: Build, fields: object, options: object = {}, more: BuildOptions = {}) =>
  await build(t, { ...more, options: { userFields: { ...articleOptions.userFields, ...fields }, ...options } })

/** A route of the app that returns `request.user`. */
const withMe = {
  after: (app: FastifyInstance) => app.get('/me', { onRequest: app.authenticate }, async ({ user }) => ({ ...user }))
}
const meOf = async (app: FastifyInstance, token: string): Promise<User> =>
  (await app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } })).json()

const title = field(Type.String(), ({ gender }) => ({ F: 'Ms', M: 'Mr' })[gender as 'F' | 'M'] ?? '')
const badge = field(Type.Object({ text: Type.String() }), async ({ email }) => ({ text: `I am ${email}` }))

story('every answer with the user has the computed fields, from what is stored now', async (t, build) => {
  const account = { ...articleOptions.account, emailVerification: 'optional', loginOnEmailConfirmation: true }
  const { register, post, get, put, patch, mails } = await buildWith(t, build, { title, badge }, { account })
  const ofAlice = { title: 'Ms', badge: { text: `I am ${alice.email}` } }
  const { user, access: token } = await register()
  t.match(user, ofAlice)
  t.match((await post('/login', credentials)).json().user, ofAlice)
  const key = keyIn((await mails())[0])
  t.match((await post('/registration/verify-email', { key })).json().user, ofAlice)
  t.match((await get('/user', { token })).json(), ofAlice)
  t.match((await patch('/user', { gender: 'M' }, { token })).json(), { gender: 'M', title: 'Mr' })
  t.match((await put('/user', { gender: 'NS' }, { token })).json(), { gender: 'NS', title: '' })
  t.match((await patch('/user', {}, { token })).json(), { gender: 'NS', title: '' })
  t.match((await get('/user', { token })).json(), { gender: 'NS', title: '' })
})

story('a social login has them, and connecting a provider, too', async (t, build) => {
  const { enter, connect } = await withBadProvider(t, build, {
    options: { userFields: { ...articleOptions.userFields, badge } }
  })
  const first = await enter('alice')
  t.match(first.json().user, { badge: { text: 'I am alice@example.com' } })
  t.match((await connect('alice', first.json().access)).json().user, { badge: { text: 'I am alice@example.com' } })
})

story('a computed field is read-only: its name in a body is ignored', async (t, build) => {
  const { register, patch, put, app } = await buildWith(t, build, { title })
  const { user, access: token } = await register({ title: 'Dr' })
  t.equal(user.title, 'Ms')
  for (const write of [patch, put]) {
    const answer = await write('/user', { gender: 'F', title: 7 }, { token })
    t.same([answer.statusCode, answer.json().title], [200, 'Ms'])
  }
  await t.rejects(app.restAuth.users.update(user.pk, { title: 'Dr' } as never), {
    name: 'TypeError', message: 'users: there is no field title'
  })
})

story('all computed fields of an answer are computed once, at the same time', async (t, build) => {
  const called: string[] = []
  let running = 0
  const waiting = (name: string) => async () => {
    called.push(name)
    running++
    await sleep(20)
    // Alone, each would see only itself.
    return running
  }
  const fields = Object.fromEntries(['a', 'b', 'c'].map(name => [name, field(Type.Integer(), waiting(name))]))
  const { register, post, get, patch } = await buildWith(t, build, fields)
  const { access: token } = await register()
  const answers = [
    async () => (await post('/login', credentials)).json().user,
    async () => (await get('/user', { token })).json(),
    async () => (await patch('/user', { gender: 'M' }, { token })).json()
  ]
  for (const answer of answers) {
    called.length = running = 0
    t.match(await answer(), { a: 3, b: 3, c: 3 })
    t.same(called, ['a', 'b', 'c'])
  }
})

story('what shows no user computes nothing', async (t, build) => {
  let calls = 0
  const count = field(Type.Integer(), () => ++calls)
  const { register, post, patch, get, call } = await buildWith(t, build, { count })
  const { access: token, refresh } = await register()
  t.equal(calls, 1)
  await get('/sessions', { token })
  await patch('/user', { gender: 'X' }, { token })
  await post('/token/verify', { token })
  await post('/login', { ...credentials, password: 'wrong' })
  const next = (await post('/token/refresh', { refresh })).json()
  await call('POST', '/logout', { body: { refresh: next.refresh } })
  t.equal(calls, 1)

  const { openid, browser } = await withProvider(t, build, {
    userFields: { ...articleOptions.userFields, count }, tokens: { cookies: {} }, urls: { socialLogin: '/welcome' }
  })
  const answer = await browser.comeBack(await openid.authorize(await browser.start('company'), 'alice'))
  t.equal(answer.statusCode, 303)
  t.equal(calls, 1, 'a redirect logs in without it')
  t.equal((await browser.open('GET', '/user')).json().count, 2)
})

story('the function gets the stored user, hidden fields included, and no other computed field', async (t, build) => {
  const given: User[] = []
  const see = (user: User) => given.push({ ...user })
  const { register } = await buildWith(t, build, {
    secret_note: { schema: Type.String(), userDetails: 'hidden' },
    invitation: { schema: Type.String(), stored: false },
    title,
    count: field(Type.Integer(), see)
  })
  await register({ secret_note: 'psst', invitation: 'X1' })
  t.match(given, [{ email: alice.email, gender: 'F', secret_note: 'psst', is_active: true, created_at: Date }])
  for (const name of ['title', 'count', 'invitation', 'passwordHash', 'password_hash']) t.notHas(given[0], name)
})

story('the stored user, in hooks and from code, has no computed field', async (t, build) => {
  const seen: User[] = []
  const see = (user: User) => { seen.push(user) }
  const hooks = { registered: see, loggedIn: see, userUpdated: see }
  const claims = (user: User) => { seen.push(user) }
  const eager = { ...badge, eager: true }
  const { register, patch, app } = await buildWith(t, build, { title, badge: eager }, { hooks, tokens: { claims } })
  const { access: token, user: { pk } } = await register()
  await patch('/user', { gender: 'M' }, { token })
  const { users } = app.restAuth
  seen.push({ ...await users.find({ pk }) }, { ...await users.update(pk, { gender: 'F' } as never) })
  t.equal(seen.length, 6)
  for (const user of seen) {
    t.match(user, { email: alice.email })
    for (const name of ['title', 'badge']) t.notHas(user, name)
  }
})

story('request.user has an eager field, computed once with the answer, and no other', async (t, build) => {
  let calls = 0
  const eager = field(Type.Integer(), () => ++calls, { eager: true })
  const { app, register, get, patch } = await buildWith(t, build, { title, eager }, {}, withMe)
  const { access: token } = await register()
  const me = await meOf(app, token)
  t.match(me, { gender: 'F', eager: 2 })
  t.notHas(me, 'title')
  t.match((await get('/user', { token })).json(), { title: 'Ms', eager: 3 })
  t.equal(calls, 3, 'GET /user answers with what request.user has')
  t.match((await patch('/user', { gender: 'M' }, { token })).json(), { title: 'Mr', eager: 5 }, 'the row has changed')
})

story('a response has a date as text, and null for an optional value that is missing', async (t, build) => {
  const values: unknown[] = [undefined, null, 'x']
  const { app, register, get } = await buildWith(t, build, {
    joined: field(Type.String({ format: 'date-time' }), ({ created_at: created }) => created),
    nickname: field(Type.Optional(Type.String()), () => values.shift()),
    text: field(Type.String(), () => 'x'.repeat(5000)),
    list: field(Type.Array(Type.Object({ a: Type.Optional(Type.Integer()) })), () => [{ a: undefined }, { a: 1 }]),
    amount: field(Type.String({ format: 'decimal' }), () => '2.50')
  })
  const { user, access: token } = await register()
  t.match(user, { joined: '2026-11-23T12:00:00.000Z', nickname: null, text: /^x{5000}$/, list: [{}, { a: 1 }] })
  t.equal(user.amount, '2.50')
  t.equal((await get('/user', { token })).json().nickname, null)
  t.equal((await get('/user', { token })).json().nickname, 'x')
  const { AuthUser } = (app.restAuth.openapi() as any).components.schemas
  t.strictSame(AuthUser.properties.text, { examples: ['example'], type: 'string', readOnly: true })
  t.same(AuthUser.properties.nickname.type, ['string', 'null'])
  t.ok(AuthUser.required.includes('nickname'))
})

const wrong: Array<[what: string, schema: TSchema, value: unknown]> = [
  ['another type', Type.Integer(), '7-of-secrets'],
  ['a value over a limit', Type.String({ maxLength: 3 }), 'secrets'],
  ['nothing', Type.String(), undefined],
  ['no number', Type.Number(), NaN],
  ['an undeclared key', Type.Object({ a: Type.String() }), { a: 'x', b: 'secrets' }],
  ['a choice that was not declared', Type.Union([Type.Literal('a'), Type.Literal('b')]), 'secrets'],
  ['a function', Type.String(), () => 'secrets'],
  ['a bigint', Type.Integer(), 7n]
]

/** An app whose registration and login fail because of the field `broken`; returns what it logged as errors. */
async function failWith (t: Test, build: Build, broken: object): Promise<string[]> {
  const { app, post, logs } = await buildWith(t, build, { title, broken })
  for (const [path, body] of [['/registration', alice], ['/login', credentials]] as const) {
    const answer = await post(path, body, { fault: true })
    t.equal(answer.statusCode, 500)
    t.match(answer.json(), { code: 'internal_error', detail: 'The server failed to answer the request.' })
    t.equal(answer.headers['set-cookie'], undefined)
  }
  const { pk } = await app.restAuth.users.find({ email: alice.email }) ?? { pk: '' }
  t.ok(pk, 'the account is stored')
  t.same(await app.restAuth.sessions.list(pk), [], 'the session, whose tokens reached nobody, has ended')
  return logs.filter(line => line.includes('"level":50'))
}

story('a value that does not match its schema is a 500, logged by the name of the field alone', async (t, build) => {
  for (const [what, schema, value] of wrong) {
    const errors = await failWith(t, build, field(schema, () => value))
    t.equal(errors.length, 2, what)
    for (const line of errors) {
      t.match(line, 'userFields.broken.compute: ', what)
      t.notMatch(line, 'secrets', what)
    }
  }
})

story('anything that a function throws is a 500, logged by the name of the field', async (t, build) => {
  const thrown = [
    new Error('the upstream is down'), new Rejection('the upstream is down', 'email'), 'the upstream is down',
    Object.assign(new Error('the upstream is down'), { statusCode: 404 })
  ]
  for (const error of thrown) {
    const errors = await failWith(t, build, field(Type.String(), async () => { throw error }))
    t.equal(errors.length, 2)
    t.match(errors[0], 'userFields.broken.compute: threw an error')
  }
})

story('a failed query in a function is logged without its values', async (t, build, { dialect }) => {
  const shared = sharedDatabase(t, dialect)
  let query: () => Promise<unknown> = async () => ''
  const { register, get, logs, ...app } = await buildWith(
    t, build, { broken: field(Type.String(), async () => await query()) }, shared.given
  )
  const { access: token } = await register()
  const { orm } = await shared.open(app)
  query = async () => await orm.select({ x: sql`no_such_column` }).from(sql`users where ${'tops3cret'} = 1`)
  t.equal((await get('/user', { token, fault: true })).statusCode, 500)
  t.match(logs.join(''), 'userFields.broken.compute: threw an error')
  t.notMatch(logs.join(''), 'tops3cret')
})

story('the change of an edit is stored, although computing its answer fails', async (t, build) => {
  const picky = field(Type.String(), ({ gender }) => gender === 'M' ? undefined : 'x')
  const { register, patch, app } = await buildWith(t, build, { picky })
  const { access: token, user: { pk } } = await register()
  t.equal((await patch('/user', { gender: 'M' }, { token, fault: true })).statusCode, 500)
  t.match(await app.restAuth.users.find({ pk }), { gender: 'M' })
})

story('an eager field that fails is a 500 of each route that authenticates, without the reason', async (t, build) => {
  let fails = false
  const moody = field(Type.String(), () => {
    if (fails) throw new Error('tops3cret')
    return 'x'
  }, { eager: true })
  const { app, register, get, post, logs } = await buildWith(t, build, { moody }, {}, withMe)
  const { access: token, refresh } = await register()
  t.equal((await meOf(app, token)).moody, 'x')
  fails = true
  t.match(await meOf(app, token), { statusCode: 500, message: 'The server failed to answer the request.' })
  t.match(logs.join(''), 'userFields.moody.compute: threw an error')
  const answer = await get('/user', { token, fault: true })
  t.equal(answer.statusCode, 500)
  t.notMatch(answer.body, 'tops3cret')
  t.equal((await post('/logout', { refresh })).statusCode, 200)
})

story('a computed field has no column, also where it had one', async (t, build, { dialect }) => {
  const shared = sharedDatabase(t, dialect)
  const stored = { title: { schema: Type.String() } }
  const first = await buildWith(t, build, stored, shared.given)
  await first.register({ title: 'Dr' })
  const second = await buildWith(t, build, { title, badge }, shared.given, { database: first.database })
  t.match((await second.post('/login', credentials)).json().user, { title: 'Ms' })
  t.equal((await second.register({ email: 'b@example.com' })).user.title, 'Ms')
  const db = await shared.open(second)
  const rows = await db.orm.select({ title: sql<string | null>`title` }).from(db.users)
  t.same(rows.map(({ title }) => title).sort(), ['Dr', null])
  await t.rejects(async () => await db.orm.select({ badge: sql`badge` }).from(db.users))
})

story('the document has computed fields in the user, read-only, and in no body', async (t, build) => {
  const { app } = await buildWith(t, build, { title, badge })
  const document = app.restAuth.openapi() as any
  t.match(document.components.schemas.AuthUser, {
    required: ['pk', 'email', 'gender', 'phone_number', 'title', 'badge'],
    properties: { title: { type: 'string', readOnly: true }, badge: { type: 'object', readOnly: true } }
  })
  for (const [path, method] of [['registration', 'post'], ['user', 'put'], ['user', 'patch']] as const) {
    const { properties } = bodySchemaIn(document, `/auth/${path}`, method)
    for (const name of ['title', 'badge']) t.notHas(properties, name)
  }
})
