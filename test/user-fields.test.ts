import { Type } from '@sinclair/typebox'
import { sql } from 'drizzle-orm'
import { defaultUserFields } from '../schemas/user-fields.js'
import { openDatabase } from '../src/db/open.js'
import { bodySchemaIn } from './support/answers.js'
import { alice, articleOptions, fieldCodes, story, t } from './support/build.js'
import { temporaryFile } from './support/databases.js'

const everyKind = {
  nickname: { schema: Type.String({ maxLength: 20 }) },
  level: { schema: Type.Integer({ minimum: 1 }) },
  height: { schema: Type.Number() },
  newsletter: { schema: Type.Boolean() },
  plan: { schema: Type.Union([Type.Literal('free'), Type.Literal("d'or")]) },
  address: { schema: Type.Object({ city: Type.String(), zip: Type.Optional(Type.String()) }) },
  tags: { schema: Type.Array(Type.String({ maxLength: 10 })) },
  website: { schema: Type.Optional(Type.String({ format: 'uri' })) },
  invited_by: { schema: Type.String(), registration: 'hidden', userDetails: 'read-only' },
  note: { schema: Type.String(), registration: 'optional', userDetails: 'hidden' },
  badge: { schema: Type.Optional(Type.String({ maxLength: 10 })), unique: true, column: 'badge_number' }
} as const
const values = {
  nickname: 'Al',
  level: 3,
  height: 1.7,
  newsletter: false,
  plan: "d'or",
  address: { city: 'Bern' },
  tags: ['a', 'b']
}
const newcomer = { email: alice.email, password1: alice.password1, ...values }
const options = { userFields: everyKind }

story('a user field of each type is stored in its own column and returned unchanged', async (t, build, { dialect }) => {
  const { post, get, database, app } = await build(t, { options })
  const answer = await post('/registration', newcomer)
  t.equal(answer.statusCode, 201)
  const { user, access } = answer.json()
  t.match(user, { ...values, website: null, invited_by: null, badge: null })
  t.notHas(user, 'note')
  t.same((await get('/user', { token: access })).json(), user)
  t.match(await app.restAuth.users.find({ email: alice.email }), { ...values, note: null })
  if (dialect === 'sqlite') return
  const db = await openDatabase(database, [], () => {})
  t.teardown(() => db.close())
  const columns = await db.orm
    .select({ name: sql<string>`column_name`, type: sql<string>`data_type` })
    .from(sql`information_schema.columns`)
    .where(sql`table_name = 'users'`)
  t.match(Object.fromEntries(columns.map(({ name, type }) => [name, type])), {
    nickname: 'text',
    level: 'bigint',
    height: 'double precision',
    newsletter: 'boolean',
    plan: 'text',
    address: 'jsonb',
    tags: 'jsonb',
    badge_number: 'text'
  })
})

story('an invalid value of a user field is reported under its name', async (t, build) => {
  const { post } = await build(t, { options })
  const answer = await post('/registration', {
    ...newcomer,
    nickname: 'x'.repeat(21),
    level: 0,
    height: '1.7',
    newsletter: 'no',
    plan: 'gold',
    address: { town: 'Bern' },
    tags: ['x'.repeat(11)],
    website: 'nowhere',
    badge: 7
  })
  t.equal(answer.statusCode, 400)
  t.same(fieldCodes(answer), {
    nickname: ['max_length'],
    level: ['min_value'],
    height: ['invalid_type'],
    newsletter: ['invalid_type'],
    plan: ['invalid_choice'],
    address: ['required', 'invalid'],
    tags: ['max_length'],
    website: ['invalid'],
    badge: ['invalid_type']
  })
})

story('an object field refuses undeclared keys, at every depth, unless it allows them', async (t, build) => {
  const { post } = await build(t, {
    options: {
      userFields: {
        closed: {
          schema: Type.Object({
            inner: Type.Object({ a: Type.Number() }),
            list: Type.Optional(Type.Array(Type.Object({ b: Type.Number() })))
          })
        },
        open: { schema: Type.Optional(Type.Object({}, { additionalProperties: true })) }
      }
    }
  })
  let users = 0
  const register = async (closed: object, open?: object) =>
    await post('/registration', { email: `user${++users}@example.com`, password1: alice.password1, closed, open })
  const fine = { inner: { a: 1 }, list: [{ b: 2 }] }
  t.match((await register(fine, { any: ['thing'] })).json().user, { closed: fine, open: { any: ['thing'] } })
  for (const more of [{ ...fine, x: 1 }, { inner: { a: 1, x: 1 } }, { inner: { a: 1 }, list: [{ b: 2, x: 1 }] }]) {
    t.same(fieldCodes(await register(more)), { closed: ['invalid'] })
  }
})

story('registration ignores a hidden field and accepts null for an optional one', async (t, build) => {
  const { post, app } = await build(t, { options })
  await post('/registration', { ...newcomer, invited_by: 'myself', note: 'hello', website: null })
  t.match(await app.restAuth.users.find({ email: alice.email }), { invited_by: null, note: 'hello', website: null })
})

story('forms: numbers and booleans are parsed, and a blank optional field counts as absent', async (t, build) => {
  const { call } = await build(t, {
    options: { userFields: { level: everyKind.level, newsletter: everyKind.newsletter, website: everyKind.website } }
  })
  const answer = await call('POST', '/registration', {
    form: { email: alice.email, password1: alice.password1, level: '3', newsletter: 'true', website: '' }
  })
  t.equal(answer.statusCode, 201)
  t.match(answer.json().user, { level: 3, newsletter: true, website: null })
})

