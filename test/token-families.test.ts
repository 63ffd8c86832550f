/**
 * However often a session is refreshed, it costs the same: of its refresh tokens two are stored, and the others are
 * recognised by their family. Costs are counted in rows and read from the databases' own query plans.
 */
import BetterSqlite3 from 'better-sqlite3'
import { drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3'
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import type { Database } from '../src/db/database.js'
import { migrate } from '../src/db/migrate.js'
import { openDatabase } from '../src/db/open.js'
import { createTokenDeriver, hashToken, mintToken } from '../src/lib/secrets.js'
import { alice, password, secret, story, type Build, type BuiltApp, type Test } from './support/build.js'
import { openPool, temporaryFile, type TestedDatabase } from './support/databases.js'
import { existingTable } from './support/users-table.js'

const invalid = { code: 'token_not_valid', detail: 'Token is invalid' }

/** An app, and its rows. */
async function buildWithRows (t: Test, build: Build, { dialect }: TestedDatabase, options: object = {}) {
  const file = dialect === 'sqlite' ? temporaryFile(t) : undefined
  const built = await build(t, { options, ...(file && { database: file }) })
  const db = await openDatabase(file ?? built.database, [], () => {}, existingTable)
  t.teardown(() => db.close())
  return { ...built, ...rowsOf(db), db }
}

const rowsOf = (db: Database) => ({
  sessions: async () => await db.orm.select().from(db.sessions),
  refreshTokens: async () => await db.orm.select().from(db.refreshTokens)
})

/** The token that is left after so many exchanges. */
async function refreshTimes ({ post }: Pick<BuiltApp, 'post'>, token: string, times: number): Promise<string> {
  let refresh = token
  for (let time = 0; time < times; time++) refresh = (await post('/token/refresh', { refresh })).json().refresh
  return refresh
}

const reuses = ({ logs }: Pick<BuiltApp, 'logs'>) => logs.filter(line => line.includes('"event":"token_reused"')).length

story('a session has two stored tokens, however often it is refreshed', async (t, build, tested) => {
  const { register, refreshTokens, post, clock } = await buildWithRows(t, build, tested)
  const { refresh } = await register()
  t.equal((await refreshTokens()).length, 1)
  let last = refresh
  for (const times of [1, 9, 190]) {
    last = await refreshTimes({ post }, last, times)
    t.equal((await refreshTokens()).length, 2, `after ${times} more`)
  }
  await post('/login', { email: alice.email, password })
  t.equal((await refreshTokens()).length, 3, 'another session has its own')
  clock.advance(1)
  t.equal((await post('/token/refresh', { refresh: last })).statusCode, 200)
})

for (const generations of [2, 3, 10, 1000]) {
  story(`a token that was exchanged ${generations} exchanges ago ends its session`, async (t, build, tested) => {
    const built = await buildWithRows(t, build, tested, { mail: { from: 'app@example.com' } })
    const { post, get, register, sessions, mails } = built
    const { refresh: oldest, access } = await register()
    const other = (await post('/login', { email: alice.email, password })).json()
    const last = await refreshTimes(built, oldest, generations)
    t.equal((await post('/token/verify', { token: oldest })).statusCode, 401, 'to ask of it ends nothing')
    t.equal((await sessions()).length, 2)
    t.match((await post('/token/refresh', { refresh: oldest })).json(), invalid)
    t.match((await post('/token/refresh', { refresh: last })).json(), invalid, 'the last token is invalid too')
    t.equal((await get('/user', { token: access })).json().code, 'token_not_valid')
    t.equal((await sessions()).length, 1)
    t.equal((await post('/token/refresh', { refresh: other.refresh })).statusCode, 200, 'another session lives on')
    t.equal(reuses(built), 1)
    t.match(await mails(), [{ to: alice.email, subject: '[localhost:3000] You were logged out' }])
  })
}

story('an earlier token is recognised for as long as the session lives', async (t, build, tested) => {
  const built = await buildWithRows(t, build, tested)
  const { refresh: oldest } = await built.register()
  let refresh = oldest
  for (let day = 0; day < 20; day++) {
    refresh = await refreshTimes(built, refresh, 1)
    built.clock.advance(86400)
  }
  t.match((await built.post('/token/refresh', { refresh: oldest })).json(), invalid)
  t.same(await built.sessions(), [])
})

story('an earlier token of a session whose time is up is expired, and no alarm', async (t, build, tested) => {
  const built = await buildWithRows(t, build, tested)
  const { refresh: oldest } = await built.register()
  await refreshTimes(built, oldest, 5)
  built.clock.advance(8 * 86400)
  t.equal((await built.post('/token/refresh', { refresh: oldest })).json().code, 'token_expired')
  t.equal(reuses(built), 0)
})

story('an earlier token logs out like the current one', async (t, build, tested) => {
  const built = await buildWithRows(t, build, tested)
  const { refresh: oldest } = await built.register()
  const last = await refreshTimes(built, oldest, 5)
  t.equal((await built.post('/logout', { refresh: oldest })).statusCode, 200)
  t.same([await built.sessions(), await built.refreshTokens()], [[], []])
  t.match((await built.post('/token/refresh', { refresh: last })).json(), invalid)
  t.match((await built.post('/token/refresh', { refresh: oldest })).json(), invalid, 'and is unknown afterwards')
  t.equal(reuses(built), 0)
})

story('a token that was altered or cut is not taken for an earlier one', async (t, build, tested) => {
  const built = await buildWithRows(t, build, tested)
  const { refresh: oldest } = await built.register()
  const refresh = await refreshTimes(built, oldest, 3)
  for (const token of [oldest, refresh]) {
    const altered = Array.from(token, (character, at) =>
      `${token.slice(0, at)}${character === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`)
    for (const wrong of [...altered, token.slice(0, -1), token.slice(1), `${token}A`, token.toLowerCase()]) {
      t.match((await built.post('/token/refresh', { refresh: wrong })).json(), invalid)
      await built.post('/logout', { refresh: wrong })
    }
  }
  t.equal(reuses(built), 0)
  t.equal((await built.post('/token/refresh', { refresh })).statusCode, 200)
})

/** A session as version 0.1 stored it: tokens of 256 random bits, each derived from the one before. */
async function insertOldChain (db: Database, userPk: string, length: number, now: Date) {
  const derive = createTokenDeriver(secret, 'refresh tokens')
  const expiresAt = new Date(now.getTime() + 86400_000)
  await db.orm.insert(db.sessions).values({ id: `old-${length}`, userPk, createdAt: now, lastSeenAt: now, expiresAt })
  const tokens = [mintToken()]
  while (tokens.length < length) tokens.push(derive(tokens.at(-1) ?? ''))
  const rows = tokens.map((token, index) => ({
    digest: hashToken(`/auth ${token}`),
    sessionId: `old-${length}`,
    createdAt: new Date(now.getTime() - (length - index) * 60_000),
    expiresAt,
    spentAt: index === length - 1 ? null : new Date(now.getTime() - (length - index - 1) * 60_000)
  }))
  for (let at = 0; at < rows.length; at += 500) await db.orm.insert(db.refreshTokens).values(rows.slice(at, at + 500))
  return { oldest: tokens[0] ?? '', current: tokens.at(-1) ?? '', spent: tokens.at(-2) ?? '' }
}

story('a session of an earlier version goes on, and its used tokens still end it', async (t, build, tested) => {
  for (const used of ['oldest', 'spent', 'current'] as const) {
    const built = await buildWithRows(t, build, tested)
    const { user } = await built.register()
    const old = await insertOldChain(built.db, user.pk, 20, built.clock.now)
    const first = (await built.post('/token/refresh', { refresh: old.current })).json().refresh
    const again = (await built.post('/token/refresh', { refresh: old.current })).json().refresh
    t.equal(again, first, 'within the grace period')
    const last = await refreshTimes(built, first, 10)
    t.equal((await built.refreshTokens()).length, 20 + 2 + 1, 'nothing is added to the old chain')
    built.clock.advance(11)
    t.match((await built.post('/token/refresh', { refresh: old[used] })).json(), invalid, used)
    t.match((await built.post('/token/refresh', { refresh: last })).json(), invalid)
    t.equal(reuses(built), 1)
    t.equal((await built.refreshTokens()).length, 1)
  }
})

story('an upgrade keeps the last thousand used tokens of a session', async (t, build, tested) => {
  const built = await buildWithRows(t, build, tested)
  const { db, clock, refreshTokens } = built
  const { user, refresh } = await built.register()
  const long = await insertOldChain(db, user.pk, 1200, clock.now)
  const short = await insertOldChain(db, user.pk, 3, clock.now)
  await db.execute(db, 'DROP INDEX refresh_tokens_family_index')
  await db.execute(db, 'ALTER TABLE refresh_tokens DROP COLUMN family')
  await db.execute(db, 'ALTER TABLE refresh_tokens DROP COLUMN spent_by')
  await db.execute(db, 'ALTER TABLE sessions DROP COLUMN grace_uses_by_others')
  await db.execute(db, "DELETE FROM rest_auth_schema WHERE entry = 'migration:0003_refresh_token_families'")
  await migrate(db, [])
  const rows = await refreshTokens()
  t.equal(rows.filter(({ sessionId }) => sessionId === 'old-1200').length, 1001)
  t.equal(rows.filter(({ sessionId }) => sessionId === 'old-3').length, 3)
  for (const token of [refresh, long.current, short.current]) {
    t.equal((await built.post('/token/refresh', { refresh: token })).statusCode, 200)
  }
  clock.advance(11)
  t.match((await built.post('/token/refresh', { refresh: long.oldest })).json(), invalid)
  t.equal(reuses(built), 0, 'the oldest is unknown')
  t.match((await built.post('/token/refresh', { refresh: long.spent })).json(), invalid)
  t.equal(reuses(built), 1)
})

interface Statement {
  query: string
  params: unknown[]
}

/** The app's Drizzle instance on a new database, the statements it runs, and how the database would run each. */
async function recordStatements (t: Test, tested: TestedDatabase) {
  const statements: Statement[] = []
  const record = (query: string, params: unknown[] = []) => { statements.push({ query, params }) }
  if (tested.dialect === 'sqlite') {
    const client = new BetterSqlite3(':memory:', { verbose: query => record(String(query)) })
    t.teardown(() => client.close())
    const explain = async ({ query }: Statement) =>
      client.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${query}`).all().map(({ detail }) => detail)
    return { database: drizzleSqlite({ client }), statements, explain }
  }
  const { database, close } = await tested.open()
  const pool = typeof database === 'string' ? openPool(database, { max: 1 }) : undefined
  t.teardown(async () => { await pool?.end(); await close() })
  const logger = { logQuery: record }
  const orm = pool
    ? drizzlePostgres({ client: pool, logger })
    : drizzlePglite({ client: (database as { $client: never }).$client, logger })
  const client: { query: (text: string, params?: unknown[]) => Promise<{ rows: object[] }> } = orm.$client
  const explain = async ({ query, params }: Statement) => {
    // Of a small table, PostgreSQL reads all rows, whatever indexes there are.
    await client.query('SET enable_seqscan = off')
    return (await client.query(`EXPLAIN ${query}`, params)).rows.map(row => String(Object.values(row)[0]))
  }
  return { database: orm, statements, explain }
}

story('refresh, theft and logout find every row by an index', async (t, build, tested) => {
  const { database, statements, explain } = await recordStatements(t, tested)
  const built = await build(t, { database, server: { logger: false } })
  const { refresh: oldest } = await built.register()
  const { access, refresh } = (await built.post('/login', { email: alice.email, password })).json()
  statements.length = 0
  const last = await refreshTimes(built, refresh, 2)
  await refreshTimes(built, oldest, 3)
  await built.post('/token/verify', { token: last })
  await built.post('/token/refresh', { refresh: oldest })
  await built.post('/logout', { refresh })
  await built.post('/logout/all', undefined, { token: access })
  await built.post('/logout/all', undefined, {
    token: (await built.post('/login', { email: alice.email, password })).json().access
  })
  const isOurs = ({ query }: { query: string }) =>
    /^\s*(select|update|delete)/i.test(query) && /refresh_tokens|sessions/.test(query)
  const recorded = [...new Map(statements.filter(isOurs).map(one => [one.query, one])).values()]
  t.ok(recorded.length >= 8, `${recorded.length} different statements`)
  for (const statement of recorded) {
    const plan = await explain(statement)
    t.notOk(plan.some(line => /SCAN (refresh_tokens|sessions)|Seq Scan/.test(line)), statement.query, { plan })
  }
})

story('every foreign key to a session or its user has an index', async (t, build, tested) => {
  const { database, explain } = await recordStatements(t, tested)
  await build(t, { database })
  for (const [table, column] of [
    ['refresh_tokens', 'session_id'], ['sessions', 'user_pk'], ['social_transactions', 'user_pk']
  ]) {
    const plan = await explain({ query: `DELETE FROM ${table} WHERE ${column} = 'x'`, params: [] })
    t.ok(plan.some(line => /USING (COVERING )?INDEX|Index Scan/.test(line)), `${table}.${column}`, { plan })
  }
})
