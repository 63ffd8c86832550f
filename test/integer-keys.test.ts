/** With `account.pk: 'integer'` keys are numbers, as in a database from Django, and new users get the next one. */
import { pbkdf2Sync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import Fastify from 'fastify'
import pg from 'pg'
import type { Database } from '../src/db/database.js'
import restAuth from '../src/index.js'
import { linkIn, uidAndTokenIn } from './support/answers.js'
import {
  alice, articleOptions, password, patient, secret, sqliteBuild, story, t, type Build, type BuildOptions, type
  BuiltApp, type Test
} from './support/build.js'
import { postgres, postgresUrl, type TestedDatabase } from './support/databases.js'
import { sharedDatabase, withBadProvider } from './support/hostile-provider-app.js'

const integer = { account: { ...articleOptions.account, pk: 'integer' } }
const mandatory = { account: { ...integer.account, emailVerification: 'mandatory' } }
// The types of this program say that keys are text, because `Register` can't declare two kinds of apps.
const asPk = (pk: unknown) => pk as string

/** An app with integer keys, and a second connection to its database. */
async function withIntegers (t: Test, build: Build, { dialect }: TestedDatabase, rest: BuildOptions = {}) {
  const { given, open } = sharedDatabase(t, dialect)
  const built = await build(t, { ...given, options: integer, ...rest })
  return { ...built, db: await open(built) }
}

/** Users as an import inserts them: directly, with keys as text. */
const importUsers = async (
  { orm, users }: Pick<Database, 'orm' | 'users'>, keys: Array<string | number>, passwordHash = '!'
) => await orm.insert(users).values(keys.map(key => ({
  pk: String(key), email: `user${key}@example.com`, isActive: true, createdAt: new Date(), passwordHash
})))

/** Registers a user; returns the key. */
const registerIn = async ({ register }: BuiltApp, name: string): Promise<unknown> =>
  (await register({ email: `${name}@example.com` })).user.pk

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)
const payloadOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

for (const errors of ['problem', 'drf']) {
  story(`every response has pk as a number, and access tokens as text (errors: ${errors})`, async (t, build) => {
    const { app, get, patch, post, put, register } = await build(t, { options: { ...integer, errors } })
    const { access: token, refresh, user } = await register()
    t.equal(user.pk, 1)
    t.equal((await post('/login', { email: alice.email, password })).json().user.pk, 1)
    for (const answer of [
      await get('/user', { token }), await patch('/user', { gender: 'M' }, { token }),
      await put('/user', { gender: 'F' }, { token })
    ]) t.equal(answer.json().pk, 1)
    t.equal(payloadOf(token).sub, '1')
    const next = (await post('/token/refresh', { refresh })).json()
    t.equal((await get('/user', { token: next.access })).json().pk, 1)
    const { components } = app.restAuth.openapi() as { components: { schemas: Record<string, unknown> } }
    t.match(components.schemas.AuthUser, {
      properties: { pk: { type: 'integer', format: 'int64', minimum: 1, maximum: 2 ** 53 - 1 } }
    })
  })
}

story('users from Django keep keys and passwords, and the next user gets the next key', async (t, build, tested) => {
  const { db, get, mails, post, register } = await withIntegers(t, build, tested)
  const hash = `pbkdf2_sha256$1000$salt$${pbkdf2Sync(password, 'salt', 1000, 32, 'sha256').toString('base64')}`
  await importUsers(db, range(1, 1000), hash)
  const login = await post('/login', { email: 'user42@example.com', password })
  t.match(login.json().user, { pk: 42, email: 'user42@example.com' })
  t.equal((await get('/user', { token: login.json().access })).json().pk, 42)
  t.equal((await register()).user.pk, 1001)

  await post('/password/reset', { email: 'user7@example.com' })
  const mail = (await mails()).at(-1)
  const { uid, token } = uidAndTokenIn(mail)
  t.equal(uid, '7')
  t.equal((await get(linkIn(mail).replace(/^.*\/auth/, ''))).statusCode, 200)
  const confirm = async (uid: string) =>
    (await post('/password/reset/confirm', { uid, token, new_password1: 'Another-pw-1' })).statusCode
  t.equal(await confirm('07'), 400)
  t.equal(await confirm('7'), 200)
  t.equal((await post('/login', { email: 'user7@example.com', password: 'Another-pw-1' })).json().user.pk, 7)
})

story('of 50 registrations at once on two servers, each gets a key of its own', async (t, build, tested) => {
  const first = await withIntegers(t, build, tested)
  const second = await build(t, { database: first.database, options: integer })
  await importUsers(first.db, [1, 9, 10])
  const keys = await Promise.all(range(11, 60).map(async key =>
    await registerIn(key % 2 === 0 ? first : second, `user${key}`)))
  t.same(keys.sort((a, b) => Number(a) - Number(b)), range(11, 60))
})

