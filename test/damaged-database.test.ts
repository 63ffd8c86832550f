/** A database that this version can't use, restored in part or changed by a new major version, is refused at start. */
import { Type } from '@sinclair/typebox'
import BetterSqlite3 from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/node-postgres'
import Fastify from 'fastify'
import restAuth from '../src/index.js'
import { patient, secret, t, type Test } from './support/build.js'
import { databases, openPool, temporaryFile, type TestedDatabase } from './support/databases.js'

const userFields = { level: { schema: Type.Integer() } }

async function open (t: Test, tested: TestedDatabase) {
  if (tested.dialect === 'sqlite') {
    const database = temporaryFile(t)
    return { database, run: async (sql: string) => { new BetterSqlite3(database).exec(sql).close() } }
  }
  const opened = await tested.open()
  t.teardown(opened.close)
  if (typeof opened.database !== 'string') {
    const orm = opened.database as { execute: (sql: string) => Promise<unknown> }
    return { database: orm, run: async (sql: string) => { await orm.execute(sql) } }
  }
  const pool = openPool(opened.database)
  t.teardown(async () => await pool.end())
  return { database: drizzle({ client: pool }), run: async (sql: string) => { await pool.query(sql) } }
}

async function start (database: unknown, migrate: boolean): Promise<string> {
  const app = Fastify(patient)
  try {
    await app.register(restAuth, { secret, database: database as string, migrate, userFields, docs: false })
    return 'started'
  } catch (error) {
    return (error as Error).message
  } finally {
    await app.close()
  }
}

const damages: Record<string, RegExp> = {
  'DROP TABLE one_time_tokens': /the table one_time_tokens is gone; restore the database from a complete backup$/,
  'DROP TABLE mail_outbox': /the table mail_outbox is gone; restore/,
  'ALTER TABLE sessions DROP COLUMN ip': /the table sessions has lost its column ip; restore/,
  'ALTER TABLE users DROP COLUMN last_login': /the table users has lost its column last_login; restore/,
  'ALTER TABLE refresh_tokens RENAME COLUMN spent_at TO spent': /refresh_tokens has lost its column spent_at; restore/,
  'ALTER TABLE users DROP COLUMN level':
    /userFields\.level: the table users has lost its column "level"; restore it .*, or run this SQL .*: DELETE FROM /,
  'DROP TABLE rest_auth_schema': /it has a table users, but no record of who made it in rest_auth_schema; restore/,
  'DELETE FROM rest_auth_schema': /it has a table users, but no record of who made it in rest_auth_schema; restore/,
  "INSERT INTO rest_auth_schema VALUES ('migration:9999_later', 'breaks older versions')":
    /a newer major version of fastify-rest-auth has migrated it \(9999_later\); install that version, or restore a backup/
}

for (const tested of databases) {
  for (const [damage, refusal] of Object.entries(damages)) {
    t.test(`after ${damage.slice(0, 50)} the start is refused in one sentence (${tested.name})`, async t => {
      const { database, run } = await open(t, tested)
      t.equal(await start(database, true), 'started')
      t.equal(await start(database, false), 'started')
      await run(damage)
      for (const migrate of [false, true]) {
        const message = await start(database, migrate)
        t.match(message, refusal)
        t.match(message, /^fastify-rest-auth: (database|userFields\.level): [^\n]+$/)
      }
    })
  }

  t.test(`a field that lost its column gets an empty one by the SQL of the refusal (${tested.name})`, async t => {
    const { database, run } = await open(t, tested)
    await start(database, true)
    await run('ALTER TABLE users DROP COLUMN level')
    const refusal = await start(database, true)
    await run(refusal.slice(refusal.indexOf('DELETE FROM')))
    t.equal(await start(database, true), 'started')
  })

  t.test(`an app starts on a database to which a newer version has only added (${tested.name})`, async t => {
    const { database, run } = await open(t, tested)
    await start(database, true)
    await run("INSERT INTO rest_auth_schema VALUES ('migration:9999_later', 'applied')")
    await run('ALTER TABLE sessions ADD COLUMN later text')
    for (const migrate of [false, true]) t.equal(await start(database, migrate), 'started')
  })

  t.test(`tables and columns of the app itself are left alone (${tested.name})`, async t => {
    const { database, run } = await open(t, tested)
    await run('CREATE TABLE profiles (id text)')
    t.equal(await start(database, true), 'started')
    await run('ALTER TABLE users ADD COLUMN nickname text')
    t.equal(await start(database, false), 'started')
  })
}
