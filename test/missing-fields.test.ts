/**
 * A user created by a social login, or before a field was declared, may lack required fields. Every answer with the
 * user lists them, and PATCH accepts them: read-only and hidden ones once.
 */
import { Type } from '@sinclair/typebox'
import { sql, type SQL } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import { bodySchemaIn } from './support/answers.js'
import {
  alice, articleOptions, fieldCodes, password, story, type Build, type BuildOptions, type BuiltApp, type Test
} from './support/build.js'
import { columnNames, usersTableName } from './support/users-table.js'

const social = { google: { clientId: 'x', clientSecret: 'y' } }
const userFields = {
  ...articleOptions.userFields,
  badge: { schema: Type.String({ pattern: '^[A-Z]\\d$', examples: ['A1'] }), userDetails: 'read-only', unique: true },
  address: { schema: Type.Object({ city: Type.String() }), userDetails: 'hidden' },
  adult: { schema: Type.Boolean(), userDetails: 'hidden' },
  plan: { schema: Type.String({ default: 'free' }), userDetails: 'read-only' },
  motto: { schema: Type.Optional(Type.String()) },
  note: { schema: Type.String(), registration: 'hidden', userDetails: 'read-only' }
} as const
const names = ['gender', 'phone_number', 'badge', 'address', 'adult']
const values = { badge: 'A1', address: { city: 'Bern' }, adult: true, plan: 'gold' }
const given = { gender: 'M', phone_number: '+41310000000', badge: 'Z9', address: { city: 'Chur' }, adult: false }

const bob = { ...alice, ...values, email: 'bob@example.com' }

type Emptied = BuiltApp & { token: string, stored: () => Promise<Record<string, unknown>> }

/** Alice as a social login would have created her: required fields that the provider did not give are NULL. */
async function buildEmptied (t: Test, build: Build, options: object = {}, more: BuildOptions = {}): Promise<Emptied> {
  type AnyTx = Record<'run' | 'execute', ((query: SQL) => Promise<unknown>) | undefined>
  const registered = async ({ email }: { email: string }, tx: AnyTx) => {
    if (email === bob.email) return
    const query = sql`
      update ${sql.identifier(usersTableName)}
      set gender = null, phone_number = null, badge = null, address = null, adult = null, plan = null
      where ${sql.identifier(columnNames.email)} = ${email}`
    await (tx.run ? tx.run(query) : tx.execute?.(query))
  }
  const { hooks, ...others } = options as { hooks?: object }
  const built = await build(t, { ...more, options: { social, userFields, hooks: { registered, ...hooks }, ...others } })
  await built.register(values)
  const { access: token } = (await built.post('/login', { email: alice.email, password })).json()
  return { ...built, token, stored: async () => ({ ...await built.app.restAuth.users.find({ email: alice.email }) }) }
}

story('every answer with the user lists the missing required fields, until none is missing', async (t, build) => {
  const after = (app: FastifyInstance) =>
    app.get('/me', { onRequest: app.authenticate }, async ({ user }) => user.missing_fields)
  const { get, post, patch, put, token, app } = await buildEmptied(t, build, {}, { after })
  t.same(
    (await app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } })).json(), names,
    'request.user has them too'
  )
  t.same((await post('/login', { email: alice.email, password })).json().user.missing_fields, names)
  t.same((await get('/user', { token })).json().missing_fields, names)
  t.same((await patch('/user', { motto: 'Onwards' }, { token })).json().missing_fields, names)
  t.same((await put('/user', { gender: 'F' }, { token })).json().missing_fields, names.slice(1))
  t.same((await app.restAuth.users.find({ email: alice.email }))?.missing_fields, names.slice(1))
  t.notHas((await patch('/user', given, { token })).json(), 'missing_fields')
  t.notHas((await get('/user', { token })).json(), 'missing_fields')
  t.notHas(await app.restAuth.users.find({ email: alice.email }), 'missing_fields')
  const { user } = (await post('/registration', { ...bob, badge: 'B2' })).json()
  t.notHas(user, 'missing_fields', 'a registration requires them all')
})

