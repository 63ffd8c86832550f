/** A user field whose declaration has changed: what is refused at start, and the SQL that is then to be run. */
import { Type, type TSchema } from '@sinclair/typebox'
import BetterSqlite3 from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/node-postgres'
import { describeField, type UserField } from '../schemas/user-fields.js'
import { migrate, pendingStatements } from '../src/db/migrate.js'
import { openDatabase } from '../src/db/open.js'
import { t, type Test } from './support/build.js'
import { databases, openPool, temporaryFile, type TestedDatabase } from './support/databases.js'

const specs = (fields: Record<string, UserField>) =>
  Object.entries(fields).map(([name, field]) => describeField(name, field))
const fieldOf = (schema: TSchema) => specs({ value: { schema } })

/** A database, and one connection to it as a tool for SQL would have. */
async function open (t: Test, tested: TestedDatabase) {
  if (tested.dialect === 'sqlite') {
    const database = temporaryFile(t)
    const client = new BetterSqlite3(database)
    t.teardown(() => client.close())
    const run = async (sql: string): Promise<unknown[]> => {
      if (!/^select/i.test(sql)) client.exec(sql)
      return /^select/i.test(sql) ? client.prepare(sql).all() : []
    }
    return { database, run }
  }
  const opened = await tested.open()
  t.teardown(opened.close)
  if (typeof opened.database !== 'string') {
    const orm = opened.database as { $client: { exec: (sql: string) => Promise<Array<{ rows: unknown[] }>> } }
    // Drizzle would prepare the SQL, and PGlite prepares one statement at a time.
    return { database: orm, run: async (sql: string) => (await orm.$client.exec(sql)).at(-1)?.rows ?? [] }
  }
  const pool = openPool(opened.database, { max: 1 })
  t.teardown(async () => await pool.end())
  const run = async (sql: string): Promise<unknown[]> => (await pool.query(sql)).rows
  return { database: drizzle({ client: pool }), run }
}

type Tool = Awaited<ReturnType<typeof open>>

async function start ({ database }: Tool, fields: ReturnType<typeof specs>): Promise<string> {
  const db = await openDatabase(database, fields, () => {})
  try {
    const pending = await pendingStatements(db, db, fields).then(() => '', (error: Error) => error.message)
    const refused = await migrate(db, fields).then(() => '', (error: Error) => error.message)
    if (refused !== pending && pending !== '') throw new Error('migrating and checking disagree')
    return refused
  } finally {
    await db.close()
  }
}

/** Users with these values, as SQL literals, in the column of a field with the schema. */
async function prepare (tool: Tool, schema: TSchema, values: string[]) {
  t.equal(await start(tool, fieldOf(schema)), '')
  for (const [index, value] of values.entries()) {
    const [active, time] = typeof tool.database === 'string' ? ['1', '0'] : ['true', 'now()']
    await tool.run(
      'insert into users (pk, email, is_active, created_at, value) ' +
      `values ('${index}', 'user${index}@example.com', ${active}, ${time}, ${value})`
    )
  }
}

const printedSql = (refusal: string) => refusal.slice(refusal.indexOf('start again: ') + 'start again: '.length)
const statementsOf = (sql: string) => sql.split(/;\s*/).filter(statement => statement !== '')

/** A tool that goes on after an error, as psql and sqlite3 do with a file. */
async function runOnAndOn (tool: Tool, sql: string): Promise<string[]> {
  const errors: string[] = []
  for (const statement of statementsOf(sql)) {
    await tool.run(statement).catch((error: Error) => errors.push(error.message))
  }
  return errors
}

/** A tool that stops at an error, and then closes its connection. */
async function runUntilError (tool: Tool, sql: string): Promise<string[]> {
  try {
    await tool.run(sql)
    return []
  } catch (error) {
    await tool.run('ROLLBACK').catch(() => {})
    return [(error as Error).message]
  }
}

const everything = async ({ run, database }: Tool) => ({
  users: await run('select * from users order by pk'),
  ledger: await run('select * from rest_auth_schema order by entry'),
  schema: typeof database === 'string' ? await run('select sql from sqlite_master order by name') : []
})

const valuesOf = async ({ run }: Tool) =>
  (await run('select value from users order by pk') as Array<{ value: unknown }>).map(({ value }) => value)

const choices = (...values: string[]) => Type.Union(values.map(value => Type.Literal(value)))
const object = Type.Object({ a: Type.String() })

