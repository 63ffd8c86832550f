/** What stands between the plugin and PostgreSQL: other defaults, poolers, caches, replicas, a network that fails. */
import { getTableName, is, Table } from 'drizzle-orm'
import { Cache, type MutationOption } from 'drizzle-orm/cache/core'
import { drizzle } from 'drizzle-orm/node-postgres'
import { withReplicas } from 'drizzle-orm/pg-core'
import pg from 'pg'
import { alice, password, postgresBuild as build, t, type BuiltApp, type Test } from './support/build.js'
import { execute, openPool, postgres, postgresUrl } from './support/databases.js'
import { startFlakyNetwork } from './support/flaky-network.js'
import { hasPgBouncer, startPgBouncer } from './support/pgbouncer.js'

const skip = postgresUrl === undefined && 'needs the server of POSTGRES_URL'
const crowd = <T>(size: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: size }, (_, index) => work(index)))
const statusesOf = (answers: Array<{ statusCode: number }>) => [...new Set(answers.map(answer => answer.statusCode))]

/** A database of the server on which every new connection has this setting. */
async function databaseWith (t: Test, setting: string): Promise<string> {
  const { database, close } = await postgres.open()
  const url = String(database)
  const name = new URL(url).pathname.slice(1)
  const [parameter] = setting.split(' ')
  await execute(url, `ALTER DATABASE ${name} SET ${setting}`)
  t.teardown(async () => {
    await execute(url, `ALTER DATABASE ${name} RESET ${parameter}`)
    await close()
  })
  return url
}

/** The plugin with a pool of its own, and with one of the app's. */
function onBothPools (title: string, setting: string, tell: (t: Test, database: unknown) => Promise<void>): void {
  t.test(`${title} (by URL)`, { skip }, async t => await tell(t, await databaseWith(t, setting)))
  t.test(`${title} (through the app's pool)`, { skip }, async t => {
    const pool = openPool(await databaseWith(t, setting))
    t.teardown(() => pool.end())
    await tell(t, drizzle({ client: pool }))
  })
}

/** Logs in, refreshes, changes and lists what is there, and logs out: every answer is the usual one. */
async function useAll ({ app, get, post, patch, register, mails }: BuiltApp, t: Test): Promise<void> {
  const { access, refresh } = await register()
  const login = await post('/login', { email: alice.email, password })
  t.equal(login.statusCode, 200)
  const next = await post('/token/refresh', { refresh })
  t.equal(next.statusCode, 200)
  t.match((await get('/sessions', { token: access })).json(), [{ last_seen_at: /^2026-11-23T12:00/ }, {}])
  t.equal((await patch('/user', { gender: 'M' }, { token: access })).json().gender, 'M')
  t.equal((await post('/password/reset', { email: alice.email })).statusCode, 200)
  t.equal((await mails()).length, 1)
  t.match(await app.restAuth.users.find({ email: alice.email }), { email: alice.email })
  t.equal((await post('/logout', { refresh: next.json().refresh })).statusCode, 200)
  t.equal((await post('/logout/all', undefined, { token: login.json().access })).statusCode, 200)
}

for (const level of ['serializable', 'repeatable read']) {
  onBothPools(`with the isolation level ${level} everything works`,
    `default_transaction_isolation = '${level}'`,
    async (t, database) => await useAll(await build(t, { database }), t))

  onBothPools(`with the isolation level ${level}, fifty parallel refreshes all succeed`,
    `default_transaction_isolation = '${level}'`,
    async (t, database) => {
      const { post, register } = await build(t, { database })
      const { refresh } = await register()
      const answers = await crowd(50, async () => await post('/token/refresh', { refresh }))
      t.same(statusesOf(answers), [200])
      t.equal(new Set(answers.map(answer => answer.json().refresh)).size, 1)
    })
}

t.test('a transaction that is overtaken too often is answered 503 with Retry-After', { skip }, async t => {
  for (const code of ['40001', '40P01']) {
    let attempts = 0
    const fail = async () => {
      attempts++
      throw Object.assign(new Error('from the driver'), { code })
    }
    const { post } = await build(t, { options: { hooks: { registered: fail } } })
    const answer = await post('/registration', alice, { fault: true })
    t.match([answer.statusCode, answer.headers['retry-after'], answer.json().code], [503, '1', 'service_unavailable'])
    t.equal(attempts, 16)
  }
})

