/** Nothing grows without end: sessions have a maximum, and expired rows are deleted. */
import type { Database } from '../src/db/database.js'
import { openDatabase } from '../src/db/open.js'
import { deleteUndeliverable } from '../src/store/outbox.js'
import { alice, password, sqliteBuild, story, t, type Build, type BuildOptions, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { existingTable } from './support/users-table.js'

const days = 86400

async function buildShared (t: Test, build: Build, dialect: string, options: BuildOptions['options'] = {}) {
  const account = { emailVerification: 'optional' }
  const app = await build(t, {
    options: { account, ...options }, ...(dialect === 'sqlite' && { database: temporaryFile(t) })
  })
  const db: Database = await openDatabase(app.database, [], () => {}, existingTable)
  t.teardown(() => db.close())
  const login = async () => (await app.post('/login', { email: alice.email, password })).json()
  return { ...app, db, login, sweep: async () => await app.app.restAuth.sweep() }
}

story('a login beyond the maximum ends the oldest session', async (t, build, { dialect }) => {
  const { register, login, get, clock, db } = await buildShared(t, build, dialect, { sessions: { max: 3 } })
  const tokens = [(await register()).access]
  for (let index = 0; index < 4; index++) {
    clock.advance(1)
    tokens.push((await login()).access)
  }
  const statuses = await Promise.all(tokens.map(async token => (await get('/user', { token })).statusCode))
  t.same(statuses, [401, 401, 200, 200, 200])
  t.equal((await db.orm.select().from(db.sessions)).length, 3)
})

story('of many logins at once, no more sessions than the maximum remain', async (t, build, { dialect }) => {
  const { register, login, db } = await buildShared(t, build, dialect, { sessions: { max: 5 } })
  await register()
  await Promise.all(Array.from({ length: 50 }, login))
  t.equal((await db.orm.select().from(db.sessions)).length, 5)
})

story('a user has at most a hundred sessions by default', async (t, build, { dialect }) => {
  const { register, login, db } = await buildShared(t, build, dialect)
  await register()
  for (let index = 0; index < 105; index++) await login()
  t.equal((await db.orm.select().from(db.sessions)).length, 100)
})

story('a sweep deletes what has expired, and nothing else', async (t, build, { dialect }) => {
  const { register, login, post, get, mails, clock, db, sweep } = await buildShared(t, build, dialect, {
    limits: {}, tokens: { refresh: { idle: 7 * days, absolute: 30 * days } }
  })
  await register()
  await post('/password/reset', { email: alice.email })
  await mails()
  await post('/login', { email: alice.email, password: 'A-wr0ng-password' })
  t.ok(Object.values(await sweep()).every(count => count === 0))
  clock.advance(8 * days - 1)
  const { access, refresh } = await login()
  t.match(await sweep(), { sessions: 0, oneTimeTokens: 2, mails: 2 }, 'the first session was idle for less than a day')
  clock.advance(60)
  t.match(await sweep(), { sessions: 1, limits: 1 })
  t.equal((await get('/user', { token: access })).statusCode, 200)
  t.equal((await post('/token/refresh', { refresh })).statusCode, 200)
  t.equal((await db.orm.select().from(db.sessions)).length, 1)
  t.equal((await db.orm.select().from(db.rateLimits)).length, 0)
})

story('a sweep deletes any number of rows, also while others sweep', async (t, build, { dialect }) => {
  const { clock, db, sweep } = await buildShared(t, build, dialect)
  const resetsAt = clock.now
  for (let batch = 0; batch < 3; batch++) {
    const rows = Array.from({ length: 700 }, (_, index) => ({ key: `${batch} ${index}`, used: 1, quota: 1, resetsAt }))
    await db.orm.insert(db.rateLimits).values(rows)
  }
  const [one, other] = await Promise.all([sweep(), sweep()])
  t.equal(one.limits, 2100)
  t.equal(other, one, 'the second call waits for the first')
  t.equal((await db.orm.select().from(db.rateLimits)).length, 0)
})

story('mails to unknown addresses leave the queue at once, before they are prepared', async (t, build, { dialect }) => {
  const { register, post, mails, clock, db } = await buildShared(t, build, dialect, { mail: { transport: 'console' } })
  await register()
  await mails()
  const row = { origin: '/auth', template: 'password-reset', variables: {}, attempts: 0, createdAt: clock.now }
  const due = { ...row, dueAt: clock.now }
  await db.orm.insert(db.outbox).values([
    ...Array.from({ length: 1200 }, (_, index) =>
      ({ ...due, id: `unknown ${index}`, address: `u${index}@example.com` })),
    { ...due, id: 'known', address: alice.email },
    { ...due, id: 'elsewhere', origin: '/other', address: 'nobody@example.com' },
    { ...due, id: 'later', address: 'nobody@example.com', dueAt: new Date(clock.now.getTime() + 1000) }
  ])
  const given = { origin: '/auth', now: clock.now, limit: 1000 }
  t.equal(await deleteUndeliverable(db, given), 1000)
  t.equal(await deleteUndeliverable(db, given), 200)
  t.equal(await deleteUndeliverable(db, given), 0)
  const left = (await db.orm.select().from(db.outbox)).map(({ id }) => id)
  for (const id of ['known', 'elsewhere', 'later']) t.ok(left.includes(id), id)
  t.equal((await post('/password/reset', { email: alice.email })).statusCode, 200)
})

t.test('the number of sessions has bounds', async t => {
  for (const max of [0, 10001, 1.5]) {
    await t.rejects(sqliteBuild(t, { options: { sessions: { max } } }), {
      message: 'fastify-rest-auth: sessions.max: must be a whole number from 1 to 10000'
    })
  }
})