story('PATCH accepts missing fields, even read-only and hidden ones, but those only once', async (t, build) => {
  const { patch, token, stored } = await buildEmptied(t, build)
  const answer = await patch('/user', { ...given, plan: 'gold', note: 'mine', missing_fields: [] }, { token })
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), { gender: 'M', phone_number: given.phone_number, badge: 'Z9', plan: null, note: null })
  t.notHas(answer.json(), 'address', 'a hidden field stays hidden')
  t.match(await stored(), { ...given, plan: null, note: null })
  const again = { gender: 'NS', phone_number: '0', badge: 'Y8', address: { city: 'Sion' }, adult: true }
  t.equal((await patch('/user', again, { token })).statusCode, 200)
  t.match(await stored(), { ...given, gender: 'NS' }, 'an editable field can still be changed')
})

story('missing fields can be given one by one, by PUT as well, which needs all editable fields', async (t, build) => {
  const { patch, put, token, stored } = await buildEmptied(t, build)
  const { missing_fields: missing } = (await patch('/user', { badge: 'Z9' }, { token })).json()
  t.same(missing, ['gender', 'phone_number', 'address', 'adult'])
  t.same(fieldCodes(await put('/user', { adult: false }, { token })), { gender: ['required'] })
  const answer = await put('/user', { gender: 'M', adult: false, badge: 'A1' }, { token })
  t.same(answer.json().missing_fields, ['phone_number', 'address'])
  t.match(await stored(), { gender: 'M', badge: 'Z9', adult: false, phone_number: null, address: null })
})

story('an HTML form can give missing fields', async (t, build) => {
  const { call, token, stored } = await buildEmptied(t, build)
  const answer = await call('PATCH', '/user', { form: { phone_number: '+1', adult: 'on', badge: '' }, token })
  t.same(answer.json().missing_fields, ['gender', 'badge', 'address'])
  t.match(await stored(), { phone_number: '+1', adult: true, badge: null })
})

story('an invalid value is refused while the read-only field is missing, and ignored afterwards', async (t, build) => {
  const { patch, token, stored } = await buildEmptied(t, build)
  const wrong = { phone_number: null, badge: 'nine', address: {}, adult: 'yes' }
  t.same(fieldCodes(await patch('/user', { ...wrong, gender: 'Z' }, { token })), {
    gender: ['invalid_choice'],
    phone_number: ['null'],
    badge: ['invalid'],
    address: ['required'],
    adult: ['invalid_type']
  })
  await patch('/user', given, { token })
  const answer = await patch('/user', { ...wrong, motto: 'Onwards' }, { token })
  t.equal(answer.statusCode, 200, 'the read-only ones are ignored')
  t.equal(answer.json().motto, 'Onwards')
  t.same(
    fieldCodes(await patch('/user', { ...wrong, gender: 'Z' }, { token })), { gender: ['invalid_choice'] },
    'only the editable field is validated'
  )
  t.match(await stored(), given)
})

story("a unique field refuses another user's value, but only while it is missing", async (t, build) => {
  const { post, patch, token } = await buildEmptied(t, build)
  await post('/registration', bob)
  t.same(fieldCodes(await patch('/user', { badge: 'A1' }, { token })), { badge: ['value_taken'] })
  t.equal((await patch('/user', { badge: 'Z9' }, { token })).json().badge, 'Z9')
  t.equal((await patch('/user', { badge: 'A1' }, { token })).json().badge, 'Z9')

  const tokens = await Promise.all(Array.from({ length: 8 }, async (_, index) => {
    const carol = { ...bob, badge: `C${index}`, email: `carol${index}@example.com` }
    return (await post('/registration', carol)).json().access
  }))
  const answers = await Promise.all(tokens.map(async token => await patch('/user', { badge: 'D1' }, { token })))
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1, 'of requests at once, one gets it')
  for (const answer of answers) if (answer.statusCode !== 200) t.same(fieldCodes(answer), { badge: ['value_taken'] })
})

