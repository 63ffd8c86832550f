/** Fields with `stored: false`: registration asks for them, `hooks.registering` gets them, and nothing keeps them. */
import { Type } from '@sinclair/typebox'
import { sql } from 'drizzle-orm'
import { Rejection } from '../src/index.js'
import { bodySchemaIn } from './support/answers.js'
import {
  alice, articleOptions, fieldCodes, password, story, type Build, type BuildOptions, type BuiltApp, type Test
} from './support/build.js'
import { sharedDatabase, withBadProvider } from './support/hostile-provider-app.js'
import { withProvider } from './support/social-app.js'

const unstored = {
  invitation: { schema: Type.String({ maxLength: 20, pattern: '^[A-Z0-9-]+$' }), stored: false },
  terms: { schema: Type.Literal(true), stored: false },
  source: { schema: Type.Optional(Type.Union([Type.Literal('friend'), Type.Literal('web')])), stored: false },
  seats: { schema: Type.Integer({ minimum: 1, default: 1 }), stored: false }
} as const
const userFields = { ...articleOptions.userFields, ...unstored }
const names = Object.keys(unstored)
const asked = { invitation: 'SPRING-26', terms: true }
const known = new Set([asked.invitation])

type Input = Record<string, unknown>

/** An app that takes only people with an invitation, and what its hook was given. */
async function buildInviting (t: Test, build: Build, options: object = {}, more: BuildOptions = {}) {
  const heard: Input[] = []
  const registering = (input: Input) => {
    heard.push(input)
    if (!known.has(String(input.invitation))) throw new Rejection('There is no such invitation.', 'invitation')
  }
  return { ...await build(t, { ...more, options: { userFields, hooks: { registering }, ...options } }), heard }
}

const propertiesOf = ({ app }: Pick<BuiltApp, 'app'>, path: string, method: string) =>
  bodySchemaIn(app.restAuth.openapi(), path, method)

story('registration asks for an unstored field, the hook gets it, and nothing shows it later', async (t, build) => {
  const requested: unknown[] = []
  const app = await buildInviting(t, build, {}, {
    after: app => app.get('/me', { onRequest: app.authenticate }, async ({ user }) => { requested.push(user) })
  })
  const answer = await app.post('/registration', { ...alice, ...asked, source: 'web', seats: 3 })
  t.equal(answer.statusCode, 201, answer.body)
  const { password1: _password, ...sent } = alice
  t.same(app.heard, [{ ...sent, ...asked, source: 'web', seats: 3 }])
  const { user, access: token } = answer.json()
  await app.app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } })
  const login = (await app.post('/login', { email: alice.email, password })).json()
  const views = [
    user, login.user, (await app.get('/user', { token })).json(), requested[0],
    await app.app.restAuth.users.find({ email: alice.email })
  ]
  for (const view of views) {
    t.match(view, { email: alice.email, gender: 'F' })
    for (const name of [...names, 'missing_fields']) t.notHas(view, name)
  }
  for (const method of ['PATCH', 'PUT'] as const) {
    const changes = { ...sent, gender: 'M', invitation: 'other', terms: 'no', seats: 0 }
    const changed = await app.call(method, '/user', { body: changes, token })
    t.equal(changed.statusCode, 200, `${method} ignores them like unknown fields`)
    t.match(changed.json(), { gender: 'M' })
    for (const name of names) t.notHas(changed.json(), name)
  }
})

story('an unstored field has no column', async (t, build, { dialect }) => {
  const shared = sharedDatabase(t, dialect)
  const app = await buildInviting(t, build, shared.given)
  await app.post('/registration', { ...alice, ...asked })
  const db = await shared.open(app)
  const source = dialect === 'sqlite'
    ? { name: sql<string>`name`, from: sql`pragma_table_info('users')` }
    : { name: sql<string>`column_name`, from: sql`information_schema.columns where table_name = 'users'` }
  const columns = (await db.orm.select({ name: source.name }).from(source.from)).map(({ name }) => name)
  t.ok(columns.includes('gender'))
  for (const name of names) t.notOk(columns.includes(name), name)
})

story('an unstored field is validated with the others, and reported in the order of the schema', async (t, build) => {
  const { post, heard } = await buildInviting(t, build)
  t.same(fieldCodes(await post('/registration', alice)), { invitation: ['required'], terms: ['required'] })
  const wrong = { ...alice, gender: 'X', invitation: 'not this', terms: false, source: 'mars', seats: 0 }
  t.same(Object.entries(fieldCodes(await post('/registration', wrong))), [
    ['gender', ['invalid_choice']], ['invitation', ['invalid']], ['terms', ['invalid_choice']],
    ['source', ['invalid_choice']], ['seats', ['min_value']]
  ])
  t.same(heard, [], 'the hook gets valid values only')
})

