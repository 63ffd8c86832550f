import BetterSqlite3 from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { Failure } from '../src/index.js'
import { alice, articleOptions, password, sqliteBuild, story, t } from './support/build.js'
import { longPk, usersTableName } from './support/users-table.js'

const bob = { email: 'Bob@Example.com', gender: 'M' as const, phone_number: '+15550101', password }
const fieldsOf = (error: unknown) =>
  error instanceof Failure ? error.fields.map(({ field, code }) => [field, code]) : error

story(
  'code on the server creates a user as registration would, without its hooks, and the user logs in',
  async (t, build) => {
    const { app, post } = await build(t, {
      options: {
        hooks: {
          registering: () => {
            throw new Error('not called')
          }
        }
      }
    })
    const user = await app.restAuth.users.create(bob as never)
    t.match(user, { email: 'bob@example.com', gender: 'M', is_active: true, last_login: null })
    t.notHas(user, 'passwordHash')
    t.equal((await post('/login', { email: bob.email, password })).statusCode, 200)
  }
)

story('invalid values are thrown as a Failure that names the fields', async (t, build) => {
  const { app } = await build(t)
  const { users } = app.restAuth
  await users.create(bob as never)
  const codes = async (input: object) =>
    fieldsOf(
      await users.create(input as never).then(
        () => undefined,
        (error: unknown) => error
      )
    )
  t.same(await codes({ ...bob, gender: 'X', phone_number: undefined, email: 'x' }), [
    ['email', 'invalid_email'],
    ['gender', 'invalid_choice'],
    ['phone_number', 'required']
  ])
  t.same(await codes(bob), [['email', 'email_taken']])
  t.same(await codes({ ...bob, email: 'carol@example.com', password: '123' }), [
    ['password', 'password_too_short'],
    ['password', 'password_entirely_numeric']
  ])
})

story('a user is found by any identifier, case-insensitively; else undefined', async (t, build) => {
  const { app } = await build(t, { options: { userFields: {}, account: { username: 'optional' } } })
  const { users } = app.restAuth
  const { pk } = await users.create({ email: alice.email, username: 'Alice', password } as never)
  for (const by of [{ pk }, { email: 'ALICE@example.com' }, { username: 'aLICE' }]) {
    t.equal((await users.find(by))?.pk, pk)
  }
  for (const by of [{ pk: '0' }, { email: 'nobody@example.com' }, { email: 'nonsense' }, { username: 'nobody' }]) {
    t.equal(await users.find(by), undefined)
  }
})

story('server code may change read-only fields, but not to values that are taken', async (t, build) => {
  const { app, register } = await build(t)
  const { users } = app.restAuth
  const { user: { pk } } = await register()
  await users.create(bob as never)
  t.match(await users.update(pk, { phone_number: '1', email: 'Alice2@example.com' } as never), {
    phone_number: '1',
    email: 'alice2@example.com'
  })
  t.match(await users.update(pk, {}), { pk })
  t.same(await users.update(pk, { email: 'bob@example.com' } as never).catch(fieldsOf), [['email', 'email_taken']])
  t.equal(await users.update('0', { phone_number: '1' } as never), undefined)
})

story('deactivation ends all sessions at once; an activated user can log in again', async (t, build) => {
  const { app, get, post, register } = await build(t)
  const { access: token, user: { pk } } = await register()
  t.match(await app.restAuth.users.deactivate(pk), { is_active: false })
  t.equal((await get('/user', { token })).json().code, 'user_inactive')
  t.same(await app.restAuth.sessions.list(pk), [])
  t.match(await app.restAuth.users.activate(pk), { is_active: true })
  t.equal((await get('/user', { token })).json().code, 'token_not_valid', 'the old session stays dead')
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
  t.equal(await app.restAuth.users.deactivate('0'), undefined)
})

