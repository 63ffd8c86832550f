/** What a blank value means: HTML forms send every field, and front ends send `""` for what was not filled in. */
import { Type } from '@sinclair/typebox'
import { bodySchemaIn, uidAndTokenIn } from './support/answers.js'
import { alice, articleOptions, fieldCodes, password, story, type BuiltApp } from './support/build.js'

const optional = {
  motto: { schema: Type.Optional(Type.String({ maxLength: 30 })) },
  first_name: { schema: Type.Optional(Type.String({ default: '' })) },
  birthday: { schema: Type.Optional(Type.String({ format: 'date' })) },
  code: { schema: Type.Optional(Type.String({ pattern: '^[A-Z]+$' })) },
  short: { schema: Type.Optional(Type.String({ minLength: 3 })) },
  level: { schema: Type.Optional(Type.Integer()) },
  height: { schema: Type.Optional(Type.Number()) },
  newsletter: { schema: Type.Optional(Type.Boolean()) },
  plan: { schema: Type.Optional(Type.Union([Type.Literal('free'), Type.Literal('gold')])) },
  tags: { schema: Type.Optional(Type.Array(Type.String())) },
  picks: { schema: Type.Optional(Type.Array(Type.String(), { minItems: 1 })) }
} as const
const full = {
  motto: 'Onwards',
  first_name: 'Alice',
  birthday: '2000-02-29',
  code: 'AB',
  short: 'abc',
  level: 3,
  height: 1.7,
  newsletter: true,
  plan: 'gold',
  tags: ['a'],
  picks: ['b']
}
const emptied = {
  motto: '',
  first_name: '',
  birthday: null,
  code: null,
  short: null,
  level: null,
  height: null,
  newsletter: null,
  plan: null,
  tags: [],
  picks: null
}
const blanks = (text = '') => Object.fromEntries(Object.keys(optional).map(name => [name, text]))
const options = { userFields: optional }
const newcomer = { email: alice.email, password1: password }

story('an optional field that a form sends blank is emptied, by PATCH and by PUT', async (t, build) => {
  const { call, get, post } = await build(t, { options })
  const { access: token } = (await post('/registration', { ...newcomer, ...full })).json()
  for (const method of ['PATCH', 'PUT'] as const) {
    for (const text of ['', ' \t ']) {
      t.match((await call('PATCH', '/user', { body: full, token })).json(), full)
      const answer = await call(method, '/user', { form: blanks(text), token })
      t.equal(answer.statusCode, 200)
      t.match(answer.json(), emptied, `${method} ${JSON.stringify(text)}`)
      t.match((await get('/user', { token })).json(), emptied)
    }
  }
})

story('a form empties an optional username; a required one must not be blank', async (t, build) => {
  const account = { loginMethods: ['email', 'username'] }
  const { call, post } = await build(t, { options: { userFields: {}, account: { ...account, username: 'optional' } } })
  const { access: token } = (await post('/registration', { ...newcomer, username: 'ann' })).json()
  t.same(fieldCodes(await call('PATCH', '/user', { body: { username: '' }, token })), { username: ['blank'] })
  t.equal((await call('PATCH', '/user', { form: { username: '' }, token })).json().username, null)

  const other = await build(t, { options: { userFields: {}, account: { ...account, username: 'required' } } })
  const registered = (await other.post('/registration', { ...newcomer, username: 'ann' })).json()
  for (const method of ['PATCH', 'PUT'] as const) {
    const answer = await other.call(method, '/user', { form: { username: ' ' }, token: registered.access })
    t.same(fieldCodes(answer), { username: ['blank'] })
  }
})

