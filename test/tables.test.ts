/** The tables of a registration: a prefix, a schema, and which registrations of an app use the same. */
import { Type } from '@sinclair/typebox'
import BetterSqlite3 from 'better-sqlite3'
import { drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3'
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres'
import { eq, getTableName, sql } from 'drizzle-orm'
import { getTableConfig as postgresConfig } from 'drizzle-orm/pg-core'
import { getTableConfig as sqliteConfig } from 'drizzle-orm/sqlite-core'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import * as postgresTables from 'fastify-rest-auth/drizzle/postgres'
import * as sqliteTables from 'fastify-rest-auth/drizzle/sqlite'
import { describeField, type UserField } from '../schemas/user-fields.js'
import type { Database } from '../src/db/database.js'
import { migrate, pendingStatements } from '../src/db/migrate.js'
import { openDatabase } from '../src/db/open.js'
import { maxPrefixLength } from '../src/db/table-names.js'
import { createPlugin } from '../src/plugin.js'
import { alice, articleOptions, cheapHash, password, secret, t, type Test } from './support/build.js'
import { databases, openPool, postgres, temporaryFile, type TestedDatabase } from './support/databases.js'

const plugin = fp(createPlugin({ hashCost: cheapHash }))
const options = (changes: object): object => ({ ...articleOptions, secret, migrate: true, docs: false, ...changes })
const prefix = 'staff_'.padEnd(maxPrefixLength, 'x')

/** An app without the plugin, and what to put into `database` for a database that both registrations can open. */
async function host (t: Test, tested: TestedDatabase): Promise<{ app: FastifyInstance, place: Place }> {
  const app = Fastify()
  const { database, close } = await tested.open()
  t.teardown(async () => {
    await app.close()
    await close()
  })
  if (tested.dialect === 'sqlite') return { app, place: { url: temporaryFile(t) } }
  return { app, place: typeof database === 'string' ? { url: database } : { drizzle: database as object } }
}

type Place = { url: string } | { drizzle: object }

const post = async (app: FastifyInstance, url: string, body: object) => await app.inject({ method: 'POST', url, body })
const login = async (app: FastifyInstance, path: string) =>
  (await post(app, `${path}/login`, { email: alice.email, password })).statusCode

const structures = {
  sqlite: () => [sql`name, sql as made from sqlite_master where sql is not null`],
  postgres: (schema: string) => [
    sql`table_name as name, concat_ws(' ', column_name, data_type, is_nullable, column_default) as made
      from information_schema.columns where table_schema = ${schema}`,
    sql`indexname as name, indexdef as made from pg_indexes where schemaname = ${schema}`,
    sql`conname as name, concat_ws(' ', conrelid::regclass, pg_get_constraintdef(oid)) as made from pg_constraint
      where connamespace = ${schema}::regnamespace`
  ]
}

/** The name of everything that the migrations made, and how it was made: tables, columns, indexes, constraints. */
async function structure ({ dialect, orm }: Database, schema = 'public') {
  const rows = []
  const columns = { name: sql<string>`name`, made: sql<string>`made` }
  for (const source of structures[dialect](schema)) {
    rows.push(...await orm.select(columns).from(sql`(select ${source}) as s`))
  }
  return rows
}

const specs = (fields: Record<string, UserField>) =>
  Object.entries(fields).map(([name, field]) => describeField(name, field))
const fields = specs({
  gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F')]) },
  badge: { schema: Type.String(), unique: true },
  // The app has a column with the name of one of the plugin's tables.
  sessions: { schema: Type.Integer() }
})

async function migrated (t: Test, option: unknown, given = fields) {
  const db = await openDatabase(option, given, () => {})
  t.teardown(() => db.close())
  await migrate(db, given, 'integer')
  return db
}

for (const tested of databases) {
  const { name, dialect } = tested

  t.test(`with a prefix everything is the same but the names, and nothing else is made (${name})`, async t => {
    const [one, other] = [await host(t, tested), await host(t, tested)]
    const before = await structure(await migrated(t, one.place))
    const after = await structure(await migrated(t, { ...other.place, tables: prefix }))
    t.same(after.filter(({ name }) => !name.startsWith(prefix)), [])
    t.same(after.filter(({ name }) => name.length > 63), [])
    const lines = (rows: typeof after) =>
      rows.map(({ name, made }) => `${name} ${made}`.replaceAll(prefix, '').replace(/["`]/g, '')).sort()
    t.same(lines(after), lines(before))
  })

  const schemas = [{ schema: 'Desk' }, { schema: 'desk', tables: 'staff_' }, { schema: 'public', tables: 'x' }]
  for (const names of [{ tables: 'staff_' }, ...dialect === 'postgres' ? schemas : []]) {
    const title = JSON.stringify(names)

    t.test(`${title}: a second migration does nothing, and the start accepts what it made (${name})`, async t => {
      const { app, place } = await host(t, tested)
      const db = await migrated(t, { ...place, ...names })
      t.same(await migrate(db, fields, 'integer'), [])
      t.same(await pendingStatements(db, db, fields, 'integer'), [])
      await app.register(plugin, options({ database: { ...place, ...names }, migrate: false, userFields: {} }))
      t.equal((await post(app, '/auth/registration', alice)).statusCode, 201)
    })

    t.test(`${title}: the SQL for a changed field changes it there (${name})`, async t => {
      const { place } = await host(t, tested)
      const before = specs({ level: { schema: Type.String(), unique: true } })
      const untouched = await migrated(t, place, before)
      const db = await migrated(t, { ...place, ...names }, before)
      for (const { orm, users } of [untouched, db]) {
        const user = { pk: '1', email: 'a@b.co', isActive: true, createdAt: new Date(), level: '7' }
        await orm.insert(users).values(user)
      }
      const after = specs({ level: { schema: Type.Integer(), unique: true } })
      const refusal = await migrate(db, after).then(() => '', (error: Error) => error.message)
      for (const statement of refusal.slice(refusal.indexOf('again: ') + 7).split(';')) {
        if (statement.trim()) await db.execute(db, statement)
      }
      t.same(await migrate(db, after), [])
      t.same(await migrate(untouched, before), [], 'the tables of the other registration are as they were')
      const { createTables } = dialect === 'sqlite' ? sqliteTables : postgresTables
      const { users } = createTables({ fields: after, ...names })
      t.match(await db.orm.select().from(users as typeof db.users), [{ pk: '1', level: 7 }])
    })
  }

  t.test(`a damaged or foreign table is named as it is called (${name})`, async t => {
    const { place } = await host(t, tested)
    const database = { ...place, tables: 'staff_' }
    const db = await migrated(t, database)
    await db.execute(db, 'ALTER TABLE "staff_users" DROP COLUMN "badge"').catch(async () => {
      await db.execute(db, 'DROP INDEX "staff_users_badge_unique"')
      await db.execute(db, 'ALTER TABLE "staff_users" DROP COLUMN "badge"')
    })
    await t.rejects(migrate(db, fields), {
      message: /the table staff_users has lost its column "badge".* DELETE FROM "staff_rest_auth_schema" WHERE/
    })
    await db.execute(db, 'DROP TABLE "staff_mail_outbox"')
    await t.rejects(migrate(db, fields), { message: /the table staff_mail_outbox is gone/ })
    await db.execute(db, 'DROP TABLE "staff_rest_auth_schema"')
    await t.rejects(migrate(db, fields), { message: /it has a table staff_users, .* in staff_rest_auth_schema; / })
  })

  t.test(`a customer has no account at /staff where that has tables of its own (${name})`, async t => {
    const { app, place } = await host(t, tested)
    await app.register(plugin, options({ database: place }))
    await app.register(plugin, options({ database: { ...place, tables: 'staff_' }, prefix: '/staff' }))
    t.equal((await post(app, '/auth/registration', alice)).statusCode, 201)
    t.equal(await login(app, '/auth'), 200)
    t.equal(await login(app, '/staff'), 400)
    t.equal(await app.restAuth.under('/staff')?.users.find({ email: alice.email }), undefined)
    t.equal((await post(app, '/staff/registration', alice)).statusCode, 201, 'the address is free there')
    t.equal(await login(app, '/staff'), 200)
    const user = await app.restAuth.users.find({ email: alice.email })
    t.ok(await app.restAuth.users.delete(user!.pk))
    t.equal(await login(app, '/auth'), 400)
    t.equal(await login(app, '/staff'), 200)
  })

  t.test(`with share: true the users of /auth are those of /staff (${name})`, async t => {
    const { app, place } = await host(t, tested)
    await app.register(plugin, options({ database: place }))
    await app.register(plugin, options({ database: { ...place, share: true }, prefix: '/staff' }))
    t.equal((await post(app, '/auth/registration', alice)).statusCode, 201)
    t.equal(await login(app, '/staff'), 200)
  })

  t.test(`the same tables without a word about it are refused, with both ways out (${name})`, async t => {
    const refusal = new RegExp(
      '^fastify-rest-auth: database: the registration at /auth has the same tables, so its users could log in at ' +
      "/staff; give this one tables of its own, database: { …, tables: 'staff_' }, or .*database: { …, share: true }$"
    )
    for (const named of [{}, { tables: 'own_' }, ...dialect === 'postgres' ? [{ schema: 'desk' }] : []]) {
      const { app, place } = await host(t, tested)
      const database = { ...place, ...named }
      await app.register(async scope => await scope.register(plugin, options({ database })))
      const second = app.register(async scope => {
        await scope.register(plugin, options({ database: { ...database, share: false }, prefix: '/staff' }))
      })
      await t.rejects(async () => await second, { message: refusal }, 'in another scope, too')
    }
  })

  t.test(`the app's Drizzle instance and a URL can name the same tables (${name})`, async t => {
    const { app, place } = await host(t, tested)
    if (!('url' in place)) return
    const client = dialect === 'sqlite' ? new BetterSqlite3(place.url) : openPool(place.url)
    t.teardown(async () => { await (client instanceof BetterSqlite3 ? client.close() : client.end()) })
    const orm = client instanceof BetterSqlite3 ? drizzleSqlite(client) : drizzlePostgres(client)
    await app.register(plugin, options({ database: place }))
    const second = options({ database: orm, prefix: '/staff' })
    await t.rejects(async () => await app.register(plugin, second), { message: /has the same tables/ })
  })

  t.test(`the app's Drizzle instance joins the tables of a prefix (${name})`, async t => {
    const { app, place } = await host(t, tested)
    const names = dialect === 'sqlite' ? { tables: 'staff_' } : { tables: 'staff_', schema: 'desk' }
    await app.register(plugin, options({ database: { ...place, ...names } }))
    await post(app, '/auth/registration', alice)
    const { createTables } = dialect === 'sqlite' ? sqliteTables : postgresTables
    const db = await openDatabase(place, [], () => {})
    t.teardown(() => db.close())
    const { users, sessions } = createTables(names) as typeof db
    const joined = db.orm.select({ email: users.email }).from(users).innerJoin(sessions, eq(sessions.userPk, users.pk))
    t.same(await joined, [{ email: alice.email }])
  })

  t.test(`what would damage shared tables is refused by name (${name})`, async t => {
    const level = { schema: Type.String(), registration: 'optional' }
    const cases: Array<[option: string, first: object, second: object]> = [
      ['account.pk: is', {}, { account: { ...articleOptions.account, pk: 'integer' } }],
      ['userFields.level: has', { level }, { level: { ...level, schema: Type.Integer() } }],
      ['userFields.level: has', { level }, { level: { ...level, column: 'grade' } }],
      ['userFields.level: has', { level }, { level: { ...level, unique: true } }],
      ['userFields.grade: has', { level }, { grade: { ...level, column: 'level' } }],
      ['userFields.level: has', { level }, { level: { ...level, schema: Type.Union([Type.Literal('a')]) } }]
    ]
    for (const [option, first, second] of cases) {
      const { app, place } = await host(t, tested)
      const given = (changes: object) => 'account' in changes ? changes : { userFields: changes }
      await app.register(plugin, options({ database: place, ...given(first) }))
      await t.rejects(
        async () => await app.register(plugin, options({
          database: { ...place, share: true }, prefix: '/staff', ...given(second)
        })),
        { message: new RegExp(`^fastify-rest-auth: ${option} .* share their tables .* as at /auth$`) }
      )
    }
  })
}

t.test('other fields, without a column or in one only, are no reason to refuse shared tables', async t => {
  const { app, place } = await host(t, databases[0]!)
  const optional = { schema: Type.String(), registration: 'optional' }
  const userFields = { level: optional, invitation: { schema: Type.String(), stored: false, registration: 'optional' } }
  await app.register(plugin, options({ database: place, userFields }))
  const others = { level: optional, invitation: { compute: () => 'x', schema: Type.String() }, room: optional }
  await app.register(plugin, options({ database: { ...place, share: true }, prefix: '/staff', userFields: others }))
  t.equal((await post(app, '/staff/registration', { ...alice, room: '7' })).statusCode, 201)
  t.equal(await login(app, '/auth'), 200)
})

t.test('two databases in memory are two', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(plugin, options({ database: ':memory:' }))
  await app.register(plugin, options({ database: ':memory:', prefix: '/staff' }))
  await app.register(plugin, options({ database: drizzleSqlite(new BetterSqlite3(':memory:')), prefix: '/desk' }))
  const client = drizzleSqlite(new BetterSqlite3(':memory:'))
  await app.register(plugin, options({ database: client, prefix: '/one' }))
  await t.rejects(async () => await app.register(plugin, options({ database: client, prefix: '/two' })), {
    message: /has the same tables/
  })
})

t.test('the same path twice is refused, however it is written', async t => {
  for (const [first, second] of [['/auth', '/auth'], ['/api', '/api/']]) {
    const app = Fastify()
    t.teardown(() => app.close())
    const within = async (path: string, own: string) => await app.register(
      async scope => await scope.register(plugin, options({ database: ':memory:', prefix: own })), { prefix: path }
    )
    await within(first!, '/auth')
    await t.rejects(within(second!, '/auth'), {
      message: `fastify-rest-auth: prefix: another registration is at ${first}/auth; ` +
        "give this one another, such as prefix: '/staff'"
    })
  }
})

t.test('the names are checked at start', async t => {
  const url = postgres.dialect === 'postgres' ? 'postgres://localhost/app' : ''
  const cases: Array<[database: object, refusal: RegExp]> = [
    [{ tables: 'Staff_' }, /database\.tables: must be a prefix such as staff_/],
    [{ tables: 'staff-' }, /database\.tables: must be a prefix/],
    [{ tables: '' }, /database\.tables: must be a prefix/],
    [{ tables: 'x'.repeat(maxPrefixLength + 1) }, /database\.tables: must be .* at most 20 /],
    [{ tables: 'sqlite_' }, /database\.tables: must be .* not pg_ or sqlite_/],
    [{ tables: 7 }, /database\.tables: must be/],
    [{ schema: 'a"b' }, /database\.schema: must be the name of a schema/],
    [{ share: 'yes' }, /database\.share: must be true or false/],
    [{ table: 'staff_' }, /database\.table: unknown option/],
    [{ url: 'auth.sqlite', schema: 'desk' }, /database\.schema: only PostgreSQL has schemas/],
    [{ url: undefined, tables: 'staff_' }, /database: give one of url and drizzle/]
  ]
  for (const [database, message] of cases) {
    await t.rejects(async () => await openDatabase({ url, ...database }, [], () => {}), { message })
  }
})

/** The structure of tables, in a form that both databases share. */
function structureOf (configs: Array<ReturnType<typeof sqliteConfig> | ReturnType<typeof postgresConfig>>) {
  return configs.map(({ name, columns, indexes, foreignKeys }) => ({
    name,
    columns: columns.map(({ name, notNull, primary }) => ({ name, notNull, primary })),
    indexes: indexes.map(({ config: { name, unique, columns } }) =>
      ({ name, unique, columns: columns.map(column => Reflect.get(column, 'name')) })),
    references: foreignKeys.map(key => {
      const { columns, foreignTable, foreignColumns } = key.reference()
      const namesOf = (list: Array<{ name: string }>) => list.map(({ name }) => name)
      return [...namesOf(columns), getTableName(foreignTable), ...namesOf(foreignColumns), key.onDelete]
    })
  }))
}

t.test('on both databases, the tables have the same columns, indexes and references', async t => {
  const names = { tables: 'staff_' }
  const onSqlite = structureOf(Object.values(sqliteTables.createTables(names)).map(table => sqliteConfig(table)))
  const onPostgres = structureOf(Object.values(postgresTables.createTables(names)).map(table => postgresConfig(table)))
  t.same(onPostgres, onSqlite)
  const all = onSqlite.flatMap(({ name, indexes }) => [name, ...indexes.map(({ name }) => String(name))])
  t.same(all.filter(name => !name.startsWith('staff_')), [])
  t.same(onSqlite.flatMap(({ references }) => references.map(([column, table]) => `${column} ${table}`)).sort(), [
    'session_id staff_sessions', ...Array(7).fill('user_pk staff_users')
  ])
})

t.test('drizzle-kit leaves every table of the plugin alone', async t => {
  const names = Object.values(sqliteTables.createTables({ tables: 'staff_' })).map(table => `!${getTableName(table)}`)
  t.same(sqliteTables.tablesFilterOf('staff_').toSorted(), names.sort())
  t.same(postgresTables.tablesFilterOf('staff_'), sqliteTables.tablesFilterOf('staff_'))
})
