/**
 * What is stored outlives the declaration it was stored under. Whatever it is, every response that shows the user is
 * given: with the value as it is stored if it still has the declared type, else with null, named in `missing_fields`.
 */
import { Validator } from '@cfworker/json-schema'
import { Type, type TSchema } from '@sinclair/typebox'
import BetterSqlite3 from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/node-postgres'
import fc from 'fast-check'
import { describeField, type UserFields } from '../schemas/user-fields.js'
import {
  alice, articleOptions, fieldCodes, password, story, type Build, type BuildOptions, type BuiltApp, type Test
} from './support/build.js'
import { openPool, temporaryFile, type TestedDatabase } from './support/databases.js'

const { userFields: article } = articleOptions
const credentials = { email: alice.email, password }

/** A database that several apps open, one after the other. */
async function shared (t: Test, tested: TestedDatabase): Promise<unknown> {
  if (tested.dialect === 'sqlite') return temporaryFile(t)
  const opened = await tested.open()
  t.teardown(opened.close)
  if (typeof opened.database !== 'string') return opened.database
  const pool = openPool(opened.database)
  t.teardown(async () => await pool.end())
  return drizzle({ client: pool })
}

interface Restarted extends BuiltApp { token: string }
type Change = [before: UserFields, registered: Record<string, unknown>, after: UserFields, options?: BuildOptions]

/** Alice registers with the fields of `before`; the app that is returned has those of `after`. */
async function restart (t: Test, build: Build, tested: TestedDatabase, change: Change): Promise<Restarted> {
  const [before, registered, after, more = {}] = change
  const database = await shared(t, tested)
  const first = await build(t, { database, options: { userFields: { ...article, ...before } } })
  const { access: token } = await first.register(registered)
  const options = { ...more.options, userFields: { ...article, ...after } }
  return { ...await build(t, { ...more, database, options }), token }
}

const street = { street: 'Elm Street' }
const oldAddress = { address: { schema: Type.Object({ street: Type.String() }) } }
const newAddress = { address: { schema: Type.Object({ street: Type.String(), zip: Type.String() }) } }

story('a user whose object lacks a key that came later can log in, read, and give it', async (t, build, tested) => {
  const heard: unknown[] = []
  const { app, token, get, post, patch } = await restart(t, build, tested, [
    oldAddress, { address: street }, newAddress,
    { options: { hooks: { loggedIn: (user: any) => { heard.push(user.address, user.missing_fields) } } } }
  ])
  const answer = await post('/login', credentials)
  t.equal(answer.statusCode, 200)
  t.match(answer.json().user, { address: null, missing_fields: ['address'] })
  t.same(heard, [null, ['address']], 'hooks hear the same')
  t.match((await get('/user', { token })).json(), { address: null, missing_fields: ['address'] })
  t.match(await app.restAuth.users.find({ email: alice.email }), { address: null, missing_fields: ['address'] })
  t.equal((await post('/token/refresh', { refresh: answer.json().refresh })).statusCode, 200)
  t.same(fieldCodes(await patch('/user', { address: street }, { token })), { address: ['required'] })
  const address = { ...street, zip: '7000' }
  const changed = (await patch('/user', { address }, { token })).json()
  t.same(changed.address, address)
  t.notHas(changed, 'missing_fields')
})