story('a required field that an edit sends blank is an error, and keeps its value', async (t, build) => {
  const userFields = Object.fromEntries(Object.entries(optional).map(([name, { schema }]) =>
    [name, { schema: Type.Unsafe({ ...schema, default: undefined }), registration: 'required' }]))
  const { call, get, post } = await build(t, { options: { userFields } })
  const { access: token, user } = (await post('/registration', { ...newcomer, ...full })).json()
  const { tags: _emptyList, ...form } = blanks()
  const codes = {
    motto: ['blank'],
    first_name: ['blank'],
    birthday: ['blank'],
    code: ['blank'],
    short: ['blank'],
    level: ['invalid_type'],
    height: ['invalid_type'],
    newsletter: ['invalid_type'],
    plan: ['invalid_choice'],
    picks: ['invalid_type']
  }
  for (const method of ['PATCH', 'PUT'] as const) {
    t.same(fieldCodes(await call(method, '/user', { form, token })), codes, method)
    for (const name of ['motto', 'birthday', 'code', 'short', 'plan']) {
      t.same(
        fieldCodes(await call(method, '/user', { body: { ...full, [name]: ' ' }, token })),
        { [name]: [name === 'plan' ? 'invalid_choice' : 'blank'] }, `JSON ${method} ${name}`
      )
    }
  }
  t.same((await get('/user', { token })).json(), user)
})

story('JSON `""` for an optional date empties it, and is text for a string', async (t, build) => {
  const { app, patch, put, post } = await build(t, { options })
  const { access: token, user } = (await post('/registration', { ...newcomer, ...full })).json()
  for (const write of [patch, put]) {
    await write('/user', full, { token })
    const answer = await write('/user', { birthday: '', motto: '', first_name: ' ' }, { token })
    t.equal(answer.statusCode, 200)
    t.match(answer.json(), { ...full, birthday: null, motto: '', first_name: '' })
  }
  t.same(
    fieldCodes(await patch('/user', { code: '', short: '', level: '', newsletter: '', plan: '', tags: '' }, { token })),
    {
      code: ['invalid'],
      short: ['blank'],
      level: ['invalid_type'],
      newsletter: ['invalid_type'],
      plan: ['invalid_choice'],
      tags: ['invalid_type']
    }
  )
  await patch('/user', full, { token })
  const updated = await app.restAuth.users.update(user.pk, { birthday: '' } as object)
  t.equal((updated as unknown as { birthday: unknown }).birthday, null, 'from code, too')
})

story('registration stores nothing, or the default, for an optional field sent blank', async (t, build) => {
  const level = { schema: Type.Optional(Type.Integer({ default: 7 })) }
  const { call } = await build(t, { options: { userFields: { ...optional, level } } })
  const answer = await call('POST', '/registration', { form: { ...newcomer, ...blanks() } })
  t.equal(answer.statusCode, 201)
  t.match(answer.json().user, { ...emptied, motto: null, tags: null, level: 7 })
})

story('users may all have nothing in a unique optional field, however they leave it blank', async (t, build) => {
  const unique = true
  const userFields = {
    nickname: { schema: Type.Optional(Type.String()), unique },
    phone: { schema: Type.Optional(Type.String({ pattern: '^\\+\\d+$' })), unique },
    handle: { schema: Type.Optional(Type.String({ minLength: 3 })), unique },
    website: { schema: Type.Optional(Type.String({ format: 'uri' })), unique },
    number: { schema: Type.Optional(Type.Integer()), unique },
    badge: { schema: Type.String(), unique }
  } as const
  const { app, call, post } = await build(t, { options: { userFields } })
  let users = 0
  const next = () => ({ email: `user${++users}@example.com`, password1: password, badge: `B${users}` })
  const text = { nickname: '', phone: '', handle: '', website: '' }
  const nothing = { nickname: null, phone: null, handle: null, website: null }
  for (const blank of [text, { nickname: ' ', phone: '\t', handle: '  ', website: ' ' }, nothing, {}]) {
    const answer = await post('/registration', { ...next(), ...blank })
    t.equal(answer.statusCode, 201, JSON.stringify(blank))
    t.match(answer.json().user, nothing)
    const form = await call('POST', '/registration', { form: { ...next(), ...text, number: '' } })
    t.match(form.json().user, { ...nothing, number: null })
  }
  for (let edit = 0; edit < 2; edit++) {
    const given = { nickname: 'n', phone: '+1', handle: 'abc', website: 'https://a.example/', number: 1 }
    const { access: token } = (await post('/registration', { ...next(), ...given })).json()
    t.match((await call('PATCH', '/user', { body: text, token })).json(), { ...nothing, number: 1 })
    t.match((await call('PATCH', '/user', { body: given, token })).json(), given)
    const form = { ...text, number: ' ' }
    t.match((await call('PATCH', '/user', { form, token })).json(), { ...nothing, number: null })
    t.same(fieldCodes(await call('PATCH', '/user', { body: { badge: '' }, token })), { badge: ['blank'] })
  }
  for (let created = 0; created < 2; created++) {
    const { email, badge } = next()
    t.match(await app.restAuth.users.create({ email, badge, ...text } as never), nothing)
  }
})