for (const style of ['SQL, DMY', 'SQL, MDY', 'German', 'Postgres, DMY']) {
  onBothPools(`with the DateStyle ${style} everything works`, `datestyle = '${style}'`, async (t, database) => {
    const built = await build(t, { database })
    await useAll(built, t)
    const { refresh, access } = (await built.post('/login', { email: alice.email, password })).json()
    const [session] = (await built.get('/sessions', { token: access })).json()
    t.equal(session.created_at, '2026-11-23T12:00:00.000Z')
    t.equal(session.expires_at, '2026-12-23T12:00:00.000Z')
    built.clock.advance(3)
    const next = (await built.post('/token/refresh', { refresh })).json()
    t.equal(next.refresh_expiration, '2026-11-30T12:00:03.000Z')
    t.equal((await built.post('/token/refresh', { refresh })).json().refresh, next.refresh, 'the grace period is kept')
  })
}

t.test('dates are read in any time zone of the server', { skip }, async t => {
  for (const zone of ['Asia/Kolkata', 'America/St_Johns', 'Pacific/Kiritimati']) {
    const { post, get, register } = await build(t, { database: await databaseWith(t, `timezone = '${zone}'`) })
    const { refresh } = await register()
    const { access } = (await post('/token/refresh', { refresh })).json()
    t.match((await get('/sessions', { token: access })).json(), [{ created_at: '2026-11-23T12:00:00.000Z' }], zone)
  }
})

/** A cache of Drizzle that keeps all it is told, and forgets only what this instance itself changes. */
class ForgetfulOfOthers extends Cache {
  readonly kept = new Map<string, unknown[]>()
  readonly changed: string[] = []
  strategy () { return 'all' as const }
  async get (key: string) { return this.kept.get(key) }
  async put (key: string, rows: any) { this.kept.set(key, rows) }
  async onMutate ({ tables = [] }: MutationOption) {
    for (const table of [tables].flat()) this.changed.push(is(table, Table) ? getTableName(table) : String(table))
  }
}

t.test('a global cache of the app never answers for a session, and hears of every write', { skip }, async t => {
  const { database, close } = await postgres.open()
  t.teardown(close)
  const pool = openPool(String(database))
  t.teardown(() => pool.end())
  const cache = new ForgetfulOfOthers()
  const orm = drizzle({ client: pool, cache })
  const { get, post, register } = await build(t, { database: orm })
  const { access, refresh, user } = await register()
  for (let time = 0; time < 2; time++) t.equal((await get('/user', { token: access })).statusCode, 200)
  // As another process would end it.
  await execute(String(database), 'UPDATE users SET is_active = false')
  t.equal((await get('/user', { token: access })).json().code, 'user_inactive')
  t.equal((await post('/token/refresh', { refresh })).statusCode, 401)
  await execute(String(database), 'UPDATE users SET is_active = true; DELETE FROM sessions')
  t.equal((await get('/user', { token: access })).json().code, 'token_not_valid')
  t.equal((await post('/token/verify', { token: refresh })).statusCode, 401)
  t.equal(cache.kept.size, 0)
  t.ok(cache.changed.includes('users') && user)
})

t.test('an instance with replicas: everything is read from the primary', { skip }, async t => {
  const [primary, replica] = [await postgres.open(), await postgres.open()]
  const pools = [primary, replica].map(({ database }) => openPool(String(database)))
  t.teardown(async () => {
    for (const pool of pools) await pool.end()
    await primary.close()
    await replica.close()
  })
  const [first, second] = pools.map(pool => drizzle({ client: pool }))
  if (!first || !second) throw new Error('two pools make two instances')
  const orm = withReplicas(first, [second])
  for (const database of [orm, { drizzle: orm }]) {
    const built = await build(t, { database })
    await useAll(built, t)
    await built.app.restAuth.users.delete((await built.app.restAuth.users.find({ email: alice.email }))?.pk ?? '')
  }
})

const skipBouncer = skip || (!hasPgBouncer && 'needs the package pgbouncer')

/** A database behind PgBouncer, with two server connections for all of its clients. */
async function bounced (t: Test): Promise<string> {
  const { database, close } = await postgres.open()
  t.teardown(close)
  return await startPgBouncer(t, String(database))
}

