/** Checks the database: whether it answers, its version, its migrations, and its clock. */
import { sql } from 'drizzle-orm'
import type { Database } from '../../db/database.js'
import { refuseToStart } from '../../db/errors.js'
import { pendingStatements } from '../../db/migrate.js'
import { targetOf } from '../../db/target.js'
import type { Settings } from '../../settings/types.js'
import { nameOf, openDatabaseOf, refuseMissingFile } from '../database.js'
import type { Check } from './check.js'

export async function checkDatabase (settings: Settings, clock: () => Date): Promise<Check[]> {
  refuseMissingFile('database', settings.database)
  const db = await openDatabaseOf(settings)
  try {
    const name = nameOf(targetOf(settings.database).database)
    const version: Check = { name: 'database', status: 'ok', message: `${name}: ${await versionOf(db)}` }
    return [version, await checkMigrations(db, settings), ...await checkClock(db, clock)]
  } finally {
    await db.close()
  }
}

const versionOf = async (db: Database): Promise<string> => db.dialect === 'postgres'
  ? `PostgreSQL ${await ask(db, sql`current_setting('server_version')`)}`
  : `SQLite ${await ask(db, sql`sqlite_version()`)}`

async function ask (db: Database, expression: ReturnType<typeof sql>): Promise<string> {
  const [row] = await db.orm.select({ answer: sql<string>`${expression}` }).from(sql`(SELECT 1) AS one`)
  return String(row?.answer)
}

async function checkMigrations (db: Database, { fields, account, migrate }: Settings): Promise<Check> {
  const { length: count } = await pendingStatements(db, db, fields, account.pk).catch(refuseToStart)
  const name = 'migrations'
  if (count === 0) return { name, status: 'ok', message: 'up to date' }
  return migrate
    ? { name, status: 'warning', message: `${count} statements are pending; the app runs them when it starts` }
    : { name, status: 'failed', message: `${count} statements are pending; run: npx fastify-rest-auth migrate` }
}

const skewSeconds = 5

/** SQLite has the clock of this machine. */
async function checkClock (db: Database, clock: () => Date): Promise<Check[]> {
  if (db.dialect === 'sqlite') return []
  const before = clock().getTime()
  const server = 1000 * Number(await ask(db, sql`extract(epoch from clock_timestamp())`))
  const after = clock().getTime()
  // The answer took a while: the server's time lies between both.
  const skew = Math.max(before - server, server - after, 0) / 1000
  return [skew > skewSeconds
    ? {
        name: 'clock',
        status: 'warning',
        message: `differs by ${Math.round(skew)} s from that of the database server; synchronise both (NTP)`
      }
    : { name: 'clock', status: 'ok', message: 'agrees with that of the database server' }]
}