const changes: Array<{ title: string, before: TSchema, after: TSchema, fits: string[], misfits: string[] }> = [
  {
    title: 'text to integer',
    before: Type.String(),
    after: Type.Integer(),
    fits: ["'7'", "'-12'", 'null'],
    misfits: ["'abc'", "'007'", "'1.5'", "''", "' 7'", "'99999999999999999999'", "'12abc'"]
  },
  {
    title: 'text to number',
    before: Type.String(),
    after: Type.Number(),
    fits: ["'1.5'", "'7'", 'null'],
    misfits: ["'many'", "'NaN'", "'Infinity'", "'1.50'", "''"]
  },
  {
    title: 'text to boolean',
    before: Type.String(),
    after: Type.Boolean(),
    fits: ["'true'", "'false'", 'null'],
    misfits: ["'maybe'", "''", "'2'"]
  },
  {
    title: 'text to object',
    before: Type.String(),
    after: object,
    fits: ["'{\"a\":\"x\"}'", 'null'],
    misfits: ["'abc'", "'7'", "'\"x\"'", "'null'", "''"]
  },
  { title: 'number to integer', before: Type.Number(), after: Type.Integer(), fits: ['7', 'null'], misfits: ['1.5'] },
  { title: 'integer to boolean', before: Type.Integer(), after: Type.Boolean(), fits: ['0', '1'], misfits: ['2'] },
  {
    title: 'fewer choices',
    before: choices('a', 'b', "it's"),
    after: choices('a', "it's"),
    fits: ["'a'", "'it''s'", 'null'],
    misfits: ["'b'"]
  },
  { title: 'text to choices', before: Type.String(), after: choices('a', 'b'), fits: ["'b'"], misfits: ["'c'", "'A'"] },
  { title: 'object to text', before: object, after: Type.String(), fits: ["'{}'", 'null'], misfits: [] },
  { title: 'integer to text', before: Type.Integer(), after: Type.String(), fits: ['7', 'null'], misfits: [] },
  { title: 'integer to number', before: Type.Integer(), after: Type.Number(), fits: ['7', 'null'], misfits: [] },
  { title: 'object to integer', before: object, after: Type.Integer(), fits: ['null'], misfits: ["'{}'"] },
  { title: 'object to boolean', before: object, after: Type.Boolean(), fits: ['null'], misfits: ["'[]'"] }
]

for (const tested of databases) {
  for (const { title, before, after, fits, misfits } of changes) {
    t.test(`${title}: the printed SQL converts what fits (${tested.name})`, async t => {
      for (const runner of [runOnAndOn, runUntilError]) {
        const tool = await open(t, tested)
        await prepare(tool, before, fits)
        const refusal = await start(tool, fieldOf(after))
        t.match(refusal, /^userFields\.value: its column is «.*» and the declaration wants «.*»\. Run this SQL, then /)
        t.equal(refusal.split('\n').length, 1)
        t.same(await runner(tool, printedSql(refusal)), [])
        t.equal(await start(tool, fieldOf(after)), '')
        const values = await valuesOf(tool)
        t.same(values.map(value => value === null), fits.map(value => value === 'null'), 'no value is lost')
        const back = await start(tool, fieldOf(before))
        t.not(back, '', 'and the old declaration is refused now')
      }
    })

    if (misfits.length === 0) continue
    t.test(`${title}: the printed SQL changes nothing where one value does not fit (${tested.name})`, async t => {
      const tool = await open(t, tested)
      await prepare(tool, before, [...fits, 'null'])
      for (const misfit of misfits) {
        await tool.run(`update users set value = ${misfit} where pk = '${fits.length}'`)
        const was = await everything(tool)
        const refusal = await start(tool, fieldOf(after))
        for (const runner of [runOnAndOn, runUntilError]) {
          t.not((await runner(tool, printedSql(refusal))).length, 0, `${misfit} is an error`)
          t.same(await everything(tool), was, misfit)
        }
      }
      t.equal(await start(tool, fieldOf(before)), '')
    })
  }

  t.test(`the printed SQL converts each value to what it says (${tested.name})`, async t => {
    const convert = async (before: TSchema, after: TSchema, values: string[]) => {
      const tool = await open(t, tested)
      await prepare(tool, before, values)
      t.same(await runUntilError(tool, printedSql(await start(tool, fieldOf(after)))), [])
      return (await valuesOf(tool)).map(String)
    }
    t.same(await convert(Type.String(), Type.Integer(), ["'7'", "'-12'"]), ['7', '-12'])
    const yes = tested.dialect === 'sqlite' ? ['1', '0'] : ['true', 'false']
    t.same(await convert(Type.String(), Type.Boolean(), ["'true'", "'0'"]), yes)
    t.same(await convert(Type.Integer(), Type.Boolean(), ['1', '0']), yes)
    const no = tested.dialect === 'sqlite' ? ['1', '0'] : ['true', 'false']
    t.same(await convert(Type.Boolean(), Type.Integer(), no), ['1', '0'])
    t.same(await convert(Type.Boolean(), Type.String(), no), ['true', 'false'])
    t.same(await convert(Type.Number(), Type.String(), ['1.5']), ['1.5'])
  })

  t.test(`the printed SQL keeps the rule that values are unique (${tested.name})`, async t => {
    const unique = (schema: TSchema, is: boolean) => specs({ value: { schema, unique: is } })
    const tool = await open(t, tested)
    await prepare(tool, Type.String(), ["'a'", "'a'", 'null'])
    const was = await everything(tool)
    const refusal = await start(tool, unique(Type.String(), true))
    t.not((await runOnAndOn(tool, printedSql(refusal))).length, 0)
    t.same(await everything(tool), was, 'two users share a value')
    await tool.run("update users set value = 'b' where pk = '1'")
    t.same(await runOnAndOn(tool, printedSql(refusal)), [])
    t.equal(await start(tool, unique(Type.String(), true)), '')
    await t.rejects(tool.run("update users set value = 'b'"))
    t.same(await runOnAndOn(tool, printedSql(await start(tool, unique(Type.String(), false)))), [])
    await tool.run("update users set value = 'b'")
  })

  t.test(`a column of a former field is left alone, unless it refuses NULL (${tested.name})`, async t => {
    const tool = await open(t, tested)
    await prepare(tool, Type.String(), ["'7'"])
    t.equal(await start(tool, []), '')
    if (tested.dialect === 'postgres') await tool.run('alter table users alter column value set not null')
    else {
      const [{ sql }] = await tool.run("select sql from sqlite_master where name = 'users'") as [{ sql: string }]
      const renamed = sql.replace('users', 'new_users').replace('"value" text', '"value" text NOT NULL')
      await tool.run(
        `pragma foreign_keys = off; ${renamed}; insert into new_users select * from users; drop table users; ` +
        'alter table new_users rename to users'
      )
    }
    t.equal(
      await start(tool, []),
      'database: no user field fills the column "value" of users any more, but it is NOT NULL without a default, ' +
      'so no user could be stored; allow NULL in it, or drop it'
    )
    t.equal(await start(tool, fieldOf(Type.String())), '', 'the field itself may be declared again')
  })

  t.test(`a column called like the old one is left alone (${tested.name})`, async t => {
    const tool = await open(t, tested)
    await prepare(tool, Type.String(), ["'7'"])
    await tool.run('alter table users add column value_old text')
    await tool.run("update users set value_old = 'mine'")
    t.same(await runOnAndOn(tool, printedSql(await start(tool, fieldOf(Type.Integer())))), [])
    t.match(await tool.run('select value_old from users'), [{ value_old: 'mine' }])
  })
}