story('the hook refuses a wrong value with an error of that field', async (t, build) => {
  const { post, app } = await buildInviting(t, build)
  const answer = await post('/registration', { ...alice, ...asked, invitation: 'AUTUMN-26' })
  t.equal(answer.statusCode, 400)
  t.match(answer.json(), {
    code: 'validation_error',
    errors: [{ field: 'invitation', code: 'value_not_allowed', message: 'There is no such invitation.' }]
  })
  t.equal(await app.restAuth.users.find({ email: alice.email }), undefined)
  const drf = await buildInviting(t, build, { errors: 'drf' })
  const refused = await drf.post('/registration', { ...alice, ...asked, invitation: 'AUTUMN-26' })
  t.same([refused.statusCode, refused.json()], [400, { invitation: ['There is no such invitation.'] }])
})

story('with mandatory verification, a wrong value is refused for free and taken addresses alike', async (t, build) => {
  const account = { ...articleOptions.account, emailVerification: 'mandatory' }
  const { post, mails } = await buildInviting(t, build, { account })
  const register = async (invitation: string) =>
    (await post('/registration', { ...alice, ...asked, invitation })).json()
  const refusal = await register('WRONG')
  t.equal(refusal.code, 'validation_error')
  const first = await register(asked.invitation)
  t.same(first, { detail: 'Verification e-mail sent.' })
  t.same(await register('WRONG'), refusal)
  t.same(await register(asked.invitation), first)
  t.equal((await mails()).length, 2, 'the owner of the address hears of the second')
})

