/** The databases that a story runs on: SQLite, and the real PostgreSQL or the one in WebAssembly. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import pg from 'pg'
import t, { type Test } from 'tap'

export interface OpenedDatabase {
  database: unknown
  close: () => Promise<void>
}
export interface TestedDatabase {
  name: 'SQLite' | 'PostgreSQL' | 'PGlite'
  dialect: 'sqlite' | 'postgres'
  /** A commit waits for the disk only if `durable`, as in production; other tests need not take the time. */
  open: (durable?: boolean) => Promise<OpenedDatabase>
}

/** The real server, if there is one. */
export const postgresUrl = process.env.POSTGRES_URL
if (!postgresUrl && process.env.CI) throw new Error('CI must not skip PostgreSQL: set POSTGRES_URL')

export const sqlite: TestedDatabase = {
  name: 'SQLite',
  dialect: 'sqlite',
  open: async () => ({ database: ':memory:', close: async () => {} })
}
/** The server of POSTGRES_URL, else PostgreSQL in WebAssembly. */
export const postgres: TestedDatabase = postgresUrl
  ? { name: 'PostgreSQL', dialect: 'postgres', open: durable => openServerDatabase(postgresUrl, durable) }
  : { name: 'PGlite', dialect: 'postgres', open: openPglite }
export const databases = [sqlite, postgres]

// A busy machine is no failing database. The tests of the limits set their own.
const patience = '?connect_timeout=60&statement_timeout=60000&query_timeout=61000'

const emptying = `
  DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$' LOOP
      EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
  END $$;
  CREATE SCHEMA public`

// Creating and dropping a database takes a second, so a test file keeps its databases and empties one for each test.
const [created, free]: [string[], string[]] = [[], []]
async function openServerDatabase (url: string, durable = false): Promise<OpenedDatabase> {
  const name = (durable ? undefined : free.pop()) ?? `rest_auth_test_${process.pid}_${created.length + 1}`
  const database = Object.assign(new URL(url), { pathname: `/${name}`, search: patience }).href
  if (created.includes(name)) {
    // Open connections would block the DROP.
    await execute(database, `
      SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = '${name}' AND pid <> pg_backend_pid();
      ${emptying}`)
  } else {
    created.push(name)
    await execute(url, `CREATE DATABASE ${name}`)
    if (!durable) await execute(url, `ALTER DATABASE ${name} SET synchronous_commit = off`)
  }
  return { database, close: async () => { if (!durable) free.push(name) } }
}
t.teardown(async () => {
  for (const name of created) await execute(postgresUrl ?? '', `DROP DATABASE ${name} WITH (FORCE)`)
})

export async function execute (url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}

/** A table that an app had before, in a SQLite file or a PostgreSQL database. */
export async function makeOwnTable (database: string): Promise<void> {
  const statement = 'CREATE TABLE accounts (id varchar(40) PRIMARY KEY, email_address varchar(255) UNIQUE)'
  if (/^postgres/.test(database)) return await execute(database, statement)
  const client = new BetterSqlite3(database)
  client.exec(statement)
  client.close()
}

/** A pool of the test's own. Its connections may outlive its end by a moment, in which the database is dropped. */
export function openPool (connectionString: string, options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString, ...options })
  pool.on('error', () => {})
  return pool
}

let pglite: Promise<import('@electric-sql/pglite').PGlite> | undefined
async function openPglite (): Promise<OpenedDatabase> {
  // Starting PGlite takes a second, so a test file shares one, emptied for each test.
  pglite ??= import('@electric-sql/pglite').then(({ PGlite }) => PGlite.create())
  const client = await pglite
  await client.exec(emptying)
  const { drizzle } = await import('drizzle-orm/pglite')
  return { database: drizzle({ client }), close: async () => {} }
}
t.teardown(async () => await (await pglite)?.close())

// Files must outlive a process, not the machine: in memory no commit waits for the disk.
const shelf = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** A SQLite file that several connections can open, deleted after the test. */
export function temporaryFile (t: Test): string {
  const folder = mkdtempSync(join(shelf, 'rest-auth-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return join(folder, 'auth.sqlite')
}