story('the key of a deleted user is not given again, not even after a restart', async (t, build, tested) => {
  const first = await withIntegers(t, build, tested)
  const { users } = first.app.restAuth
  t.same([await registerIn(first, 'a'), await registerIn(first, 'b')], [1, 2])
  t.equal(await users.delete(asPk(2)), true)
  t.equal(await registerIn(first, 'c'), 3)
  for (const key of [1, 3]) t.equal(await users.delete(asPk(key)), true)
  t.equal(await registerIn(await build(t, { database: first.database, options: integer }), 'd'), 4)
})

story('the key of a deleted user who was imported is not given again', async (t, build, tested) => {
  const first = await withIntegers(t, build, tested, { options: { ...integer, audit: true } })
  const { users } = first.app.restAuth
  const imported = (pk: number) => ({ pk, email: `user${pk}@example.com`, password_hash: '!' })
  t.match(await users.import([42, 43].map(imported) as never), { stored: 2 })
  t.equal(await users.delete(asPk(43)), true)
  const { access: token, user } = await first.register()
  t.equal(user.pk, 44)
  const shown = async () => (await first.get('/events', { token })).json().map(({ type }: { type: string }) => type)
  const own = ['login_succeeded', 'user_registered']
  t.same(await shown(), own)
  await importUsers(first.db, [50])
  t.equal(await users.delete(asPk(50)), true, 'the app inserted this one itself')
  t.equal(await registerIn(first, 'b'), 51)

  // A database may give a key again by itself.
  const { orm, events } = first.db
  await orm.update(events).set({ userPk: '44', at: new Date(0) }).where(eq(events.userPk, '43'))
  t.same(await shown(), own, 'events from before the user belong to another')
})

story('an import into a running app moves the next key above the highest', async (t, build, tested) => {
  const built = await withIntegers(t, build, tested)
  t.equal(await registerIn(built, 'a'), 1)
  await importUsers(built.db, [2, 3, 99, 100])
  t.equal(await registerIn(built, 'b'), 101)
  await importUsers(built.db, [50])
  const { email, gender, phone_number: phone } = alice
  t.equal((await built.app.restAuth.users.create({ email, gender, phone_number: phone } as never)).pk, 102)
})

for (const [mode, options, shown] of [['none', integer, 2], ['mandatory', mandatory, undefined]] as const) {
  story(`a key that an import takes during a registration is replaced (verification: ${mode})`,
    async (t, build, tested) => {
      let imports = 0
      const { app, db, post, mails } = await withIntegers(t, build, tested, {
        options: {
          ...options,
          hooks: {
            registering: async (_input: unknown, orm: Database['orm']) => {
              if (imports++ === 0) await importUsers({ orm, users: db.users }, [1])
            }
          }
        }
      })
      const answer = await post('/registration', alice)
      t.equal(answer.statusCode, 201)
      t.equal(answer.json().user?.pk, shown)
      t.equal((await app.restAuth.users.find({ email: alice.email }))?.pk, 2)
      t.equal(imports, 2)
      if (mode === 'mandatory') t.match(await mails(), [{ to: alice.email, subject: /confirm/ }])
    })
}

t.test('a registration waits for an import with the same key, then takes the next', {
  skip: postgresUrl === undefined && 'needs the server of POSTGRES_URL'
}, async t => {
  const { database, close } = await postgres.open()
  t.teardown(close)
  const built = await sqliteBuild(t, { database, options: integer })
  const client = new pg.Client({ connectionString: String(database) })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('BEGIN')
  await client.query("INSERT INTO users (pk, is_active, created_at) VALUES ('1', true, now()), ('2', true, now())")
  const registering = registerIn(built, 'a')
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
  while ((await client.query(waiting)).rowCount === 0) await sleep(5)
  await client.query('COMMIT')
  t.equal(await registering, 3)
})

story('keys do not tell whether an address was taken', async (t, build, tested) => {
  const keysAround = async (second: string) => {
    const built = await withIntegers(t, build, tested, { options: mandatory })
    for (const name of ['alice', second, 'bob']) {
      await built.post('/registration', { ...alice, email: `${name}@example.com` })
    }
    return (await built.app.restAuth.users.find({ email: 'bob@example.com' }))?.pk
  }
  t.equal(await keysAround('alice'), 3)
  t.equal(await keysAround('carol'), 3)

  const { app, enter, post } = await withBadProvider(t, build, { options: mandatory, provider: { trustEmail: false } })
  await post('/registration', alice)
  t.equal((await enter('alice')).json().code, 'email_not_verified', 'the address has an account')
  t.equal((await enter('bob')).json().code, 'email_not_verified', 'the address had no account')
  t.equal((await app.restAuth.users.find({ email: 'bob@example.com' }))?.pk, 3)
})

