/** Every code of the error table occurs as it says, and the generated documentation is current. */
import { readFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import BetterSqlite3 from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { errors, type Code } from '../schemas/errors.js'
import { errorsPage, withOptions } from '../scripts/docs.js'
import { Failure, fieldError, Rejection, validOrThrow } from '../src/errors/failure.js'
import { authenticate } from '../src/index.js'
import { startBadProvider } from './support/hostile-provider.js'
import { alice, password, sqliteBuild, t, type BuiltApp } from './support/build.js'
import { createBrowser } from './support/social-browser.js'

const userFields = {
  level: { schema: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })) },
  motto: { schema: Type.Optional(Type.String({ minLength: 2, pattern: '^[a-z]*$' })) },
  badge: { schema: Type.Optional(Type.String()), unique: true },
  size: { schema: Type.Optional(Type.Union([Type.Literal('S'), Type.Literal('L')])) }
}
const account = {
  username: 'required',
  loginMethods: ['username', 'email'],
  usernameBlocklist: ['root'],
  usernameMinLength: 2
}
const ann = { username: 'ann', email: alice.email, password1: password }
const validators = [(candidate: string) => candidate === 'forbidden-word' ? 'Not that one.' : true]
const hooks = {
  registering: ({ username }: { username: string }) => {
    if (username === 'unwanted') throw new Rejection('Not you.')
    if (username === 'misfit') throw new Rejection('Not that name.', 'username')
  }
}

const people = { ann: { email: alice.email }, carol: { email: 'carol@example.com' }, silent: {} }

interface Situation extends BuiltApp {
  provider: Awaited<ReturnType<typeof startBadProvider>>
}
type Provocation = (app: Situation, token: string) => Promise<Awaited<ReturnType<BuiltApp['get']>>>
const register =
  (changes: object): Provocation =>
    ({ post }) =>
      post('/registration', { ...ann, username: 'bob', email: 'bob@example.com', ...changes })
const bearer = (authorization: string): Provocation => ({ get }) => get('/user', { headers: { authorization } })
const company =
  (body: object, path = '', fault = false): Provocation =>
    ({ post }, token) =>
      post(`/company${path}`, body, { ...(path && { token }), fault })
const carol = async ({ post }: BuiltApp) => (await post('/company', { code: 'code-carol' })).json().access