story('50 users can blank the same unique field at once', async (t, build) => {
  const userFields = { nickname: { schema: Type.Optional(Type.String()), unique: true } }
  const { call, post } = await build(t, { options: { userFields } })
  const tokens = await Promise.all(Array.from({ length: 50 }, async (_, index) => {
    const user = { ...newcomer, email: `u${index}@example.com`, nickname: `n${index}` }
    return (await post('/registration', user)).json().access
  }))
  const answers = await Promise.all(tokens.map(async (token, index) =>
    await call('PATCH', '/user', { [index % 2 ? 'form' : 'body']: { nickname: '' }, token })))
  t.same([...new Set(answers.map(({ statusCode }) => statusCode))], [200])
  t.same([...new Set(answers.map(answer => answer.json().nickname))], [null])
})

story('a form without a checkbox stores false by PUT and at registration, but not by PATCH', async (t, build) => {
  const boxes = {
    wanted: { schema: Type.Boolean() },
    news: { schema: Type.Optional(Type.Boolean()) },
    shared: { schema: Type.Optional(Type.Boolean({ default: true })) },
    tags: { schema: Type.Optional(Type.Array(Type.String())) },
    picks: { schema: Type.Optional(Type.Array(Type.String(), { minItems: 1 })) },
    motto: optional.motto
  }
  const { call, post } = await build(t, { options: { userFields: boxes } })
  const ticked = { wanted: true, news: true, shared: true, tags: ['a'], picks: ['b'], motto: 'x' }
  const { access: token } = (await post('/registration', { ...newcomer, ...ticked })).json()
  t.match((await call('PATCH', '/user', { form: { motto: 'y' }, token })).json(), { ...ticked, motto: 'y' })
  t.match((await call('PUT', '/user', { body: { wanted: true }, token })).json(), { ...ticked, motto: 'y' }, 'JSON')
  t.match((await call('PUT', '/user', { form: { news: 'on' }, token })).json(), {
    wanted: false, news: true, shared: false, tags: [], picks: null, motto: 'y'
  })
  const other = await call('POST', '/registration', { form: { ...newcomer, email: 'bob@example.com', news: 'on' } })
  t.match(other.json().user, { wanted: false, news: true, shared: false, tags: null, picks: null, motto: null })
})

const twice = 'password_mismatch'

story('a blank repetition of a password is a mismatch', async (t, build) => {
  const app = await build(t)
  for (const sent of [{ form: { ...alice, password2: '' } }, { body: { ...alice, password2: '' } }]) {
    t.same(fieldCodes(await app.call('POST', '/registration', sent)), { password2: [twice] })
  }
  t.same(fieldCodes(await app.call('POST', '/registration', { form: { ...alice, password2: ' ' } })), {
    password2: [twice]
  })
  const { access: token } = await app.register()
  const change = { old_password: password, new_password1: 'An0ther-secret-pw', new_password2: '' }
  for (const sent of [{ form: change }, { body: change }]) {
    t.same(fieldCodes(await app.call('POST', '/password/change', { ...sent, token })), { new_password2: [twice] })
  }
  t.same(fieldCodes(await app.call('POST', '/password/change', { form: { ...change, new_password1: '' }, token })), {
    new_password1: ['blank'], new_password2: ['blank']
  })
  const link = await resetLink(app)
  const fresh = { new_password1: 'Brand-new-pw-1', new_password2: '' }
  for (const sent of [{ form: { ...link, ...fresh } }, { body: { ...link, ...fresh } }]) {
    t.same(fieldCodes(await app.call('POST', '/password/reset/confirm', sent)), { new_password2: [twice] })
  }
  const page = await app.call('POST', `/password/reset/confirm/${link.uid}/${link.token}`, { form: fresh })
  t.equal(page.statusCode, 400)
  t.match(page.body, /id="new_password2-error" role="alert"><p>The two password fields didn/)
  t.equal((await app.post('/login', { email: alice.email, password })).statusCode, 200, 'nothing has changed')
})