const cases: Record<string, { before: TSchema, value: unknown, after: TSchema, kept: boolean }> = {
  'an object with a key that is no longer declared': {
    before: Type.Object({ a: Type.String(), b: Type.String() }),
    value: { a: 'x', b: 'y' },
    after: Type.Object({ a: Type.String() }),
    kept: false
  },
  'an object with a key of another type': {
    before: Type.Object({ a: Type.String() }), value: { a: '7' }, after: Type.Object({ a: Type.Integer() }), kept: false
  },
  'an object with an inner text over a later limit': {
    before: Type.Object({ a: Type.String() }),
    value: { a: 'xyz' },
    after: Type.Object({ a: Type.String({ maxLength: 2, pattern: '^a' }) }),
    kept: true
  },
  'an object with a fraction where an integer is declared': {
    before: Type.Object({ a: Type.Number() }), value: { a: 1.5 }, after: Type.Object({ a: Type.Integer() }), kept: false
  },
  'an object with keys that later became optional': {
    before: Type.Object({ a: Type.String() }),
    value: { a: 'x' },
    after: Type.Object({ a: Type.Optional(Type.String()), b: Type.Optional(Type.Integer()) }),
    kept: true
  },
  'a list where an object is declared': {
    before: Type.Array(Type.String()), value: ['x'], after: Type.Object({ a: Type.String() }), kept: false
  },
  'a list of texts where numbers are declared': {
    before: Type.Array(Type.String()), value: ['x', '2'], after: Type.Array(Type.Number()), kept: false
  },
  'a list with more items than allowed later': {
    before: Type.Array(Type.String()),
    value: ['x', 'y'],
    after: Type.Array(Type.String(), { maxItems: 1, uniqueItems: true }),
    kept: true
  },
  'a list of lists with one inner value of another type': {
    before: Type.Array(Type.Array(Type.Unknown())),
    value: [['x'], [1]],
    after: Type.Array(Type.Array(Type.String())),
    kept: false
  },
  'a text longer than a later limit, and off a later pattern': {
    before: Type.String(), value: 'long text', after: Type.String({ maxLength: 3, pattern: '^A' }), kept: true
  },
  'an integer past a later limit': {
    before: Type.Integer(), value: 900, after: Type.Integer({ maximum: 10, multipleOf: 7 }), kept: true
  },
  'a number below a later limit': {
    before: Type.Number(), value: -1.5, after: Type.Number({ minimum: 0 }), kept: true
  },
  'a text that lacks a later format': {
    before: Type.String(), value: '1.2.2020', after: Type.String({ format: 'date' }), kept: false
  }
}

story('any change of a schema within its kind leaves the stored value as it is, or null', async (t, build, tested) => {
  const names = Object.keys(cases).map((_title, index) => `field${index}`)
  const by = <T>(choose: (one: typeof cases[string]) => T): Record<string, T> =>
    Object.fromEntries(Object.values(cases).map((one, index) => [`field${index}`, choose(one)]))
  const { token, get, patch, put, post } = await restart(t, build, tested, [
    by(({ before: schema }) => ({ schema })), by(({ value }) => value), by(({ after: schema }) => ({ schema }))
  ])
  const user = (await get('/user', { token })).json()
  for (const [index, [title, { value, kept }]] of Object.entries(cases).entries()) {
    t.same(user[`field${index}`], kept ? value : null, title)
  }
  const lost = names.filter((_name, index) => !Object.values(cases)[index]?.kept)
  t.same(user.missing_fields, lost)
  t.same((await post('/login', credentials)).json().user, user)
  t.same((await patch('/user', { gender: 'M' }, { token })).json(), { ...user, gender: 'M' })
  t.equal((await put('/user', { gender: 'F' }, { token })).statusCode, 400, 'PUT asks for all required fields')
})

story('a stored value that does not show survives an edit of other fields', async (t, build, tested) => {
  const database = await shared(t, tested)
  const start = async (fields: UserFields) =>
    await build(t, { database, options: { userFields: { ...article, ...fields } } })
  const first = await start(oldAddress)
  const { access: token } = await first.register({ address: street })
  const second = await start({ address: { schema: Type.Optional(newAddress.address.schema) } })
  t.match((await second.patch('/user', { gender: 'M' }, { token })).json(), { address: null, gender: 'M' })
  t.match((await second.put('/user', { gender: 'NS' }, { token })).json(), { address: null, gender: 'NS' })
  t.match((await second.app.restAuth.users.update(
    String((await second.get('/user', { token })).json().pk), { email: 'a@example.com' })
  ), { address: null, missing_fields: ['address'] })
  t.match((await (await start(oldAddress)).get('/user', { token })).json(), { address: street, gender: 'NS' })
})

