/** Transactions on both databases, retries on PostgreSQL, and a SQLite file shared with another process. */
import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'drizzle-orm'
import { drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3'
import { drizzle } from 'drizzle-orm/node-postgres'
import { withReplicas } from 'drizzle-orm/sqlite-core'
import { refuseCrash } from '../src/db/better-sqlite3.js'
import type { Database } from '../src/db/database.js'
import { migrate } from '../src/db/migrate.js'
import { openDatabase } from '../src/db/open.js'
import { isPostgres } from '../src/db/target.js'
import { findUser, insertUser } from '../src/store/users.js'
import { t, type Test } from './support/build.js'
import { databases, openPool, postgres, temporaryFile } from './support/databases.js'

const row = (pk: string) => ({
  pk,
  email: `${pk}@example.com`,
  isActive: true,
  createdAt: new Date('2026-11-23T12:00:00.123Z')
})

async function open (t: Test, tested: (typeof databases)[number]): Promise<Database> {
  const { database, close } = await tested.open()
  // A pool that waits as long as it takes: a thousand requests at once are the test here, not a fault.
  const pool =
    typeof database === 'string' && isPostgres(database) ? openPool(database) : undefined
  const db = await openDatabase(pool ? drizzle({ client: pool }) : database, [], error => t.fail(error.message))
  t.teardown(async () => {
    await db.close()
    await pool?.end()
    await close()
  })
  await migrate(db, [])
  return db
}

for (const tested of databases) {
  t.test(`a row reads back with the values and types it was stored with (${tested.name})`, async t => {
    const db = await open(t, tested)
    const stored = await insertUser(db, row('one'))
    t.same(stored, {
      ...row('one'),
      username: null,
      usernameKey: null,
      emailVerified: false,
      passwordHash: null,
      lastLogin: null
    })
    t.same(await findUser(db, 'one'), stored)
    t.equal(await insertUser(db, row('one')), undefined, 'a taken value gives no row')
  })

  t.test(`400 concurrent transactions that roll back lose none of 600 other writes (${tested.name})`, async t => {
    const db = await open(t, tested)
    const rolledBack = Array.from({ length: 400 }, (_, index) => t.rejects(db.transaction(async tx => {
      await insertUser(tx, row(`undone-${index}`))
      // Give every other request the chance to fall into this transaction.
      await setImmediate()
      await insertUser(tx, row(`undone-too-${index}`))
      throw new Error('changed my mind')
    }), { message: 'changed my mind' }))
    const written = Array.from({ length: 600 }, async (_, index) => {
      if (index % 3 === 0) await setImmediate()
      await insertUser(db, row(`kept-${index}`))
    })
    await Promise.all([...rolledBack, ...written])
    const rows = await db.orm.select({ pk: db.users.pk }).from(db.users)
    t.equal(rows.length, 600)
    t.ok(rows.every(({ pk }) => pk.startsWith('kept-')))
  })

  t.test(`a transaction stores all or nothing, and returns its result (${tested.name})`, async t => {
    const db = await open(t, tested)
    t.equal(await db.transaction(async tx => (await insertUser(tx, row('a')))?.pk), 'a')
    await t.rejects(db.transaction(async tx => {
      await insertUser(tx, row('b'))
      await tx.orm.insert(tx.users).values(row('a'))
    }))
    t.equal(await findUser(db, 'b'), undefined)
    t.ok(await findUser(db, 'a'), 'and the database still works')
  })
}

t.test('PostgreSQL: a deadlock or serialisation failure is retried fifteen times, any other error never', async t => {
  const db = await open(t, postgres)
  const attempts = { '40P01': 0, 40001: 0, 23502: 0 }
  const failing = async (code: keyof typeof attempts, times: number) => await db.transaction(async () => {
    if (++attempts[code] <= times) throw Object.assign(new Error('from the driver'), { code: String(code) })
    return 'done'
  })
  t.equal(await failing('40P01', 15), 'done')
  await t.rejects(failing(40001, 16), { message: 'from the driver' })
  await t.rejects(failing(23502, 1), { message: 'from the driver' })
  t.same(attempts, { '40P01': 16, 40001: 16, 23502: 1 })
})

t.test('PostgreSQL: after a prepared statement was lost, none is prepared any more', async t => {
  for (const code of ['26000', '42P05']) {
    const db = await open(t, postgres)
    let attempts = 0
    const failing = async () => await db.transaction(async () => {
      attempts++
      throw Object.assign(new Error('from the driver'), { code })
    })
    await t.rejects(failing(), { message: 'from the driver' })
    t.equal(attempts, 2, 'tried again without')
    await t.rejects(failing(), { message: 'from the driver' })
    t.equal(attempts, 3, 'which is not the cause any more')
    t.equal(await findUser(db, 'one'), undefined)
  }
})

t.test('SQLite: a query that bypasses its transaction\'s tx throws instead of deadlocking', async t => {
  const db = await openDatabase(':memory:', [], () => {})
  t.teardown(() => db.close())
  await migrate(db, [])
  await t.rejects(db.transaction(async () => await findUser(db, 'one')), { cause: { message: /goes through its tx/ } })
})

/** A database file, and a second connection to it, as another process would have. */
async function openShared (t: Test): Promise<{ db: Database, other: BetterSqlite3.Database }> {
  const file = temporaryFile(t)
  const db = await openDatabase(file, [], () => {})
  t.teardown(() => db.close())
  await migrate(db, [])
  const other = new BetterSqlite3(file)
  t.teardown(() => other.close())
  return { db, other }
}

t.test('SQLite: a write waits for another process without blocking the event loop', async t => {
  const { db, other } = await openShared(t)
  other.exec('BEGIN IMMEDIATE')
  const progress = { turns: 0, stored: false }
  const write = insertUser(db, row('one')).finally(() => { progress.stored = true })
  for (; progress.turns < 20; progress.turns++) await setImmediate()
  t.notOk(progress.stored, 'the event loop turned meanwhile')
  other.exec('COMMIT')
  t.equal((await write)?.pk, 'one')
})

t.test('SQLite: a write that waited for another process stays out of a transaction begun meanwhile', async t => {
  const { db, other } = await openShared(t)
  for (let round = 0; round < 10; round++) {
    other.exec('BEGIN IMMEDIATE')
    const write = insertUser(db, row(`kept-${round}`))
    const undone = t.rejects(db.transaction(async tx => {
      await insertUser(tx, row(`undone-${round}`))
      // Longer than a waiting write waits.
      await sleep(60)
      throw new Error('changed my mind')
    }), { message: 'changed my mind' })
    other.exec('COMMIT')
    await Promise.all([write, undone])
    t.ok(await findUser(db, `kept-${round}`))
  }
})

t.test('SQLite: of many writes that wait for another process, all fail when the first one does', async t => {
  const { db, other } = await openShared(t)
  other.exec('BEGIN IMMEDIATE')
  const beganMs = performance.now()
  const writes = Array.from({ length: 20 }, (_, index) => t.rejects(
    index % 2 ? insertUser(db, row(`${index}`)) : db.transaction(tx => insertUser(tx, row(`${index}`)))))
  await Promise.all(writes)
  t.ok(performance.now() - beganMs < 20_000, 'two seconds, not forty')
  other.exec('COMMIT')
  t.equal((await insertUser(db, row('one')))?.pk, 'one')
  // Afterwards a new lock is waited for.
  other.exec('BEGIN IMMEDIATE')
  const write = insertUser(db, row('two'))
  await sleep(200)
  other.exec('COMMIT')
  t.equal((await write)?.pk, 'two')
})

t.test('PostgreSQL: a migration has no statement timeout', async t => {
  const db = await open(t, postgres)
  const [row] = await db.underMigrationLock(
    async tx =>
      await tx.orm.select({ timeout: sql<string>`current_setting('statement_timeout')` }).from(sql`(VALUES (1)) AS one`)
  )
  t.equal(row?.timeout, '0')
})

t.test('SQLite: of an instance with replicas the primary is used, and a cache is not', async t => {
  const client = new BetterSqlite3(temporaryFile(t))
  const replica = new BetterSqlite3(':memory:')
  t.teardown(() => { client.close(); replica.close() })
  const orm = withReplicas(drizzleSqlite({ client }), [drizzleSqlite({ client: replica })])
  for (const option of [orm, { drizzle: orm }, { url: client.name }]) {
    const db = await openDatabase(option, [], () => {})
    t.teardown(() => db.close())
    await migrate(db, [])
    const pk = `of-${db.dialect}-${t.counts.total}`
    t.equal((await insertUser(db, row(pk)))?.pk, pk)
    client.prepare('UPDATE users SET is_active = 0').run()
    t.equal((await findUser(db, pk))?.isActive, false)
  }
})

t.test('SQLite: a version of better-sqlite3 that would end the process is refused before it is loaded', async t => {
  const refusal = (version: string, node: string, napi: string) => {
    try {
      refuseCrash(version, { ...process.versions, node, napi })
    } catch (error) {
      return (error as Error).message
    }
    return 'works'
  }
  t.match(refusal('13.2.0', '20.20.2', '9'), /^database: better-sqlite3 13\.2\.0 crashes Node 20.* better-sqlite3@12/)
  t.match(refusal('13.2.0', '22.13.1', '9'), /^database: better-sqlite3 13\.2\.0 crashes Node 22\.13/)
  t.match(refusal('12.11.1', '24.21.0', '10'), /^database: better-sqlite3 12\.11\.1 can abort .* better-sqlite3@13/)
  t.match(refusal('12.11.1', '26.12.1', '10'), /can abort/)
  for (const [version, node, napi] of [
    ['12.11.1', '20.20.2', '9'], ['12.11.1', '22.23.3', '10'], ['13.2.0', '22.14.0', '10'], ['13.2.0', '26.12.1', '10']
  ] as const) t.equal(refusal(version, node, napi), 'works')
})

t.test('an invalid `database` option throws, and the message lists the valid ones', async t => {
  await t.rejects(
    openDatabase({ some: 'object' }, [], () => {}), { message: /^database: give a SQLite file, a postgres:\/\/ URL/ }
  )
})

t.test('only its owner can read a new SQLite file and its WAL; an existing file keeps its mode', async t => {
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
  const file = temporaryFile(t)
  const db = await openDatabase(file, [], () => {})
  t.teardown(() => db.close())
  await migrate(db, [])
  for (const path of [file, `${file}-wal`, `${file}-shm`]) t.equal(modeOf(path), '600', path)

  const shared = temporaryFile(t)
  writeFileSync(shared, '')
  chmodSync(shared, 0o640)
  const other = await openDatabase(shared, [], () => {})
  t.teardown(() => other.close())
  await migrate(other, [])
  t.equal(modeOf(shared), '640', 'the app decides about its own file')
  await t.rejects(openDatabase(`${file}.d/none.sqlite`, [], () => {}), /directory does not exist/)
})