async function resetLink ({ post, mails }: BuiltApp) {
  await post('/password/reset', { email: alice.email })
  return uidAndTokenIn((await mails())[0])
}

story("in Django REST framework's shape, forms answer as there", async (t, build) => {
  const { call, register } = await build(t, {
    options: { errors: 'drf', userFields: { ...articleOptions.userFields, first_name: optional.first_name } }
  })
  const { access: token } = await register({ first_name: 'Alice' })
  t.match((await call('PATCH', '/user', { form: { first_name: '' }, token })).json(), { first_name: '' })
  t.same((await call('PATCH', '/user', { form: { gender: '' }, token })).json(), {
    gender: ['"" is not a valid choice.']
  })
  t.same((await call('POST', '/registration', { form: { ...alice, email: 'b@example.com', password2: '' } })).json(), {
    non_field_errors: ["The two password fields didn't match."]
  })
})

const website = { schema: Type.Optional(Type.String({ format: 'uri' })) }
const handle = { schema: Type.Optional(Type.String()), unique: true }

story("in Django REST framework's shape, text that a user does not have is blank, as there", async (t, build) => {
  const userFields = { ...articleOptions.userFields, ...optional, website, handle }
  const { app, post, get, patch, call } = await build(t, { options: { errors: 'drf', userFields } })
  const login = { email: alice.email, password }
  const { pk } = await app.restAuth.users.create({ ...login, gender: 'F', phone_number: '1' } as never)
  await app.restAuth.users.update(pk, { first_name: null } as never)
  const { access: token, user } = (await post('/login', login)).json()
  const blank = { motto: '', first_name: '', code: '', short: '', plan: '', website: '' }
  // Unique text and dates are NULL in Django.
  const missing = { birthday: null, handle: null, level: null, height: null, newsletter: null, tags: null, picks: null }
  t.match(user, { ...blank, ...missing })
  t.same((await get('/user', { token })).json(), user)
  t.match(await app.restAuth.users.find({ pk }), { motto: null, first_name: null, plan: null, website: null })
  t.same((await call('PUT', '/user', { body: user, token })).json(), user, 'what was answered may be sent back')
  t.match((await patch('/user', full, { token })).json(), full)
  t.match((await patch('/user', blank, { token })).json(), blank)
  t.match(await app.restAuth.users.find({ pk }), { motto: '', code: null, short: null, plan: null, website: null })
  const registered = await post('/registration', {
    ...newcomer, email: 'b@example.com', gender: 'F', phone_number: '1', ...blank
  })
  t.equal(registered.statusCode, 201, registered.body)
  t.match(registered.json().user, blank)
})

story("in Django REST framework's shape, an account without an address has a blank one", async (t, build) => {
  const account = { username: 'required', email: 'optional', loginMethods: ['username'], emailVerification: 'none' }
  for (const [errors, email] of [['drf', ''], ['problem', null]]) {
    const { post, app } = await build(t, { options: { errors, account, userFields: {} } })
    const { user } = (await post('/registration', { username: 'alice', password1: password })).json()
    t.equal(user.email, email)
    t.match(await app.restAuth.users.find({ username: 'alice' }), { email: null })
  }
})

story("in Django REST framework's shape, the document says where text is blank", async (t, build) => {
  const userFields = { ...optional, website, handle }
  const { app } = await build(t, { options: { errors: 'drf', userFields } })
  const document = app.restAuth.openapi() as any
  const { properties } = document.components.schemas.AuthUser
  for (const name of ['motto', 'first_name', 'code', 'short', 'website']) t.equal(properties[name].type, 'string', name)
  t.notHas(properties.website, 'format')
  t.match(properties.missing_fields.description, /^Fields that are blank or `null` because/)
  t.match(properties.plan, { type: 'string', enum: ['free', 'gold', ''] })
  for (const name of ['birthday', 'handle']) t.same(properties[name].type, ['string', 'null'], name)
  t.same(bodySchemaIn(document, '/auth/user', 'patch').properties.plan.enum, ['free', 'gold', null, ''])
})