const freak = {
  count: { schema: Type.Integer() },
  ratio: { schema: Type.Number() },
  active: { schema: Type.Boolean() },
  data: { schema: Type.Array(Type.String()) },
  level: { schema: Type.Union([Type.Literal('low'), Type.Literal('high')]), column: 'adopted' }
}
const given = { count: 1, ratio: 1, active: true, data: [], level: 'low' }
const strange: Record<TestedDatabase['dialect'], { sql: string, answered: object, missing: string[] }> = {
  sqlite: {
    sql: "update users set count = 'many', ratio = 1e999, active = 7, data = 'not JSON', adopted = 'middle'",
    answered: { count: null, ratio: null, active: null, data: null, level: null },
    missing: ['count', 'ratio', 'active', 'data', 'level']
  },
  postgres: {
    sql: "update users set count = 9007199254740993, ratio = 'Infinity', data = '\"text\"', adopted = 'middle'",
    answered: { count: null, ratio: null, active: true, data: null, level: null },
    missing: ['count', 'ratio', 'data', 'level']
  }
}

story('a value that no client could have sent is null', async (t, build, tested) => {
  const { sql, answered, missing } = strange[tested.dialect]
  const database = await shared(t, tested)
  const run = async (statement: string) => {
    if (typeof database === 'string') new BetterSqlite3(database).exec(statement).close()
    else await (database as ReturnType<typeof drizzle>).execute(statement)
  }
  await build(t, { database, options: { userFields: article } })
  await run('alter table users add column adopted text')
  const { register, get, post } = await build(t, { database, options: { userFields: { ...article, ...freak } } })
  const { access: token } = await register(given)
  await run(sql)
  t.match((await get('/user', { token })).json(), { ...answered, missing_fields: missing })
  t.match((await post('/login', credentials)).json().user, { ...answered, missing_fields: missing })
})

story('a read-only value of a type no longer declared can\'t be replaced by the user', async (t, build, tested) => {
  const badge = (schema: TSchema) => ({ badge: { schema, userDetails: 'read-only' } as const })
  const { app, token, get, patch } = await restart(t, build, tested, [
    badge(Type.Object({ no: Type.Integer() })), { badge: { no: 7 } },
    badge(Type.Object({ no: Type.Integer(), site: Type.String() }))
  ])
  const { pk } = (await get('/user', { token })).json()
  t.match((await patch('/user', { badge: { no: 1, site: 'HQ' } }, { token })).json(), {
    badge: null, missing_fields: ['badge']
  })
  const fixed = { badge: { no: 7, site: 'HQ' } }
  t.match(await app.restAuth.users.update(pk, fixed as object), fixed, 'the app can')
  t.match((await get('/user', { token })).json(), fixed)
})

story('users from before a required field lack it until they give it, providers or not', async (t, build, tested) => {
  const badge = { badge: { schema: Type.String(), userDetails: 'read-only' } } as const
  const { token, get, patch } = await restart(t, build, tested, [{}, {}, badge])
  t.match((await get('/user', { token })).json(), { badge: null, missing_fields: ['badge'] })
  t.match((await patch('/user', { badge: 'A1' }, { token })).json(), { badge: 'A1' })
  t.match((await patch('/user', { badge: 'B2' }, { token })).json(), { badge: 'A1' }, 'it is read-only again')
})

story('a hidden field that users never send is not named to them', async (t, build, tested) => {
  const score = (schema: TSchema) =>
    ({ score: { schema, userDetails: 'hidden', registration: 'hidden' } as const })
  const { app, token, get } = await restart(t, build, tested, [
    score(Type.Array(Type.Integer(), { default: [1] })), {}, score(Type.Array(Type.String()))
  ])
  t.notHas((await get('/user', { token })).json(), 'missing_fields')
  t.notMatch(JSON.stringify(app.restAuth.openapi()), 'score')
  t.match(await app.restAuth.users.find({ email: alice.email }), { score: null })
})

