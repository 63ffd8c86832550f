import { execFile } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import { describeField, type FieldSpec, type UserField } from '../schemas/user-fields.js'
import { migrateCommand } from '../src/cli/migrate.js'
import { migrate, pendingStatements } from '../src/db/migrate.js'
import { openDatabase } from '../src/db/open.js'
import * as postgresTables from '../src/db/tables-postgres.js'
import * as sqliteTables from '../src/db/tables-sqlite.js'
import restAuth, { defineRestAuth } from 'fastify-rest-auth'
import { notCovered, patient, secret, t, type Test } from './support/build.js'
import { databases, temporaryFile } from './support/databases.js'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')
const specs = (fields: Record<string, UserField>): FieldSpec[] =>
  Object.entries(fields).map(([name, field]) => describeField(name, field))
const gender = { schema: Type.Union([Type.Literal('M'), Type.Literal('F')]) }

for (const tested of databases) {
  const name = tested.name
  async function open (t: Test, fields: FieldSpec[]) {
    const opened = await tested.open()
    const db = await openDatabase(opened.database, fields, () => {})
    t.teardown(async () => {
      await db.close()
      await opened.close()
    })
    return db
  }

  t.test(`a second migration does nothing (${name})`, async t => {
    const fields = specs({ gender, badge: { schema: Type.String(), unique: true } })
    const db = await open(t, fields)
    t.ok((await migrate(db, fields)).length > 5)
    t.same(await migrate(db, fields), [])
  })

  t.test(`running the printed SQL leaves nothing to migrate (${name})`, async t => {
    const fields = specs({ gender })
    const db = await open(t, fields)
    for (const statement of await pendingStatements(db, db, fields)) await db.execute(db, statement)
    t.same(await migrate(db, fields), [])
  })

  t.test(`a changed column type is refused with the SQL that changes it, and that SQL works (${name})`, async t => {
    const before = specs({ gender, level: { schema: Type.String(), unique: true } })
    const db = await open(t, before)
    await migrate(db, before)
    await db.orm
      .insert(db.users)
      .values({ pk: '1', email: 'a@b.co', isActive: true, createdAt: new Date(), ...{ gender: 'F', level: '7' } })
    const after = specs({
      gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F'), Type.Literal('NS')]) },
      level: { schema: Type.Integer(), unique: true }
    })
    for (const field of ['gender', 'level']) {
      const refusal = await migrate(db, after).then(() => '', (error: Error) => error.message)
      const column = `^userFields\\.${field}: its column is «text.*» and the declaration wants «.*»\\. `
      t.match(refusal, new RegExp(`${column}Run this SQL, then start again: `))
      for (const statement of refusal.slice(refusal.indexOf('again: ') + 7).split(';')) {
        if (statement.trim()) await db.execute(db, statement)
      }
    }
    t.same(await migrate(db, after), [])
    const tables = tested.dialect === 'sqlite' ? sqliteTables : postgresTables
    t.match(await db.orm.select().from(tables.usersTable(after) as typeof db.users), [
      { pk: '1', gender: 'F', level: 7 }
    ])
  })

  t.test(`an existing column is adopted if it has the right type, and refused otherwise (${name})`, async t => {
    const db = await open(t, [])
    await migrate(db, [])
    await db.execute(db, 'ALTER TABLE "users" ADD COLUMN "level" text')
    const adopting = await migrate(db, specs({ level: { schema: Type.String() } }))
    t.ok(adopting.length > 0 && adopting.every(statement => statement.startsWith('INSERT INTO "rest_auth_schema"')))
    t.same(await migrate(db, specs({ level: { schema: Type.String() } })), [])
    await db.execute(db, 'ALTER TABLE "users" ADD COLUMN "points" text')
    await t.rejects(migrate(db, specs({ points: { schema: Type.Boolean() } })), {
      message: /userFields\.points: its column is «text»/
    })
  })

  t.test(`the database itself refuses a literal that was not declared (${name})`, async t => {
    const fields = specs({ gender })
    const db = await open(t, fields)
    await migrate(db, fields)
    await t.rejects(
      db.orm
        .insert(db.users)
        .values({ pk: '1', email: 'a@b.co', isActive: true, createdAt: new Date(), ...{ gender: 'X' } })
    )
  })

  t.test(`an outdated database is refused at start, with the command to run (${name})`, async t => {
    const { database, close } = await tested.open()
    const app = Fastify(patient)
    t.teardown(async () => {
      await app.close()
      await close()
    })
    await t.rejects(
      async () => await app.register(restAuth, { secret, database: database as string, migrate: false }),
      { message: /^fastify-rest-auth: database: \d+ migration statements are pending; run: npx fastify-rest-auth migrate/ }
    )
  })
}

t.test('the command names the module in which defineRestAuth was called, unless that is the script itself', async t => {
  const source = `import { defineRestAuth } from 'fastify-rest-auth'
    export const auth = defineRestAuth({ secret: '${secret}', database: ':memory:', migrate: false })`
  const file = join(t.testdir({ 'auth.js': source }), 'auth.js')
  const { auth } = await import(file) as { auth: object }
  const given = `--options ./${relative(process.cwd(), file)}, or set migrate: true$`
  const own = defineRestAuth({ secret, database: ':memory:', migrate: false })
  const unknown = '--options <the module that exports your options>, or set migrate: true$'
  for (const [options, command] of [[auth, given], [{ ...auth }, unknown], [own, unknown]] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => await app.register(restAuth, options as never), { message: new RegExp(command) })
  }
})

t.test('eight connections that migrate one file at once all succeed', async t => {
  const file = temporaryFile(t)
  const fields = specs({ gender })
  const all = await Promise.all(Array.from({ length: 8 }, () => openDatabase(file, fields, () => {})))
  const ran = await Promise.all(all.map(async db => (await migrate(db, fields)).length))
  t.equal(ran.filter(count => count > 0).length, 1, 'one of them did the work')
  await Promise.all(all.map(db => db.close()))
})

t.test('the migrate command updates a file, or only prints the SQL', async t => {
  const database = temporaryFile(t)
  t.match(
    (await migrateCommand({ database }, true)).text,
    /^BEGIN;\nCREATE TABLE IF NOT EXISTS "rest_auth_schema".*;\n[^]*CREATE TABLE `users`[^]*;\nCOMMIT;$/
  )
  t.notOk(existsSync(database), 'printing the SQL creates no file')
  t.match((await migrateCommand({ database }, false)).text, /: \d+ statements run$/)
  t.equal((await migrateCommand({ database }, false)).text, `${database}: up to date`)
  t.equal((await migrateCommand({ database }, true)).text, '')
})

for (const dialect of ['sqlite', 'postgres']) {
  t.test(`the ${dialect} migrations are up to date with the tables`, async t => {
    const out = dirname(temporaryFile(t))
    cpSync(new URL(`../migrations/${dialect}`, import.meta.url), out, { recursive: true })
    const { stdout } = await run(process.execPath, [
      'node_modules/drizzle-kit/bin.cjs', 'generate', '--dialect', dialect === 'sqlite' ? 'sqlite' : 'postgresql',
      '--schema', `./src/db/tables-${dialect}.ts`, '--out', relative(root, out)
    ], { cwd: root, env: { ...process.env, ...notCovered, NODE_OPTIONS: '' } })
    t.match(stdout, /No schema changes/)
  })
}