/** A request that provokes each code. A code that nothing provokes must not be in the table. */
const provocations: Record<Code, Provocation> = {
  validation_error: register({ email: 'x' }),
  not_an_object: ({ post }) => post('/login', [1]),
  malformed_body: ({ call }) => call('POST', '/login', { payload: '{' }),
  bad_request: ({ call }) => call('POST', '/login', { payload: '{}', headers: { 'content-length': '3' } }),
  identifier_required: ({ post }) => post('/login', { password }),
  invalid_credentials: ({ post }) => post('/login', { username: 'nobody', password }),
  email_not_verified: async () => {
    const { post } = await sqliteBuild(t, { options: { account: { emailVerification: 'mandatory' } } })
    await post('/registration', alice)
    return await post('/login', { email: alice.email, password })
  },
  provider_credentials_required: company({}),
  provider_token_invalid: company({ id_token: 'none' }),
  code_exchange_failed: company({ code: 'none' }),
  provider_denied: async app => {
    const browser = createBrowser(app)
    return await browser.comeBack(await app.provider.authorize(await browser.start('company'), 'ann', { deny: true }))
  },
  state_invalid: company({ login_code: 'none' }),
  next_not_allowed: ({ get }) => get('/company/login?next=//evil.example'),
  account_exists: company({ code: 'code-ann' }),
  social_account_taken: async (app, token) => {
    await carol(app)
    return await company({ code: 'code-carol' }, '/connect')(app, token)
  },
  last_login_method: async app => {
    const token = await carol(app)
    const [{ id }] = (await app.get('/socialaccounts', { token })).json()
    return await app.post(`/socialaccounts/${id}/disconnect`, undefined, { token })
  },
  rejected: register({ username: 'unwanted' }),
  not_authenticated: ({ get }) => get('/user'),
  bad_authorization_header: bearer('Bearer one two'),
  token_not_valid: bearer('Bearer x'),
  token_expired: async ({ get, clock }, token) => {
    clock.advance(300)
    const answer = await get('/user', { token })
    clock.advance(-300)
    return answer
  },
  user_not_found: async ({ app, get, register }) => {
    const { user, access } = await register({ username: 'gone', email: 'gone@example.com' })
    await app.restAuth.users.delete(user.pk)
    return await get('/user', { token: access })
  },
  user_inactive: async ({ app, get, register }) => {
    const { user, access } = await register({ username: 'idle', email: 'idle@example.com' })
    await app.restAuth.users.deactivate(user.pk)
    return await get('/user', { token: access })
  },
  reauthentication_required: async ({ app, clock }, token) => {
    clock.advance(61)
    const answer = await app.inject({ url: '/fresh', headers: { authorization: `Bearer ${token}` } })
    clock.advance(-61)
    return answer
  },
  registration_closed: async () => {
    const { post } = await sqliteBuild(t, { options: { account: { registration: 'closed' } } })
    return await post('/registration', alice)
  },
  csrf_failed: async () => {
    const { post } = await sqliteBuild(t, { options: { tokens: { cookies: {} } } })
    return await post('/login', { email: alice.email, password }, { headers: { 'sec-fetch-site': 'cross-site' } })
  },
  not_found: ({ get }) => get('/nowhere'),
  verification_key_invalid: ({ post }) => post('/registration/verify-email', { key: 'x' }),
  method_not_allowed: ({ put }) => put('/login'),
  body_too_large: ({ post }) => post('/login', { password: 'x'.repeat(20000) }),
  unsupported_media_type: ({ call }) =>
    call('POST', '/login', { payload: '<x/>', headers: { 'content-type': 'text/xml' } }),
  too_many_requests: async () => {
    const { post } = await sqliteBuild(t, { options: { limits: { login: ['1/1m/ip'] } } })
    await post('/login', { email: alice.email, password })
    return await post('/login', { email: alice.email, password })
  },
  internal_error: async () => {
    const { post } = await sqliteBuild(t, { options: { hooks: { registering: () => { throw new Error('a bug') } } } })
    return await post('/registration', alice, { fault: true })
  },
  provider_error: async (app, token) => {
    app.provider.lie = 'another issuer'
    const answer = await company({ code: 'code-ann' }, '', true)(app, token)
    app.provider.lie = undefined
    return answer
  },
  provider_email_missing: company({ code: 'code-silent' }, '', true),
  provider_unavailable: async (app, token) => {
    app.provider.faults = { token: 'error500' }
    const answer = await company({ code: 'code-ann' }, '', true)(app, token)
    app.provider.faults = {}
    return answer
  },
  server_busy: async ({ post }) => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => post('/login', { username: 'nobody', password }, { fault: true }))
    )
    return answers.find(answer => answer.statusCode === 503) ?? await post('/login')
  },
  service_unavailable: async () => {
    const client = new BetterSqlite3(':memory:')
    const { post } = await sqliteBuild(t, { database: drizzle({ client }) })
    client.pragma('query_only = ON')
    return await post('/registration', alice, { fault: true })
  },
  required: register({ password1: undefined }),
  null: register({ email: null }),
  blank: register({ username: '' }),
  invalid: register({ motto: 'LOUD' }),
  invalid_type: register({ email: 5 }),
  invalid_choice: register({ size: 'M' }),
  invalid_email: register({ email: 'x' }),
  invalid_username: register({ username: 'a b' }),
  max_length: register({ username: 'x'.repeat(151) }),
  min_length: register({ motto: 'x' }),
  max_value: register({ level: 10 }),
  min_value: register({ level: 0 }),
  null_characters_not_allowed: register({ username: 'a\0b' }),
  surrogate_characters_not_allowed: register({ username: 'a\ud800' }),
  email_taken: register({ email: alice.email }),
  username_taken: register({ username: 'ANN' }),
  username_not_allowed: register({ username: 'root' }),
  value_taken: async app => {
    await register({ username: 'first', email: 'first@example.com', badge: '1' })(app, '')
    return await register({ badge: '1' })(app, '')
  },
  token_invalid: ({ post }) => post('/password/reset/confirm', { uid: 'x', token: 'x', new_password1: password }),
  wrong_password: ({ post }, token) =>
    post('/password/change', { old_password: 'wrong', new_password1: password }, { token }),
  incorrect_password: ({ post }, token) => post('/reauthenticate', { password: 'wrong' }, { token }),
  password_mismatch: register({ password2: 'other' }),
  password_too_short: register({ password1: 'xq7' }),
  password_too_common: register({ password1: 'iloveyou' }),
  password_entirely_numeric: register({ password1: '8273645101928' }),
  password_too_similar: register({ password1: 'bob@example.com' }),
  password_not_allowed: register({ password1: 'forbidden-word' }),
  value_not_allowed: register({ username: 'misfit' })
}