story("invalid values are reported in Django REST framework's shape too", async (t, build) => {
  const { patch, token } = await buildEmptied(t, build, { errors: 'drf' })
  const answer = await patch('/user', { phone_number: null, badge: 'nine' }, { token })
  t.same(Object.keys(answer.json()), ['phone_number', 'badge'])
})

story('giving a missing field runs the userUpdated hook, and a throw undoes it', async (t, build) => {
  const heard: unknown[] = []
  const userUpdated = async (user: { missing_fields?: string[], phone_number: string }) => {
    heard.push(user.missing_fields)
    if (user.phone_number === '0') throw new Error('no such number')
  }
  const { patch, token, stored } = await buildEmptied(t, build, { hooks: { userUpdated } })
  await patch('/user', { phone_number: '0' }, { token, fault: true })
  t.match(await stored(), { phone_number: null })
  await patch('/user', given, { token })
  await patch('/user', { phone_number: '0' }, { token })
  t.same(heard, [names.filter(name => name !== 'phone_number'), undefined], 'an ignored value does not run the hook')
})

story('of 50 requests that give a missing field at once, one wins; the others save the rest', async (t, build) => {
  let updates = 0
  const { patch, token, stored } = await buildEmptied(t, build, { hooks: { userUpdated: () => { updates++ } } })
  const race = async (body: (index: number) => object) =>
    await Promise.all(Array.from({ length: 50 }, async (_, index) => await patch('/user', body(index), { token })))
  const answers = await race(index => ({ phone_number: `+1555010${index}`, badge: `R${index % 10}` }))
  t.same([...new Set(answers.map(({ statusCode }) => statusCode))], [200])
  const { phone_number: phone, badge } = await stored()
  t.match(phone, /^\+1555010\d+$/)
  t.equal(badge, `R${String(phone).at(-1)}`, 'both values come from one request')
  t.same([...new Set(answers.map(answer => answer.json().phone_number))], [phone], 'and every answer shows them')
  t.equal(updates, 1)

  const mixed = await race(index => ({ adult: index === 7, motto: `motto ${index}` }))
  t.same(mixed.map(answer => answer.json().motto), mixed.map((_, index) => `motto ${index}`))
  t.equal(updates, 51)
  t.type((await stored()).adult, 'boolean')
})

story('the OpenAPI document lists the fields, and says that PATCH and PUT accept them', async (t, build) => {
  const { app } = await buildEmptied(t, build)
  const document = app.restAuth.openapi() as any
  t.match(document.components.schemas.AuthUser.properties.missing_fields, {
    type: 'array',
    items: { type: 'string', enum: names },
    description: /PATCH \/user/
  })
  t.notOk(document.components.schemas.AuthUser.required.includes('missing_fields'))
  for (const method of ['patch', 'put']) {
    const { properties, required = [] } = bodySchemaIn(document, '/auth/user', method)
    t.match(document.paths['/auth/user'][method].description, /missing_fields/)
    t.same(Object.keys(properties), [...names, 'motto'])
    t.same(required.filter((name: string) => name !== 'gender'), [])
    t.match(properties.badge.description, /Accepted from a user who has none/)
  }
})

story('missing fields work without providers too, for users from before a field was declared', async (t, build) => {
  for (const none of [undefined, {}]) {
    const { get, patch, token, stored } = await buildEmptied(t, build, { social: none })
    t.same((await get('/user', { token })).json().missing_fields, names)
    t.notHas((await patch('/user', { ...given, plan: 'gold', note: 'mine' }, { token })).json(), 'missing_fields')
    t.equal((await patch('/user', { badge: 'A2', phone_number: '0' }, { token })).statusCode, 200)
    t.match(await stored(), { ...given, plan: null, note: null })
  }
})

story('no field is missing if each has a default or is optional', async (t, build) => {
  const { app, register } = await build(t, {
    options: { social, userFields: { plan: userFields.plan, motto: userFields.motto } }
  })
  t.notHas((await register({ plan: 'gold' })).user, 'missing_fields')
  t.notMatch(JSON.stringify(app.restAuth.openapi()), 'missing_fields')
})