story('a login whose response fails leaves no session behind', async (t, build) => {
  const failing = { now: false }
  const { app, post, register, get } = await build(t, {
    before: app => {
      app.addHook('onSend', async () => {
        if (!failing.now) return
        failing.now = false
        throw new Error('the app has a bug')
      })
    }
  })
  const { user, access: token } = await register()
  const before = (await app.restAuth.sessions.list(user.pk)).length
  failing.now = true
  t.equal((await post('/login', credentials, { fault: true })).statusCode, 500)
  t.equal((await app.restAuth.sessions.list(user.pk)).length, before)
  failing.now = true
  const bob = { ...alice, email: 'bob@example.com' }
  t.equal((await post('/registration', bob, { fault: true })).statusCode, 500)
  const { pk } = await app.restAuth.users.find({ email: bob.email }) ?? {}
  t.same(await app.restAuth.sessions.list(String(pk)), [])
  t.equal((await get('/user', { token })).statusCode, 200, 'other sessions stay')
})

story('a login that fails because the database does answers in shape, with no query', async (t, build, tested) => {
  const database = await shared(t, tested)
  const rename = 'ALTER TABLE sessions RENAME TO gone'
  const broken = { now: false }
  const loggedIn = async () => {
    if (!broken.now) return
    if (typeof database === 'string') new BetterSqlite3(database).exec(rename).close()
    else await (database as { execute: (sql: string) => Promise<unknown> }).execute(rename)
    throw new Error('the app has a bug')
  }
  const { post, register, logs } = await build(t, { database, options: { hooks: { loggedIn } } })
  await register()
  t.equal((await post('/login', credentials)).statusCode, 200)
  broken.now = true
  const answer = await post('/login', credentials, { fault: true })
  t.match(answer.json(), { status: 500, code: 'internal_error' })
  t.notMatch(answer.body, /sessions/)
  t.match(logs.join(''), /could not be deleted/)
})

story('any JSON in a column is answered as it is stored, or as null', async (t, build, tested) => {
  const schema = Type.Object({
    name: Type.String({ maxLength: 5 }),
    tags: Type.Optional(Type.Array(Type.Union([Type.Literal('a'), Type.Literal('b')]), { maxItems: 2 })),
    deep: Type.Optional(Type.Object({ n: Type.Number({ minimum: 0 }), on: Type.Boolean() }))
  })
  const loose = { data: { schema: Type.Object({}, { additionalProperties: true }) } }
  const database = await shared(t, tested)
  const first = await build(t, { database, options: { userFields: { ...article, ...loose } } })
  const { access: token, user: { pk } } = await first.register({ data: {} })
  const second = await build(t, { database, options: { userFields: { ...article, data: { schema } } } })
  const validator = new Validator(describeField('data', { schema }).output as object, '2020-12')

  const near = fc.record({
    name: fc.oneof(fc.string(), fc.integer()),
    tags: fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 1 }))),
    deep: fc.record({ n: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string()), on: fc.boolean() })
  }, { requiredKeys: [] })
  const any = fc.oneof(near, fc.dictionary(fc.string(), fc.jsonValue())).map(value => JSON.parse(
    JSON.stringify(value).replaceAll('\\u0000', '').replace(/\\ud[89a-f]../gi, '')
  ))
  await fc.assert(fc.asyncProperty(any, async data => {
    await first.app.restAuth.users.update(pk, { data } as object)
    const { data: answered, missing_fields: missing } = (await second.get('/user', { token })).json()
    const fits = validator.validate(data).valid
    t.same([answered, missing], fits ? [data, undefined] : [null, ['data']])
  }), { numRuns: 60 })
})