/** Codes that only appear on pages in a browser. */
const onPages = ['provider_denied', 'next_not_allowed']

t.test('every error code occurs, with the status that the error table gives', async t => {
  const provider = await startBadProvider(t, { people })
  const social = {
    company: { issuer: provider.issuer, clientId: provider.clientId, clientSecret: provider.clientSecret }
  }
  const built = await sqliteBuild(t, {
    options: { account, userFields, hooks, password: { validators }, social },
    after: app => { app.get('/fresh', { onRequest: app.authenticate({ maxAge: 60 }) }, async () => ({})) }
  })
  const { access } = (await built.post('/registration', ann)).json()
  for (const [code, { status }] of Object.entries(errors)) {
    const answer = await provocations[code as Code]({ ...built, provider }, access)
    t.equal(answer.statusCode, status, code)
    if (onPages.includes(code)) {
      t.ok(answer.body.includes(`>${code}</p>`), `${code}: ${answer.body}`)
      continue
    }
    const body = answer.json()
    t.ok(
      body.code === code || body.errors?.some((error: { code: string }) => error.code === code),
      `${code}: ${answer.body}`
    )
  }
})

t.test('docs/errors.md lists the error table', async t => {
  t.equal(readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8'), errorsPage(), 'stale: npm run docs')
})

t.test('README.md lists the options', async t => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  t.equal(readme, withOptions(readme), 'stale: npm run docs')
})

t.test('validOrThrow returns the values only if there are no errors and no value is missing', async t => {
  t.same(validOrThrow({ token: 'x', password: 'y' }, []), { token: 'x', password: 'y' })
  t.throws(() => validOrThrow({ token: undefined }, [fieldError('token', 'required')]), { code: 'validation_error' })
  t.throws(() => validOrThrow({ token: undefined }, []), { message: 'a missing value has no field error: token' })
})

t.test('a failure has the members of http-errors, which libraries also write', async t => {
  const failure = new Failure('not_authenticated')
  t.match(failure, { status: 401, expose: true })
  t.match(new Failure('internal_error'), { status: 500, expose: false })
  t.notOk(Object.keys(failure).includes('status'), 'logs do not show the status twice')
  // As createError(403, failure) does.
  Object.assign(failure, { expose: false, status: 403, statusCode: 403 })
  t.match(failure, { status: 403, statusCode: 403, expose: false })
})

t.test('sendFailure() sends a failure as our own routes do, and passes on every other error', async t => {
  const { app, get } = await sqliteBuild(t, {
    before: app => {
      app.setErrorHandler((error: Failure, _request, reply) => app.restAuth.sendFailure(reply, error))
      app.get('/me', { onRequest: authenticate }, async () => {})
      app.get('/broken', async () => { throw new Error('broken') })
    }
  })
  const refused = await app.inject('/me')
  const own = await get('/user')
  t.equal(refused.body, own.body)
  for (const name of ['content-type', 'www-authenticate']) t.equal(refused.headers[name], own.headers[name])
  t.match((await app.inject('/broken')).json(), { statusCode: 500, message: 'broken' })
})
