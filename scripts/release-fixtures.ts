/**
 * Makes the folder test/fixtures/releases/<version> from the packed package: a database of either kind with users in
 * every state, what the version promises, and the package itself in place of the one before.
 *
 *   npm run release:fixtures [-- package.tgz]     without a file, packs this checkout; needs GNU tar
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import type { TSchema } from '@sinclair/typebox'
import BetterSqlite3 from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/pglite'
import { createTestClock, type TestClock } from '../src/testing/clock.js'
import { createReleaseUsers } from '../test/support/release-users.js'
import {
  fileOf, importFrom, releaseOptions, releases, startRelease, unpackPackage, type ReleaseUser, type ReleaseUsers
} from '../test/support/releases.js'
import { entriesOf, surfaceOf, type Surface } from '../test/support/surface.js'

type Row = Record<string, unknown>

const folder = mkdtempSync(join(tmpdir(), 'rest-auth-release-'))
const startedAt = new Date()
startedAt.setUTCMilliseconds(0)

/** What the code needs at run time. */
const keptFiles = ['package.json', 'dist', 'migrations', 'email-templates', 'LICENSE', 'node_modules']

async function makeFixtures (tarball: string): Promise<void> {
  const unpacked = unpackPackage(tarball, folder)
  const { version } = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as { version: string }
  if (releases.includes(version)) {
    throw new Error(`${version} has fixtures: raise the version in package.json, or delete ${fileOf(version, '.')}`)
  }
  mkdirSync(fileOf(version, '.'))
  const clock = createTestClock(startedAt)
  const sqlite = await makeSqlite(unpacked, clock, fileOf(version, 'sqlite.db'))
  const postgres = await makePostgres(unpacked, clock, fileOf(version, 'postgres.sql'))
  const users: ReleaseUsers = { at: clock.now.toISOString(), sqlite, postgres }
  writeJson(fileOf(version, 'users.json'), users)
  writeJson(fileOf(version, 'surface.json'), await readSurface(unpacked))
  for (const release of releases) rmSync(fileOf(release, 'package.tgz'), { force: true })
  packAgain(unpacked, fileOf(version, 'package.tgz'))
  for (const name of ['sqlite.db', 'postgres.sql', 'users.json', 'surface.json', 'package.tgz']) {
    console.log(`${fileOf(version, name)}: ${statSync(fileOf(version, name)).size} bytes`)
  }
}

const writeJson = (file: string, value: object) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)

async function makeSqlite (unpacked: string, clock: TestClock, file: string): Promise<ReleaseUser[]> {
  const database = join(folder, 'sqlite.db')
  const release = await startRelease(unpacked, { database, migrate: true }, () => clock.now)
  const users = await createReleaseUsers({
    ...release,
    advance: clock.advance,
    insert: async (table, row) => { insertRow(database, table, row) }
  })
  await release.mails()
  await release.app.close()
  // A connection from before would not see all rows once the database leaves WAL.
  const connection = new BetterSqlite3(database)
  // A smaller page makes a smaller file: most tables have a few rows.
  for (const pragma of ['journal_mode = DELETE', 'page_size = 1024']) connection.pragma(pragma)
  connection.exec('VACUUM')
  if (connection.prepare('PRAGMA foreign_key_check').all().length > 0) throw new Error('sqlite.db has lost rows')
  connection.close()
  cpSync(database, file)
  return users
}

function insertRow (database: string, table: string, row: Row): void {
  const values = Object.values(row).map(value =>
    value instanceof Date ? value.getTime() : typeof value === 'boolean' ? Number(value) : value)
  const places = values.map(() => '?').join(', ')
  const connection = new BetterSqlite3(database)
  connection.prepare(`INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${places})`).run(...values)
  connection.close()
}

async function makePostgres (unpacked: string, clock: TestClock, file: string): Promise<ReleaseUser[]> {
  const client = await PGlite.create()
  const database = drizzle({ client })
  const { migrateCommand } = await importFrom<{ migrateCommand: (options: object, print: boolean) => Promise<string> }>(
    unpacked, 'src/cli/migrate.js')
  const tables = await migrateCommand({ ...releaseOptions, database }, true)
  const release = await startRelease(unpacked, { database, migrate: true }, () => clock.now)
  const users = await createReleaseUsers({
    ...release,
    advance: clock.advance,
    insert: async (table, row) => { await client.query(insertStatement(table, row)) }
  })
  await release.mails()
  await release.app.close()
  writeFileSync(file, `${tables}\n${await dumpRows(client)}`)
  await client.close()
  return users
}

const insertStatement = (table: string, row: Row) =>
  `INSERT INTO "${table}" (${Object.keys(row).map(name => `"${name}"`).join(', ')}) ` +
  `SELECT ${Object.keys(row).map(name => `"${name}"`).join(', ')} ` +
  `FROM json_populate_record(NULL::"${table}", '${JSON.stringify(row).replaceAll("'", "''")}');`

/** A statement for each row, those that others refer to first. The ledger is among the statements of `migrate`. */
async function dumpRows (client: PGlite): Promise<string> {
  const found = await client.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name"
  )
  const referred = ['users', 'sessions']
  const names = found.rows.map(({ name }) => name).filter(name => ![...referred, 'rest_auth_schema'].includes(name))
  const statements: string[] = []
  for (const name of [...referred, ...names]) {
    const { rows } = await client.query<{ row: Row }>(
      `SELECT to_json("${name}") AS row FROM "${name}" ORDER BY 1::text`
    )
    statements.push(...rows.map(({ row }) => insertStatement(name, row)))
  }
  return `${statements.join('\n')}\n`
}

async function readSurface (unpacked: string): Promise<Surface> {
  const { app } = await startRelease(unpacked, { database: ':memory:' }, () => startedAt)
  const document = app.restAuth.openapi()
  await app.close()
  const { Options } = await importFrom<{ Options: TSchema }>(unpacked, 'schemas/options.js')
  const { errors } = await importFrom<{ errors: Row }>(unpacked, 'schemas/errors.js')
  const { eventTypes } = await importFrom<{ eventTypes: Row }>(unpacked, 'schemas/events.js')
  return surfaceOf({
    entries: entriesOf(unpacked, 'types'),
    Options,
    errors,
    events: eventTypes,
    tables: {
      sqlite: await importFrom<object>(unpacked, 'src/db/tables-sqlite.js'),
      postgres: await importFrom<object>(unpacked, 'src/db/tables-postgres.js')
    },
    document
  })
}

/** The same bytes from the same files. */
function packAgain (unpacked: string, target: string): void {
  const packed = execFileSync('tar', [
    '--sort=name', '--mtime=1985-10-26T08:15:00Z', '--owner=0', '--group=0', '--numeric-owner', '--exclude=*.d.ts',
    '--exclude=*.mjml', '--transform=s,^,package/,', '-c', ...keptFiles.filter(name => existsSync(join(unpacked, name)))
  ], { cwd: unpacked, maxBuffer: 2 ** 28 })
  writeFileSync(target, execFileSync('gzip', ['-9n'], { input: packed, maxBuffer: 2 ** 28 }))
}

function packCheckout (): string {
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { encoding: 'utf8' })
  return join(folder, packed.trim().split('\n').at(-1) ?? '')
}

try {
  const [given] = process.argv.slice(2)
  await makeFixtures(given === undefined ? packCheckout() : resolve(given))
} finally {
  rmSync(folder, { recursive: true })
}