story('users from a provider get the next key, and keep it', async (t, build) => {
  const { app, connect, enter, get, register } = await withBadProvider(t, build, { options: integer })
  t.equal((await register({ email: 'carol@example.com' })).user.pk, 1)
  const { access: token, user } = (await enter('alice')).json()
  t.equal(user.pk, 2)
  t.equal((await enter('alice')).json().user.pk, 2)
  const { access: renewed } = (await connect('bob', token)).json()
  t.equal((await get('/user', { token: renewed })).json().pk, 2)
  t.equal((await get('/socialaccounts', { token: renewed })).json().length, 2)
  t.equal((await app.restAuth.socialAccounts.list(asPk(2))).length, 2)
  t.same(await app.restAuth.socialAccounts.list(asPk(1)), [])
})

story('hooks, claims, mails and request.user have the key as a number', async (t, build) => {
  const seen: unknown[] = []
  const note = (user: { pk: unknown }) => { seen.push(user.pk) }
  const { app, get, mails, patch, post } = await build(t, {
    options: {
      ...integer,
      account: { ...integer.account, emailVerification: 'optional' },
      hooks: { registered: note, loggedIn: note, userUpdated: note, passwordChanged: note },
      tokens: { claims: ({ pk }: { pk: unknown }) => ({ key: pk }) },
      mail: { variables: { greeting: ({ pk }: { pk: unknown }) => `${typeof pk} ${pk}` } }
    },
    after: app => { app.get('/me', { onRequest: app.authenticate }, async request => ({ pk: request.user.pk })) }
  })
  const { access: token } = (await post('/registration', alice)).json()
  t.equal(payloadOf(token).key, 1)
  await patch('/user', { gender: 'M' }, { token })
  await post('/password/change', { old_password: password, new_password1: 'Another-pw-1' }, { token })
  t.same(seen, [1, 1, 1, 1])
  t.same((await app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } })).json(), { pk: 1 })
  t.equal((await get('/user', { token })).json().pk, 1)
  const id = await app.restAuth.mail.send('password-changed', { pk: asPk(1) })
  t.match((await app.restAuth.mail.list()).find(mail => mail.id === id), { userPk: 1 })
  t.ok((await mails()).length > 1)
})

story('server code passes keys as numbers; a number that is no key finds nobody', async (t, build) => {
  const { app, register } = await build(t, { options: integer })
  const { mail, sessions, socialAccounts, users } = app.restAuth
  await register()
  const key = asPk(1)
  t.match(await users.find({ pk: key }), { pk: 1, email: alice.email })
  t.match(await users.find({ email: alice.email }), { pk: 1 })
  t.match(await users.update(key, { gender: 'M' } as never), { pk: 1, gender: 'M' })
  t.match(await users.update(key, {}), { pk: 1 })
  t.equal((await sessions.list(key)).length, 1)
  t.same(await socialAccounts.list(key), [])
  await sessions.endAll(key)
  t.same(await sessions.list(key), [])
  t.match(await users.deactivate(key), { pk: 1, is_active: false })
  t.match(await users.activate(key), { pk: 1, is_active: true })

  for (const none of [NaN, Infinity, 0, -1, 1.5, 1e21, 2 ** 53].map(asPk)) {
    t.equal(await users.find({ pk: none }), undefined)
    t.equal(await users.update(none, { gender: 'F' } as never), undefined)
    t.equal(await users.activate(none), undefined)
    t.equal(await users.deactivate(none), undefined)
    t.equal(await users.delete(none), false)
    t.same(await sessions.list(none), [])
    t.same(await socialAccounts.list(none), [])
    await sessions.endAll(none)
    await t.rejects(mail.send('password-changed', { pk: none }), { message: /the user has no address/ })
  }
  const error = { name: 'TypeError', message: "pk: pass a number, because account.pk is 'integer'" }
  const calls: Array<() => Promise<unknown>> = [
    () => users.find({ pk: '1' }), () => users.update('1', {}), () => users.activate('1'), () => users.deactivate('1'),
    () => users.delete('1'), () => sessions.list('1'), () => sessions.endAll('1'), () => socialAccounts.list('1'),
    () => mail.send('password-changed', { pk: '1' })
  ]
  for (const call of calls) await t.rejects(call(), error)
  await t.rejects(users.find({ pk: key, email: alice.email }), { message: /give one of/ })
  t.equal(await users.delete(key), true)
})

/** Starts an app on a database; returns why it refuses. */
async function refusal (database: unknown, options: object): Promise<string | undefined> {
  const app = Fastify(patient)
  try {
    await app.register(restAuth, { ...options, secret, database: database as string, docs: false })
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    await app.close()
  }
}