story('deleting a user deletes their sessions and frees the address', async (t, build) => {
  const { app, get, register } = await build(t)
  const { access: token, user: { pk } } = await register()
  t.equal(await app.restAuth.users.delete(pk), true)
  t.equal(await app.restAuth.users.delete(pk), false)
  t.equal((await get('/user', { token })).json().code, 'user_not_found')
  t.ok(await register())
})

story('server code lists and ends sessions', async (t, build) => {
  const { app, get, post, register } = await build(t)
  const { sessions } = app.restAuth
  const { access: first, user: { pk } } = await register()
  const second = (await post('/login', { email: alice.email, password })).json().access
  const [newest, oldest] = await sessions.list(pk)
  t.equal(await sessions.end(newest?.id ?? ''), true)
  t.equal(await sessions.end(newest?.id ?? ''), false)
  t.equal((await get('/user', { token: second })).statusCode, 401)
  t.equal((await get('/user', { token: first })).statusCode, 200)
  t.match((await sessions.list(pk)).map(({ id }) => id), [oldest?.id])
  await sessions.endAll(pk)
  t.equal((await get('/user', { token: first })).statusCode, 401)
})

story('last seen is updated at most once a minute while a session is in use', async (t, build) => {
  const { app, get, register, clock } = await build(t, { options: { ...articleOptions, tokens: { access: 3600 } } })
  const { access: token, user: { pk } } = await register()
  const seen = async () => (await app.restAuth.sessions.list(pk))[0]?.lastSeenAt.toISOString()
  clock.advance(59)
  await get('/user', { token })
  t.equal(await seen(), '2026-11-23T12:00:00.000Z')
  clock.advance(1)
  await get('/user', { token })
  t.equal(await seen(), '2026-11-23T12:01:00.000Z')
})

story('an unknown field and a search without a criterion throw an error', async (t, build) => {
  const { app, register } = await build(t)
  const { user: { pk } } = await register()
  const { users } = app.restAuth
  await t.rejects(users.update(pk, { emial: 'x' } as never), {
    name: 'TypeError',
    message: 'users: there is no field emial'
  })
  await t.rejects(users.create({ ...bob, admin: true } as never), { message: 'users: there is no field admin' })
  for (const by of [{}, { email: undefined }, { pk, email: alice.email }]) {
    await t.rejects(users.find(by as never), { message: /^users\.find: give one of/ })
  }
})

t.test('a database failure reveals no values to the client or the log', async t => {
  const client = new BetterSqlite3(':memory:')
  const { app, post, logs } = await sqliteBuild(t, {
    database: drizzle({ client }),
    after: app => {
      app.post('/host', async () => await app.restAuth.users.create(bob as never))
      app.get('/me', { onRequest: app.authenticate }, async () => 'me')
    }
  })
  const { access, user } = (await post('/registration', alice)).json()
  client.exec(`ALTER TABLE ${usersTableName} RENAME COLUMN is_active TO gone`)
  const answers = [
    await app.inject({ method: 'POST', url: '/host' }),
    await app.inject({ url: '/me', headers: { authorization: `Bearer ${access}` } }),
    await post('/registration', { ...alice, email: 'carol@example.com' }, { fault: true })
  ]
  const values = ['argon2id', 'bob@example.com', 'carol@example.com', ...longPk(user.pk)]
  for (const { statusCode, body } of answers) {
    t.equal(statusCode, 500)
    for (const told of [...values, 'insert into', 'select']) t.notMatch(body, told)
  }
  // Events name the user.
  const others = logs.filter(line => !('event' in JSON.parse(line))).join('')
  for (const told of values) t.notMatch(others, told)
  t.match(logs.join(''), /database query failed/)
  client.pragma('query_only = ON')
  client.exec(`PRAGMA query_only = OFF; ALTER TABLE ${usersTableName} RENAME COLUMN gone TO is_active`)
  client.pragma('query_only = ON')
  t.equal((await app.inject({ method: 'POST', url: '/host' })).statusCode, 503, 'and a fault that passes says so')
})