const sqlite = databases.filter(({ dialect }) => dialect === 'sqlite')
const list = Type.Array(Type.String())
const kinds = { text: Type.String(), object, list, integer: Type.Integer(), yes: Type.Boolean() }

for (const tested of sqlite) {
  t.test('SQLite: a field of another kind is refused, although the column has the same type', async t => {
    const pairs = [['text', 'object'], ['object', 'text'], ['integer', 'yes'], ['yes', 'integer']] as const
    for (const [from, to] of pairs) {
      const tool = await open(t, tested)
      await prepare(tool, kinds[from], ['null'])
      t.match(await start(tool, fieldOf(kinds[to])), /^userFields\.value: its column is «/, `${from} to ${to}`)
    }
    const tool = await open(t, tested)
    await prepare(tool, object, ['null'])
    t.equal(await start(tool, fieldOf(kinds.list)), '', 'both are JSON')
  })

  t.test('SQLite: a database from before kinds were recorded is judged by its values', async t => {
    const upgraded = async (now: TSchema, recorded: string, value: string) => {
      const tool = await open(t, tested)
      await prepare(tool, now, [value])
      await tool.run(`update rest_auth_schema set definition = '${recorded}' where entry = 'field:value'`)
      await tool.run("delete from rest_auth_schema where entry = 'kind:value'")
      return { refusal: await start(tool, fieldOf(now)), again: await start(tool, fieldOf(now)) }
    }
    t.same(await upgraded(object, 'text', "'{\"a\":\"x\"}'"), { refusal: '', again: '' })
    t.same(await upgraded(kinds.yes, 'integer', '1'), { refusal: '', again: '' })
    t.match((await upgraded(object, 'text', "'Elm Street'")).refusal, /its column is «text» and the .* «text \(json\)»/)
    t.match((await upgraded(kinds.yes, 'integer', '7')).refusal, /is «integer» and the .* «integer \(boolean\)»/)
  })

  t.test('SQLite: a column that exists already is adopted only if its values are of the kind', async t => {
    for (const [value, adopted] of [["'[]'", true], ["'Elm Street'", false]] as const) {
      const tool = await open(t, tested)
      t.equal(await start(tool, []), '')
      await tool.run('alter table users add column value text')
      await tool.run(`insert into users (pk, is_active, created_at, value) values ('1', 1, 0, ${value})`)
      t.equal(await start(tool, fieldOf(object)) === '', adopted, value)
    }
  })
}