story('a database with another key is refused at start, even among many integers', async (t, build, tested) => {
  const { database, db } = await withIntegers(t, build, tested, { options: {} })
  const { userFields } = articleOptions
  const reasonWith = async (key: string, migrate: boolean) => {
    await importUsers(db, [key])
    const reason = await refusal(database, { ...integer, userFields, migrate })
    await db.orm.delete(db.users).where(eq(db.users.pk, key))
    return reason
  }
  const reason = (key: string) =>
    "fastify-rest-auth: account.pk: 'integer' needs users whose keys are positive integers, but one has the key " +
    `${JSON.stringify(key)}; set account.pk: 'string', or remove the users with such keys`
  await importUsers(db, range(1, 20))
  for (const key of [
    '019391f2-8c5e-7b11-9a54-0c4f8a7d2e61', '5e1f7a2c-0000-4000-8000-000000000000', '007', '1e3', '0', '-1', '+1',
    ' 1', '1 ', '1.0', '1\n', '٣', '0x10', 'alice', '', '9007199254740992', '99999999999999999999'
  ]) t.equal(await reasonWith(key, true), reason(key))
  t.equal(await reasonWith('alice', false), reason('alice'), 'before the migration')
  t.equal(await refusal(database, { ...integer, userFields, migrate: true }), undefined)
  t.equal(await reasonWith('alice', false), reason('alice'), 'and after it')
  t.equal(await refusal(database, { ...integer, userFields, migrate: false }), undefined)
})

story('the change to integer keys needs a migration, which only adds', async (t, build, tested) => {
  const { app, database, db } = await withIntegers(t, build, tested, { options: {} })
  await importUsers(db, [1, 2])
  const options = { ...integer, userFields: articleOptions.userFields }
  t.match(await refusal(database, { ...options, migrate: false }), /2 migration statements are pending; run: npx /)
  t.same(await app.restAuth.migrate(), [])
  const changed = await build(t, { database, options: integer })
  t.same(await changed.app.restAuth.migrate(), [])
  t.equal(await refusal(database, { ...options, migrate: false }), undefined)
  t.equal(await registerIn(changed, 'a'), 3)
})

story('a key that is stored later and is no integer becomes nobody else', async (t, build, tested) => {
  const { db, post, get, register } = await withIntegers(t, build, tested)
  const { access: token } = await register()
  const hash = `pbkdf2_sha256$1000$salt$${pbkdf2Sync(password, 'salt', 1000, 32, 'sha256').toString('base64')}`
  await importUsers(db, ['01'], hash)
  const login = await post('/login', { email: 'user01@example.com', password }, { fault: true })
  t.equal(login.statusCode, 500)
  t.equal((await get('/user', { token })).json().pk, 1)
})

story('after the highest number that JavaScript can count to, no one can register', async (t, build, tested) => {
  const { db, post } = await withIntegers(t, build, tested)
  await importUsers(db, [String(2 ** 53 - 2)])
  t.equal((await post('/registration', alice)).json().user.pk, 2 ** 53 - 1)
  const answer = await post('/registration', { ...alice, email: 'bob@example.com' }, { fault: true })
  t.equal(answer.statusCode, 500)
})

t.test('GET /user reads the database once, with either kind of keys', async t => {
  for (const options of [{}, integer]) {
    const statements: unknown[] = []
    const client = new BetterSqlite3(':memory:', { verbose: statement => statements.push(statement) })
    const { get, register } = await sqliteBuild(t, { database: drizzle({ client }), options })
    const { access: token } = await register()
    statements.length = 0
    t.equal((await get('/user', { token })).statusCode, 200)
    t.equal(statements.length, 1)
  }
})

t.test('with text keys nothing is counted or indexed', async t => {
  const client = new BetterSqlite3(':memory:')
  const { register } = await sqliteBuild(t, { database: drizzle({ client }) })
  t.match((await register()).user.pk, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  t.same(client.prepare('SELECT * FROM user_pk_counter').all(), [])
  t.same(client.prepare("SELECT name FROM sqlite_master WHERE name = 'users_pk_integer'").all(), [])
})

t.test('the start and a registration find keys by the index, without reading the table', async t => {
  const statements: string[] = []
  const client = new BetterSqlite3(':memory:', { verbose: statement => statements.push(String(statement)) })
  await sqliteBuild(t, { database: drizzle({ client }), options: integer })
  statements.length = 0
  const { register } = await sqliteBuild(t, { database: drizzle({ client }), options: integer })
  await register()
  const byKey = statements.filter(statement => statement.includes('CASE WHEN CAST(CAST("pk"'))
  t.equal(byKey.length, 2)
  for (const statement of byKey) {
    const plan = JSON.stringify(client.prepare(`EXPLAIN QUERY PLAN ${statement}`).all())
    t.match(plan, /SEARCH users USING [A-Z ]*INDEX users_pk_integer/)
  }
})
