/** An app's drizzle-kit works on the same database, and leaves our tables alone. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Type } from '@sinclair/typebox'
import BetterSqlite3 from 'better-sqlite3'
import { getTableName, is, Table } from 'drizzle-orm'
import * as postgresTables from 'fastify-rest-auth/drizzle/postgres'
import * as sqliteTables from 'fastify-rest-auth/drizzle/sqlite'
import pg from 'pg'
import { migrateCommand } from '../src/cli/migrate.js'
import { alice, notCovered, password, sqliteBuild, t, type Test } from './support/build.js'
import { databases, postgres, temporaryFile } from './support/databases.js'

const require = createRequire(import.meta.url)
const conditions = '--conditions=fastify-rest-auth:source'
const kit = join(dirname(require.resolve('drizzle-kit')), 'bin.cjs')

type Dialect = 'sqlite' | 'postgres'

/** The app's folder, with a table of its own that refers to a user. */
function appFolder (t: Test, dialect: Dialect, url: string, column = 'bio', names = { tables: '' }): string {
  const [table, module] = dialect === 'sqlite' ? ['sqliteTable', 'sqlite-core'] : ['pgTable', 'pg-core']
  return t.testdir({
    'schema.ts': `
      import { ${table}, text } from 'drizzle-orm/${module}'
      import { createTables } from 'fastify-rest-auth/drizzle/${dialect}'

      const { users } = createTables(${JSON.stringify(names)})

      export const profiles = ${table}('profiles', {
        userPk: text('user_pk').primaryKey().references(() => users.pk, { onDelete: 'cascade' }),
        ${column}: text('${column}')
      })
    `,
    'drizzle.config.ts': `
      import { defineConfig } from 'drizzle-kit'
      import { tablesFilterOf } from 'fastify-rest-auth/drizzle/${dialect}'

      export default defineConfig({
        dialect: '${dialect === 'sqlite' ? 'sqlite' : 'postgresql'}',
        schema: './schema.ts',
        out: './out',
        dbCredentials: { url: '${url}' },
        tablesFilter: tablesFilterOf('${names.tables}')
      })
    `
  })
}

/** `--force` approves what drizzle-kit would ask about: dropping tables. */
async function run (cwd: string, ...command: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    conditions, kit, ...command
  ], { cwd, timeout: 120_000, env: { ...process.env, ...notCovered, NODE_OPTIONS: conditions } })
  return stdout
}

async function tablesOf (dialect: Dialect, url: string): Promise<unknown[]> {
  if (dialect === 'sqlite') {
    const client = new BetterSqlite3(url)
    const rows = client.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all()
    client.close()
    return rows.map(row => (row as { name: string }).name)
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
  await client.end()
  return rows.map(({ name }) => name)
}

for (const tested of databases.filter(({ name }) => name !== 'PGlite')) {
  const { dialect } = tested
  t.test(`push of the app's own schema drops, creates and changes only its own tables (${tested.name})`, async t => {
    const { database, close } = dialect === 'sqlite'
      ? { database: temporaryFile(t), close: async () => {} }
      : await postgres.open()
    t.teardown(close)
    const url = String(database)
    const { register, post } = await sqliteBuild(t, { database: url })
    await register()
    const before = await tablesOf(dialect, url)
    t.ok(before.length >= 8)
    for (const column of ['bio', 'motto']) {
      await run(appFolder(t, dialect, url, column), 'push', '--force')
      t.same(await tablesOf(dialect, url), [...before, 'profiles'].sort())
    }
    t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
    const folder = appFolder(t, dialect, url)
    await run(folder, 'pull')
    t.notMatch(readFileSync(join(folder, 'out', 'schema.ts'), 'utf8'), /Table\("(users|sessions|rest_auth_schema)"/)
  })

  const fields = {
    gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F')]) },
    badge: { schema: Type.String(), unique: true, registration: 'optional' }
  }
  for (const names of [{ tables: '' }, { tables: 'staff_' }]) {
    const title = `${names.tables || 'no'} prefix, user fields, integer keys (${tested.name})`
    t.test(`once its own tables are made, push proposes nothing: ${title}`, async t => {
      const { database, close } = dialect === 'sqlite'
        ? { database: temporaryFile(t), close: async () => {} }
        : await postgres.open()
      t.teardown(close)
      const url = String(database)
      const given = names.tables === '' ? { url } : { url, ...names }
      await migrateCommand({ database: given, userFields: fields, account: { pk: 'integer' } }, false)
      const before = await tablesOf(dialect, url)
      await run(appFolder(t, dialect, url, 'bio', names), 'push', '--force')
      t.same(await tablesOf(dialect, url), [...before, 'profiles'].sort())
      t.match(await run(appFolder(t, dialect, url, 'bio', names), 'push', '--strict', '--verbose'), /No changes detected/)
    })
  }

  t.test(`generate writes nothing of ours (${tested.name})`, async t => {
    const folder = appFolder(t, dialect, 'unused')
    await run(folder, 'generate')
    const [file = ''] = readdirSync(join(folder, 'out')).filter(name => name.endsWith('.sql'))
    const sql = readFileSync(join(folder, 'out', file), 'utf8')
    t.same(sql.match(/CREATE TABLE \S+/g)?.map(text => text.replace(/["`]/g, '')), ['CREATE TABLE profiles'])
    t.notMatch(sql, /DROP/)
  })
}

t.test('the filter names every table that is exported, and the ledger of migrations', async t => {
  for (const tables of [sqliteTables, postgresTables]) {
    const names = Object.values(tables).filter(value => is(value, Table)).map(table => getTableName(table as Table))
    t.same([...tables.tablesFilter].sort(), [...names, 'rest_auth_schema'].map(name => `!${name}`).sort())
    const ofPrefix = Object.values(tables.createTables({ tables: 'staff_' })).map(getTableName)
    t.same(tables.tablesFilterOf('staff_').sort(), ofPrefix.map(name => `!${name}`).sort())
  }
})