story('users can change editable fields, but not read-only or hidden ones', async (t, build) => {
  const { post, patch, put, app } = await build(t, { options })
  const { access: token } = (await post('/registration', newcomer)).json()
  const patched = await patch('/user', { nickname: 'Ally', invited_by: 'me', note: 'x', level: 9 }, { token })
  t.equal(patched.statusCode, 200)
  t.match(patched.json(), { nickname: 'Ally', invited_by: null, level: 9 })
  t.match(await app.restAuth.users.find({ email: alice.email }), { note: null })
  const incomplete = await put('/user', { nickname: 'Al' }, { token })
  t.same(Object.keys(fieldCodes(incomplete)), ['level', 'height', 'newsletter', 'plan', 'address', 'tags'])
  t.equal(
    (await put('/user', { ...values, website: 'https://al.example/' }, { token })).json().website,
    'https://al.example/'
  )
  t.equal((await patch('/user', { website: null }, { token })).json().website, null, 'an optional field can be emptied')
  t.same(fieldCodes(await patch('/user', { level: null }, { token })), { level: ['null'] })
})

story('no two users share the value of a unique field', async (t, build) => {
  const { post, patch } = await build(t, { options })
  await post('/registration', { ...newcomer, badge: 'A1' })
  t.same(fieldCodes(await post('/registration', { ...newcomer, email: 'bob@example.com', badge: 'A1' })), {
    badge: ['value_taken']
  })
  const { access: token } = (await post('/registration', { ...newcomer, email: 'bob@example.com' })).json()
  t.same(fieldCodes(await patch('/user', { badge: 'A1' }, { token })), { badge: ['value_taken'] })
  t.equal((await patch('/user', { badge: 'B2' }, { token })).json().badge, 'B2')
  t.equal((await patch('/user', { badge: 'B2' }, { token })).statusCode, 200, 'one may keep what one has')
})

story('a default fills a missing field: the first and last name of Django are blank', async (t, build) => {
  const { post, patch } = await build(t, { options: { userFields: undefined } })
  const { user, access: token } = (
    await post('/registration', { email: alice.email, password1: alice.password1 })
  ).json()
  t.match(user, { first_name: '', last_name: '' })
  t.match((await patch('/user', { first_name: 'Alice' }, { token })).json(), { first_name: 'Alice', last_name: '' })
})

story("in Django REST framework's shape, a field that has a default can't be null", async (t, build) => {
  const userFields = {
    ...defaultUserFields,
    bio: { schema: Type.Optional(Type.String()) },
    level: { schema: Type.Optional(Type.Integer({ default: 1 })) },
    plan: { schema: Type.Optional(Type.Union([Type.Literal('free'), Type.Literal('gold')], { default: 'free' })) },
    shared: { schema: Type.Optional(Type.Boolean({ default: true })) },
    color: { schema: Type.String({ default: 'red' }), registration: 'optional' }
  } as const
  const nothing = { first_name: null, level: null, plan: null, shared: null, color: null }
  const newcomer = { email: alice.email, password1: alice.password1 }
  const { app, patch, put, post, call } = await build(t, { options: { errors: 'drf', userFields } })
  const { access: token } = (await post('/registration', newcomer)).json()
  const refused = Object.fromEntries(Object.keys(nothing).map(name => [name, ['This field may not be null.']]))
  for (const write of [patch, put]) {
    const answer = await write('/user', { ...nothing, bio: null }, { token })
    t.equal(answer.statusCode, 400)
    t.same(answer.json(), refused)
  }
  const { first_name: _hidden, ...registered } = refused
  t.same((await post('/registration', { ...newcomer, email: 'bob@example.com', ...nothing })).json(), registered)
  const kept = { first_name: '', level: 1, plan: 'free', shared: true, color: 'red', bio: '' }
  t.match((await patch('/user', { bio: null, first_name: '' }, { token })).json(), kept)
  const blank = await call('PATCH', '/user', { form: { level: '' }, token })
  t.same(blank.json(), { level: ['Not a valid integer.'] })
  const { properties } = bodySchemaIn(app.restAuth.openapi(), '/auth/user', 'patch')
  t.match(properties, { first_name: { type: 'string' }, plan: { type: 'string', enum: ['free', 'gold'] } })
  t.same(properties.bio.type, ['string', 'null'])

  const own = await build(t, { options: { userFields } })
  const { access } = (await own.post('/registration', newcomer)).json()
  t.match((await own.patch('/user', nothing, { token: access })).json(), nothing, 'in our own shape null empties it')
})

story(
  'a field that is declared later gets its column, and users from before have nothing in it',
  async (t, build, { dialect }) => {
    const first = await build(t, dialect === 'sqlite' ? { database: temporaryFile(t) } : {})
    await first.register()
    const { post } = await build(t, {
      database: first.database,
      options: { userFields: { ...articleOptions.userFields, badge: everyKind.badge, level: everyKind.level } }
    })
    const answer = await post('/login', { email: alice.email, password: alice.password1 })
    t.match(answer.json().user, { gender: 'F', badge: null, level: null })
  }
)

t.test('a string field without maxLength gets a limit', async t => {
  const { describeField } = await import('../schemas/user-fields.js')
  t.match(describeField('nickname', { schema: Type.String() }).input, { maxLength: 255, minLength: 1 })
  t.match(describeField('nickname', { schema: Type.Optional(Type.String({ maxLength: 5 })) }).input, { maxLength: 5 })
})