story('forms send unstored fields, and a box that is not ticked is missing', async (t, build) => {
  const { call, app, heard } = await buildInviting(t, build)
  const form = { ...alice, invitation: ' SPRING-26 ', terms: 'on', source: '', seats: '2' }
  t.equal((await call('POST', '/registration', { form })).statusCode, 201)
  t.match(heard, [{ invitation: 'SPRING-26', terms: true, seats: 2 }])
  t.notHas(heard[0], 'source')
  const { terms: _terms, ...unticked } = form
  t.same(fieldCodes(await call('POST', '/registration', { form: { ...unticked, email: 'b@example.com' } })), {
    terms: ['invalid_choice']
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const multipart = new FormData()
  for (const [name, value] of Object.entries({ ...form, email: 'c@example.com' })) multipart.append(name, value)
  const sent = await fetch(`${url}/auth/registration`, { method: 'POST', body: multipart })
  t.equal(sent.status, 201)
  t.match(heard[1], { email: 'c@example.com', invitation: 'SPRING-26', terms: true, seats: 2 })
})

story('an unstored field that is left out has its default, and an optional one may be null', async (t, build) => {
  const { post, heard } = await buildInviting(t, build)
  await post('/registration', { ...alice, ...asked, source: null })
  t.match(heard, [{ seats: 1, source: null }])
  const taken = { ...alice, email: 'b@example.com', ...asked, seats: null }
  t.same(fieldCodes(await post('/registration', taken)), { seats: ['null'] })
})

story('normalize gives an unstored value its form before the hook gets it', async (t, build) => {
  const normalize = (value: string) => value.toUpperCase()
  const { post } = await buildInviting(t, build, {
    userFields: { ...userFields, invitation: { ...unstored.invitation, normalize } }
  })
  t.equal((await post('/registration', { ...alice, ...asked, invitation: 'spring-26' })).statusCode, 201)
})

story('code on the server creates users without unstored fields', async (t, build) => {
  const { app, heard } = await buildInviting(t, build)
  const { email, gender, phone_number: phone } = alice
  const input = { email, gender, phone_number: phone, password }
  t.match(await app.restAuth.users.create(input as never), { email, gender })
  t.same(heard, [])
  await t.rejects(app.restAuth.users.create({ ...input, email: 'b@example.com', ...asked } as never), {
    name: 'TypeError', message: 'users: there is no field invitation'
  })
  const { pk } = await app.restAuth.users.find({ email }) ?? { pk: '' }
  await t.rejects(app.restAuth.users.update(pk, asked as never), { name: 'TypeError' })
})

story('a social login can not be asked, so the hook gets no value, and decides', async (t, build) => {
  const heard: Input[] = []
  const registering = (input: Input) => {
    heard.push(input)
    if (input.email === 'bob@example.com') throw new Rejection('By invitation only.', 'invitation')
  }
  const { enter, app, get } = await withBadProvider(t, build, { options: { userFields, hooks: { registering } } })
  const answer = await enter('alice')
  t.equal(answer.statusCode, 200, answer.body)
  t.match(heard, [{ email: 'alice@example.com', seats: 1 }])
  for (const name of ['invitation', 'terms', 'source']) t.notHas(heard[0], name)
  const { user, access: token } = answer.json()
  t.same(user.missing_fields, ['gender', 'phone_number'], 'nothing asks for them later')
  t.equal((await get('/user', { token })).statusCode, 200)
  const refused = await enter('bob')
  t.equal(refused.statusCode, 400)
  t.same(fieldCodes(refused), { invitation: ['value_not_allowed'] })
  t.equal(await app.restAuth.users.find({ email: 'bob@example.com' }), undefined)
})

story('closed registration asks for nothing', async (t, build) => {
  const account = { ...articleOptions.account, registration: 'closed' }
  const { post, heard } = await buildInviting(t, build, { account })
  t.equal((await post('/registration', alice)).json().code, 'registration_closed')
  t.same(heard, [])
})

story('a hook of the app can check an unstored field outside the transaction', async (t, build) => {
  const asked: string[] = []
  const { post, app } = await build(t, {
    options: { userFields: { captcha: { schema: Type.String({ maxLength: 4096 }), stored: false } } },
    before: app => app.addHook('preHandler', async request => {
      const isRegistration = request.routeOptions.url?.replace(/\/$/, '') === '/auth/registration'
      if (!isRegistration || request.validationError) return
      const { captcha } = request.body as { captcha: string }
      asked.push(captcha)
      if (captcha !== 'human') throw new Rejection('Solve the captcha again.', 'captcha')
    })
  })
  const newcomer = { email: alice.email, password1: password }
  for (const path of ['/registration', '/registration/']) {
    t.same(fieldCodes(await post(path, { ...newcomer, captcha: 'bot' })), { captcha: ['value_not_allowed'] }, path)
  }
  t.same(fieldCodes(await post('/registration', newcomer)), { captcha: ['required'] })
  t.equal(await app.restAuth.users.find({ email: alice.email }), undefined)
  t.equal((await post('/registration', { ...newcomer, captcha: 'human' })).statusCode, 201)
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
  t.same(asked, ['bot', 'bot', 'human'])
})

story('a redirect login that the hook refuses ends on a page with its message', async (t, build) => {
  const registering = ({ invitation }: Input) => {
    if (invitation === undefined) throw new Rejection('By invitation only.', 'invitation')
  }
  const { openid, browser } = await withProvider(t, build, { userFields, hooks: { registering } })
  const answer = await browser.comeBack(await openid.authorize(await browser.start('company'), 'alice'))
  t.equal(answer.statusCode, 400)
  t.match(answer.body, 'By invitation only.')
})

story('the document has unstored fields in the body of registration, and nowhere else', async (t, build) => {
  const built = await buildInviting(t, build)
  const { properties, required } = propertiesOf(built, '/auth/registration', 'post')
  t.match(properties, {
    invitation: { type: 'string', maxLength: 20 },
    terms: { enum: [true] },
    source: { enum: ['friend', 'web', null] },
    seats: { type: 'integer', default: 1 }
  })
  t.same(required, ['email', 'password1', 'gender', 'phone_number', 'invitation', 'terms'])
  for (const method of ['put', 'patch']) {
    t.same(Object.keys(propertiesOf(built, '/auth/user', method).properties), ['gender', 'phone_number'])
  }
  const { AuthUser } = (built.app.restAuth.openapi() as any).components.schemas
  t.same(Object.keys(AuthUser.properties), ['pk', 'email', 'gender', 'phone_number', 'missing_fields'])
})

story('the column of a field that is no longer stored stays, and is ignored', async (t, build, { dialect }) => {
  const shared = sharedDatabase(t, dialect)
  const stored = { ...articleOptions.userFields, invitation: { schema: Type.String(), unique: true } }
  const start = async (fields: object, database?: unknown) =>
    await build(t, { ...(database !== undefined && { database }), options: { userFields: fields, ...shared.given } })
  const first = await start(stored)
  await first.register(asked)
  const second = await start({ ...articleOptions.userFields, invitation: unstored.invitation }, first.database)
  for (const email of ['b@example.com', 'c@example.com']) {
    t.equal((await second.post('/registration', { ...alice, email, invitation: asked.invitation })).statusCode, 201)
  }
  t.notHas((await second.post('/login', { email: alice.email, password })).json().user, 'invitation')
  const third = await start(stored, first.database)
  t.match((await third.post('/login', { email: alice.email, password })).json().user, { invitation: asked.invitation })
  t.match((await third.post('/login', { email: 'b@example.com', password })).json().user, {
    invitation: null, missing_fields: ['invitation']
  })
})