for (const [title, open] of Object.entries({
  'by URL': async (_t, url) => url,
  'by URL, without prepared statements': async (_t, url) => ({ url, prepare: false }),
  "through the app's pool": async (t, url) => drizzle({ client: poolOf(t, url) }),
  "through the app's pool, without prepared statements": async (t, url) =>
    ({ drizzle: drizzle({ client: poolOf(t, url) }), prepare: false })
} satisfies Record<string, (t: Test, url: string) => Promise<unknown>>)) {
  t.test(`PgBouncer in transaction mode: everything works ${title}`, { skip: skipBouncer }, async t => {
    const url = await bounced(t)
    const built = await build(t, { database: await open(t, url) })
    const other = await build(t, { database: await open(t, url) })
    await useAll(built, t)
    const { access } = (await other.post('/login', { email: alice.email, password })).json()
    const answers = await crowd(60, async index => await (index % 2 ? built : other).get('/user', { token: access }))
    t.same(statusesOf(answers), [200])
    const logins = await crowd(10, async () => (await built.post('/login', { email: alice.email, password })).json())
    const refreshed = await crowd(10, async index =>
      await other.post('/token/refresh', { refresh: logins[index].refresh }))
    t.same(statusesOf(refreshed), [200])
    t.notOk([...built.logs, ...other.logs].some(line => line.includes('"level":50')))
  })
}

t.test('PgBouncer in transaction mode: four servers may start at once', { skip: skipBouncer }, async t => {
  const url = await bounced(t)
  const apps = await crowd(4, async () => await build(t, { database: url }))
  for (const [index, { register }] of apps.entries()) await register({ email: `u${index}@example.com` })
})

t.test('a network that falls silent: 503, and once it is back everything works', { skip }, async t => {
  const { database, close } = await postgres.open()
  const network = await startFlakyNetwork(t, String(database))
  t.teardown(close)
  const built = await build(t, { database: `${network.url}?query_timeout=8000&connect_timeout=8` })
  const { access, refresh } = await built.register()
  network.isSilent = true
  const requests = (fault: boolean) => crowd(24, async index => index % 2
    ? await built.get('/user', { token: access, fault })
    : await built.post('/login', { email: alice.email, password }, { fault }))
  t.same(statusesOf(await requests(true)), [503])
  t.same(statusesOf(await requests(true)), [503])
  network.isSilent = false
  // On a busy machine, connections that were begun in the silence may still take every place.
  t.ok(statusesOf(await requests(true)).every(status => status === 200 || status === 503))
  t.same(statusesOf(await requests(false)), [200])
  t.equal((await built.post('/token/refresh', { refresh })).statusCode, 200)
})

t.test('connections that the server ends are replaced', { skip }, async t => {
  const { database, close } = await postgres.open()
  t.teardown(close)
  const { post, get, register } = await build(t, { database })
  const { access } = await register()
  // Waits until they have ended: a busy server takes its time.
  const ended = execute(String(database), `SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`)
  const during = await crowd(20, async index => index % 2
    ? await get('/user', { token: access, fault: true })
    : await post('/login', { email: alice.email, password }, { fault: true }))
  await ended
  t.ok(statusesOf(during).every(status => status === 200 || status === 503), statusesOf(during).join())
  t.equal((await get('/user', { token: access })).statusCode, 200)
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
})

t.test('the options of the pool are the app\'s, and a pool that is used up answers 503', { skip }, async t => {
  const { database, close } = await postgres.open()
  t.teardown(close)
  const pool = { max: 2, application_name: 'the app', connectionTimeoutMillis: 300, statement_timeout: 60000 }
  const { get, post, register } = await build(t, { database: { url: String(database), pool } })
  const { access } = await register()
  const watch = poolOf(t, String(database))
  const ours = async () => (await watch.query<{ count: number }>(
    "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'the app' AND datname = current_database()"
  )).rows[0]?.count
  const blocker = await watch.connect()
  await blocker.query('BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE')
  const waiting = crowd(2, async () => await get('/user', { token: access }))
  while (await ours() !== 2) { /* Both connections wait for the lock. */ }
  const refused = await crowd(10, async () => await post('/login', { email: alice.email, password }, { fault: true }))
  t.same(statusesOf(refused), [503])
  t.ok(refused.every(({ headers }) => headers['retry-after'] === '1'))
  t.equal(await ours(), 2, 'no more connections than max')
  await blocker.query('COMMIT')
  blocker.release()
  t.same(statusesOf(await waiting), [200])
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
})

function poolOf (t: Test, connectionString: string): pg.Pool {
  const pool = openPool(connectionString)
  t.teardown(() => pool.end())
  return pool
}
