/** The test kit, as apps use it: with the plugin that they import. */
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify, { type FastifyInstance } from 'fastify'
import restAuth from '../src/index.js'
import { createTestKit, startTestProvider, type TestKit } from '../src/testing/index.js'
import { alice, articleOptions, password, patient, secret, sqliteBuild, story, t, type Test } from './support/build.js'
import { inProduction } from './support/environment.js'
import { createBrowser } from './support/social-browser.js'

const mandatory = { ...articleOptions, account: { ...articleOptions.account, emailVerification: 'mandatory' } } as const

async function withKit (t: Test, options: object = {}, kit = createTestKit()) {
  const app = Fastify(patient)
  t.teardown(() => app.close())
  await app.register(restAuth, { secret, ...mandatory, ...kit.options, ...options } as object)
  await app.ready()
  return { app, kit, create: createUserIn(app) }
}

const createUserIn = (app: FastifyInstance) => async (changes: object = {}) => await app.restAuth.users.create({
  email: alice.email, password, gender: 'F', phone_number: '+15550100', email_verified: true, ...changes
} as never)

t.test('the mails of an app have their links, and the codes that the routes take', async t => {
  const { app, kit } = await withKit(t)
  t.same(await kit.mails(), [])
  await app.inject({ method: 'POST', url: '/auth/registration', body: { ...alice, password2: password } })
  await app.inject({ method: 'POST', url: '/auth/registration', body: { ...alice, email: 'bob@example.com' } })

  const [mail, ...others] = await kit.mails(alice.email)
  t.same(others, [])
  t.match(mail, { to: alice.email, subject: /./, html: /<html/, links: [/^http:\/\/localhost:3000\/auth\//] })
  t.same(Object.keys(mail?.codes ?? {}), ['key'])
  const logIn = async (password: string) =>
    (await app.inject({ method: 'POST', url: '/auth/login', body: { email: alice.email, password } })).statusCode
  t.equal(await logIn(password), 400)
  const verified = await app.inject({ method: 'POST', url: '/auth/registration/verify-email', body: mail?.codes ?? {} })
  t.equal(verified.statusCode, 200, verified.body)
  t.equal(await logIn(password), 200)

  await app.inject({ method: 'POST', url: '/auth/password/reset', body: { email: alice.email } })
  const reset = (await kit.mails(alice.email)).at(-1)
  t.same(Object.keys(reset?.codes ?? {}), ['uid', 'token'])
  const news = { new_password1: 'An0ther-secret-pw', new_password2: 'An0ther-secret-pw' }
  const changed = await app.inject({
    method: 'POST', url: '/auth/password/reset/confirm', body: { ...reset?.codes, ...news }
  })
  t.equal(changed.statusCode, 200, changed.body)
  t.equal(await logIn('An0ther-secret-pw'), 200)
  t.same((await kit.mails(alice.email)).at(-1)?.codes, {}, 'the mail about the change has no link of the plugin')
  t.equal((await kit.mails()).length, 4)
})

t.test('codes are found in links to pages of the app', async t => {
  const { app, kit } = await withKit(t, {
    urls: {
      emailConfirmation: 'https://app.example/welcome?lang=en&k={key}#top',
      passwordReset: 'https://app.example/#/reset/{uid}/{token}'
    }
  })
  await app.inject({ method: 'POST', url: '/auth/registration', body: alice })
  const [{ links: [link = ''], codes = {} } = { links: [] }] = await kit.mails()
  t.equal(link, `https://app.example/welcome?lang=en&k=${codes.key}#top`)
  t.match(codes.key, /^[\w-]{20,}$/)
})

t.test('codes are found in every form of a link', async t => {
  const forms = [
    ['https://app.example/welcome/{key}', 'Confirm ({{ activate_url }}).'],
    ['app.example://welcome?key={key}', 'Confirm: {{ activate_url }}'],
    ['https://app.example/{key}?again={key}', '{{ activate_url }}']
  ] as const
  for (const [emailConfirmation, text] of forms) {
    const templates = t.testdir({ 'email-verification.txt': text })
    const { app, kit } = await withKit(t, { urls: { emailConfirmation }, mail: { templates } })
    await app.inject({ method: 'POST', url: '/auth/registration', body: alice })
    const [{ links = [], codes = {} } = {}] = await kit.mails()
    t.match(codes.key, /^[\w-]{20,}$/, text)
    t.same(links, [emailConfirmation.replaceAll('{key}', codes.key ?? '')])
  }
})

t.test('mails() throws an error if no app has got the kit', async t => {
  const kit = createTestKit()
  await t.rejects(kit.mails(), { message: 'mails: no registration with kit.options is ready' })
  const { app } = await withKit(t, {}, kit)
  await app.close()
  t.same(await kit.mails(), [])
})

t.test('the clock of the kit is that of tokens, links and stored dates, and stands still', async t => {
  const now = new Date('2030-01-01T00:00:00.000Z')
  const { app, kit, create } = await withKit(t, { tokens: { access: 300 } }, createTestKit({ now }))
  const user = await create()
  t.same(user.created_at, now)
  const credentials = await kit.as(user)
  const get = async () => (await app.inject({ url: '/auth/user', ...credentials })).statusCode
  t.equal(await get(), 200)
  kit.clock.advance(299)
  t.equal(await get(), 200)
  kit.clock.advance(1)
  t.equal(await get(), 401)
  t.same(kit.clock.now, new Date('2030-01-01T00:05:00.000Z'))
})

t.test('without a time, the clock starts now', async t => {
  const before = new Date()
  const { clock } = createTestKit()
  t.ok(clock.now >= before && clock.now <= new Date())
})

for (const [name, options] of Object.entries({
  'tokens in the body': {},
  'opaque keys': { tokens: { format: 'opaque' } },
  cookies: { tokens: { cookies: { secure: false } } },
  'a refresh token in a cookie': { tokens: { cookies: { secure: false, access: false } } }
})) {
  t.test(`as() logs a user in with ${name}`, async t => {
    const { app, kit, create } = await withKit(t, options)
    const user = await create()
    const credentials = await kit.as(user)
    t.match((await app.inject({ url: '/auth/user', ...credentials })).json(), { pk: user.pk })
    const body = { gender: 'NS' }
    const patched = await app.inject({ method: 'PATCH', url: '/auth/user', body, ...credentials })
    t.match(patched.json(), { gender: 'NS' }, patched.body)
    t.equal((await app.restAuth.sessions.list(user.pk)).length, 1)
  })
}

t.test('as() opens a session that says how the user logged in, and refuses users who may not log in', async t => {
  const { app, kit, create } = await withKit(t)
  const user = await create()
  await kit.as(user)
  await kit.as(user, { amr: ['otp'] })
  t.same((await app.restAuth.sessions.list(user.pk)).map(({ amr }) => amr).sort(), [['otp'], ['pwd']])
  await t.rejects(kit.as({ pk: '01890000-0000-7000-8000-000000000000' }), { message: /^as: .*user_not_found/ })
  const unverified = await create({ email: 'bob@example.com', email_verified: false })
  await t.rejects(kit.as(unverified), { message: /^as: .*email_not_verified/ })
  await app.restAuth.users.deactivate(user.pk)
  await t.rejects(kit.as(user), { message: /^as: .*user_inactive/ })
})

t.test('as() logs in at one of several registrations', async t => {
  const kit = createTestKit()
  await t.rejects(kit.as({ pk: 'x' }), { message: 'as: no registration with kit.options is ready' })
  const app = Fastify(patient)
  t.teardown(() => app.close())
  for (const prefix of ['/auth', '/staff']) {
    await app.register(restAuth, { secret, ...mandatory, prefix, ...kit.options } as object)
  }
  await app.ready()
  const staff = app.restAuth.under('/staff' as never) as typeof app.restAuth
  const user = await createUserIn({ restAuth: staff } as FastifyInstance)()
  const credentials = await kit.as(user, { under: '/staff' })
  t.match((await app.inject({ url: '/staff/user', ...credentials })).json(), { pk: user.pk })
  await t.rejects(kit.as(user), { message: /user_not_found/ })
  const message = 'as: no registration with kit.options has the path "/nope"'
  await t.rejects(kit.as(user, { under: '/nope' }), { message })
})

t.test('the route by which as() logs in is not in the OpenAPI document', async t => {
  const { app } = await withKit(t)
  const { app: plain } = await sqliteBuild(t, { options: mandatory })
  t.same(Object.keys(app.restAuth.openapi().paths as object), Object.keys(plain.restAuth.openapi().paths as object))
})

t.test('the hash of a password in a test opens no account of another app', async t => {
  const file = t.testdir() + '/auth.sqlite'
  const { create } = await withKit(t, { database: file })
  await create()
  const app = Fastify(patient)
  t.teardown(() => app.close())
  await app.register(restAuth, { secret, ...mandatory, database: file, docs: false } as object)
  const logIn = async (email: string) =>
    (await app.inject({ method: 'POST', url: '/auth/login', body: { email, password } })).statusCode
  t.equal(await logIn(alice.email), 400)
  const bob = await createUserIn(app)({ email: 'bob@example.com' })
  t.equal(await logIn(bob.email), 200)
})

t.test('a login in an app with the kit leaves the hash of another app alone', async t => {
  const file = t.testdir() + '/auth.sqlite'
  const { app: plain, register } = await sqliteBuild(t, { database: file })
  await register()
  const { app } = await withKit(t, { database: file, account: articleOptions.account })
  for (const one of [app, plain]) {
    const body = { email: alice.email, password }
    t.equal((await one.inject({ method: 'POST', url: '/auth/login', body })).statusCode, 200)
  }
})

t.test('nothing of the kit works in production', async t => {
  const kit = createTestKit()
  inProduction(t)
  t.throws(() => createTestKit(), { message: /^fastify-rest-auth\/testing is for tests/ })
  await t.rejects(startTestProvider(), { message: /^fastify-rest-auth\/testing is for tests/ })
  const app = Fastify(patient)
  t.teardown(() => app.close())
  const options: object = { secret, ...mandatory, ...kit.options, mail: { transport: async () => {} } }
  const message = /^fastify-rest-auth\/testing is for tests/
  await t.rejects(async () => await app.register(restAuth, options), { message })
})

async function withTestProvider (t: Test, kit: TestKit = createTestKit(), name = 'company') {
  const provider = await startTestProvider({ clock: kit.clock })
  t.teardown(() => provider.close())
  const { app } = await withKit(t, { social: { [name]: { ...provider.options, trustEmail: true } } }, kit)
  const browser = createBrowser({
    call: async (method, path, { headers = {} } = {}) =>
      await app.inject({ method, url: path.startsWith('/auth') ? path : `/auth${path}`, headers })
  })
  return { app, kit, provider, browser }
}

t.test('a person of the test provider logs in by redirect, also where the built-in Google is meant', async t => {
  for (const name of ['company', 'google']) {
    const kit = createTestKit({ now: new Date('2031-05-01T00:00:00.000Z') })
    const { provider, app, browser } = await withTestProvider(t, kit, name)
    provider.person = { sub: 'x-1', email: 'carol@example.com', email_verified: true }
    const back = await browser.comeBack(await provider.authorize(await browser.start(name)))
    t.ok(back.statusCode < 400, back.body)
    t.match(await app.restAuth.users.find({ email: 'carol@example.com' }), { email_verified: true })
  }
})

t.test('a person of the test provider logs in with an ID token', async t => {
  const { app, kit, provider } = await withTestProvider(t)
  const logIn = async () =>
    await app.inject({ method: 'POST', url: '/auth/company', body: { id_token: await provider.idToken() } })
  const first = await logIn()
  t.match(first.json(), { user: { email: 'alice@example.com' } }, first.body)
  kit.clock.advance(3600)
  t.equal((await logIn()).statusCode, 200)
})

t.test('the test provider refuses what a real one refuses', async t => {
  const { provider, browser } = await withTestProvider(t)
  const { options: { issuer, clientId, clientSecret } } = provider
  const verifier = 'a'.repeat(43)
  const request = (changes: object = {}) => `${issuer}/authorize?${new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: 'https://app.example/back?from=us',
    code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    state: 's',
    ...changes
  })}`
  const wrong = { client_id: 'other', response_type: 'token', code_challenge_method: 'plain', redirect_uri: 'x' }
  for (const [name, value] of Object.entries(wrong)) {
    await t.rejects(provider.authorize(request({ [name]: value })), name)
  }
  t.equal((await fetch(request({ client_id: 'other' }))).status, 400)
  t.match(await browser.start('company'), `${issuer}/authorize?`)

  const code = async () => {
    const answer = await fetch(request(), { redirect: 'manual' })
    const back = new URL(answer.headers.get('location') ?? '')
    t.match(Object.fromEntries(back.searchParams), { from: 'us', state: 's', iss: issuer })
    return back.searchParams.get('code') ?? ''
  }
  const exchange = async (code: string, changes: object = {}) => {
    const form = {
      grant_type: 'authorization_code', code, redirect_uri: 'https://app.example/back?from=us', code_verifier: verifier
    }
    const client = { client_id: clientId, client_secret: clientSecret }
    const body = new URLSearchParams({ ...client, ...form, ...changes })
    const answer = await fetch(`${issuer}/token`, { method: 'POST', body })
    return [answer.status, await answer.json()] as [number, Record<string, string>]
  }
  for (const [name, value] of Object.entries({ redirect_uri: 'https://app.example/', code_verifier: 'b'.repeat(43) })) {
    t.match(await exchange(await code(), { [name]: value }), [400, { error: 'invalid_grant' }], name)
  }
  t.match(await exchange(await code(), { client_secret: 'other' }), [401, { error: 'invalid_client' }])
  t.match(await exchange(await code(), { grant_type: 'password' }), [400, { error: 'unsupported_grant_type' }])
  const used = await code()
  const [status, { access_token: token }] = await exchange(used)
  t.equal(status, 200)
  t.match(await exchange(used), [400, { error: 'invalid_grant' }])
  const userinfo = async (token = '') =>
    await fetch(`${issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })
  t.match(await (await userinfo(token)).json(), { sub: 'alice', email: 'alice@example.com' })
  t.equal((await userinfo('other')).status, 401)
  t.equal((await fetch(`${issuer}/other`)).status, 404)
})

t.test('the test provider survives malformed requests', async t => {
  const provider = await startTestProvider()
  t.teardown(() => provider.close())
  const { hostname, port } = new URL(provider.options.issuer)
  const head = 'HTTP/1.1\r\nhost: x\r\nconnection: close\r\n'
  const answered = connect(Number(port), hostname).end(`GET // ${head}\r\n`)
  t.match(await text(answered), /^HTTP\/1.1 400 /)
  const aborted = connect(Number(port), hostname).end(`POST /token ${head}content-length: 9\r\n\r\nabc`)
  await text(aborted)
  t.equal((await fetch(`${provider.options.issuer}/jwks`)).status, 200)
})

story('as() logs a user in on each database', async (t, build) => {
  const { register, as, get } = await build(t)
  const { user } = await register()
  t.match((await get('/user', await as(user))).json(), { pk: user.pk })
})
