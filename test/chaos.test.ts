/**
 * No acknowledgement is broken when the database or an app fails under load: what was answered is there afterwards,
 * what was revoked stays revoked, and meanwhile the only failure is 503. `npm run chaos` is the long form. Its table
 * has the times from the return until the first success.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { createStarter } from './support/app-process.js'
import { secret, t, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { startLoad, verify, type Load } from './support/load.js'
import { startMailServer } from './support/mail-server.js'
import { hasPostgresServer, startPostgresServer, type PostgresServer } from './support/postgres-server.js'
import { createRandom } from './support/random.js'

const isLong = process.env.CHAOS !== undefined
const lanes = 6
// 5 s where the machine has nothing else to do.
const maxReturnMs = 60_000
const seed = 20261123
const skip = !hasPostgresServer && 'needs initdb and pg_ctl of PostgreSQL'

interface Fault {
  title: string
  database: string
  rounds: number
  /** How many apps use the database. */
  apps: number
  /** Whether requests may stay without an answer. */
  cutsOff: boolean
}
interface Setting {
  load: Load
  urls: string[]
  random: () => number
  /** Starts one more app, and returns its URL. */
  start: () => Promise<string>
  kill: (url: string) => Promise<void>
}

/** Causes one failure, and returns the milliseconds from its end until the first success. */
type Cause = (setting: Setting) => Promise<number>

// They count, and never refuse.
const counted = ['999999/1h/ip', '999999/1h/account']
const limits = {
  login: counted,
  passwordChange: ['999999/1h/account'],
  registration: ['999999/1h/ip'],
  tokenRefresh: ['999999/1h/ip']
}

async function withstand (t: Test, fault: Fault, database: string, cause: Cause): Promise<void> {
  const mailServer = await startMailServer()
  t.teardown(() => mailServer.close())
  const options = {
    database,
    secret,
    limits,
    migrate: true,
    docs: false,
    publicUrl: 'http://localhost:3000',
    userFields: {},
    account: { emailVerification: 'none' },
    tokens: { access: 3600 },
    mail: { transport: mailServer.url }
  }
  const processes = new Map<string, () => Promise<void>>()
  // Those at the start, one for each round, and the one that is asked afterwards.
  const startOne = createStarter(t, options, fault.apps + fault.rounds + 1)
  const start = async () => {
    const { url, kill } = await startOne()
    processes.set(url, kill)
    return url
  }
  const kill = async (url: string) => {
    await processes.get(url)?.()
    processes.delete(url)
  }
  const urls: string[] = []
  while (urls.length < fault.apps) urls.push(await start())

  const random = createRandom(seed)
  const load = startLoad(urls, lanes, random)
  await load.untilSuccess()
  const returns: number[] = []
  for (let round = 0; round < fault.rounds; round++) {
    await sleep(random() * 300)
    returns.push(await cause({ load, urls, random, start, kill }))
  }
  await sleep(random() * 300)
  await load.stop()
  for (const url of [...processes.keys()]) await kill(url)
  const { lost, undone, revocations } = await verify(await start(), load.accounts)

  const { figures, accounts } = load
  t.same(lost, [], 'nothing acknowledged is lost')
  t.same(undone, [], 'nothing revoked opens anything')
  t.same(figures.wrong, [], 'meanwhile there is only 503')
  if (!fault.cutsOff) t.equal(figures.unanswered, 0, 'every request is answered')
  t.ok(accounts.length > 0 && revocations > 0, 'there was something to lose')
  t.ok(figures.unavailable + figures.unanswered > 0 || figures.longestMs > 500, 'the failure was felt')
  t.ok(Math.max(...returns) < maxReturnMs, `the first success came after ${returns.map(Math.round)} ms`)
  addRow(fault, load, { revocations, returns })
}

const rows: string[] = []
function addRow ({ title, database, rounds }: Fault, { figures, accounts }: Load, rest: {
  revocations: number
  returns: number[]
}): void {
  const sorted = [...rest.returns].sort((a, b) => a - b)
  const [median, last] = [0.5, 1].map(part => Math.round(sorted[Math.ceil(sorted.length * part) - 1] ?? 0))
  rows.push([
    `${title} (${database})`, rounds, figures.requests, figures.acknowledged, accounts.length, rest.revocations,
    figures.unavailable, figures.unanswered, `${median} / ${last}`, Math.round(figures.longestMs)
  ].join(' | '))
}
t.teardown(() => {
  t.comment('| fault | rounds | requests | acknowledged | users | revocations | 503 | no answer | ' +
    'ms until the first success, median / longest | longest request, ms |')
  t.comment(`|${'---|'.repeat(10)}`)
  for (const row of rows) t.comment(`| ${row} |`)
})

// Starting a server takes seconds, so the tests share one.
let server: Promise<PostgresServer> | undefined
const postgresServer = async () => await (server ??= startPostgresServer(t))

const restarts = {
  title: 'the server stops at once', database: 'PostgreSQL', rounds: isLong ? 20 : 2, apps: 1, cutsOff: false
}
t.test(`PostgreSQL stops ${restarts.rounds} times under load: nothing acknowledged is lost`, { skip }, async t => {
  const { create, stop, start } = await postgresServer()
  await withstand(t, restarts, await create('restarts'), async ({ load, random }) => {
    await stop()
    await sleep(random() * 1000)
    await start()
    return await load.untilSuccess()
  })
})

const locks = {
  title: 'another process locks the file', database: 'SQLite', rounds: isLong ? 20 : 2, apps: 1, cutsOff: false
}
t.test(`a SQLite file is locked ${locks.rounds} times under load: nothing acknowledged is lost`, async t => {
  const file = temporaryFile(t)
  await withstand(t, locks, file, async ({ load, random }) => {
    const client = new BetterSqlite3(file, { timeout: 60_000 })
    client.exec('BEGIN IMMEDIATE')
    // The app waits for two seconds.
    await sleep(500 + random() * 4500)
    client.exec('COMMIT')
    client.close()
    return await load.untilSuccess()
  })
})

for (const database of ['SQLite', 'PostgreSQL']) {
  const isSqlite = database === 'SQLite'
  const kills = { title: 'one of two apps is killed', database, rounds: isLong ? 50 : 3, apps: 2, cutsOff: true }
  t.test(`one of two apps is killed ${kills.rounds} times under load: nothing acknowledged is lost (${database})`, {
    skip: !isSqlite && skip
  }, async t => {
    const target = isSqlite ? temporaryFile(t) : await (await postgresServer()).create('kills')
    await withstand(t, kills, target, async ({ load, urls, random, start, kill }) => {
      const [url = ''] = urls.splice(Math.floor(random() * urls.length), 1)
      await kill(url)
      const next = await start()
      urls.push(next)
      return await load.untilSuccess(next)
    })
  })
}
