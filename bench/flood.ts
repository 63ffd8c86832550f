/**
 * What does a flood cost the other users? While each flood lasts, an honest user asks for GET /user every 20 ms. Prints
 * how long that takes, and the memory of the app, with the limits and without.
 *
 *   npm run flood              takes some minutes for each database
 *   npm run flood -- 0.05      a twentieth of each flood
 *
 * On a SQLite file and, with POSTGRES_URL, on a database of that server. The app and the load are two processes of one
 * machine, so a part of what the honest user waits is due to the load: compare with the line `nothing`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { startTestProvider } from '../src/testing/provider.js'
import { startMailServer } from '../test/support/mail-server.js'
import { startApp, type FloodedApp } from './flood-app.js'
import {
  guessesFromMany, guessesFromOne, honest, nothing, password, quantile, refreshes, resets, send, socialStarts,
  type Flood, type Target
} from './flood-requests.js'

const scale = Number(process.argv[2] ?? 1)
if (!(scale > 0)) throw new Error('npm run flood -- <scale>: a number above 0, such as 0.05')

// Floods come from many addresses, except where the name says otherwise: from one, the limits would answer at once.
const floods: Array<[string, Flood, limits: boolean[]]> = [
  ['nothing', nothing, [true]],
  ['64 guess passwords', guessesFromMany, [true, false]],
  ['64 guess, one address', guessesFromOne, [true, false]],
  ['password resets', resets, [true, false]],
  ['social starts', socialStarts, [true, false]],
  // A valid refresh token never meets a limit.
  ['refreshes of one user', refreshes, [true]]
]

const folder = mkdtempSync(join(tmpdir(), 'rest-auth-flood-'))
const url = process.env.POSTGRES_URL
let opened = 0

async function execute (statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}

interface Opened { database: string, close: () => Promise<void> }
async function openPostgres (): Promise<Opened> {
  const name = `rest_auth_flood_${process.pid}_${++opened}`
  await execute(`CREATE DATABASE ${name}`)
  return {
    database: Object.assign(new URL(url ?? ''), { pathname: `/${name}` }).href,
    close: async () => await execute(`DROP DATABASE ${name} WITH (FORCE)`)
  }
}
const openSqlite = async (): Promise<Opened> =>
  ({ database: join(folder, `${++opened}.sqlite`), close: async () => {} })

interface Watched { times: number[], memory: number[] }

/** Asks for GET /user as the honest user, and for the memory of the app, until `isOver`. */
async function watch (app: FloodedApp, access: string, state: { isOver: boolean }): Promise<Watched> {
  const [times, memory]: [number[], number[]] = [[], []]
  for (let round = 0; !state.isOver; round++) {
    const began = performance.now()
    const answer = await send(app.url, '/user', { headers: { authorization: `Bearer ${access}` } })
    await answer.arrayBuffer()
    if (answer.status !== 200) throw new Error(`GET /user returned ${answer.status}`)
    times.push(performance.now() - began)
    if (round % 10 === 0) memory.push(await app.memory())
    await sleep(20)
  }
  return { times, memory }
}

async function measure (flood: Flood, { database }: Opened, hasLimits: boolean): Promise<string[]> {
  const [mailServer, provider] = await Promise.all([startMailServer(), startTestProvider()])
  const app = await startApp({
    secret: 'mWqv0LrN4cJ8sYtX2uKzH6bEfGd9PaVo',
    database,
    migrate: true,
    docs: false,
    publicUrl: 'http://localhost:3000',
    userFields: {},
    account: { emailVerification: 'none' },
    // Long enough for the whole flood.
    tokens: { access: 3600 },
    mail: { transport: mailServer.url },
    social: { company: { ...provider.options, trustEmail: true } },
    ...!hasLimits && { limits: false }
  })
  try {
    const registration = await send(app.url, '/registration', { body: { email: honest.email, password1: password } })
    const { access, refresh } = await registration.json() as { access: string, refresh: string }
    const statuses: Target['statuses'] = new Map()
    const state = { isOver: false }
    const watching = watch(app, access, state)
    const special = await flood({ url: app.url, refresh, mailServer, scale, statuses })
    state.isOver = true
    const { times, memory } = await watching
    const [median, p99] = [0.5, 0.99].map(part => quantile(times, part).toFixed(1)) as [string, string]
    const answers = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${count}×${status}`).join(' ')
    const [first = 0] = memory
    return [median, p99, `${Math.round(first)} → ${Math.round(Math.max(...memory))}`, answers, special]
  } finally {
    await app.close()
    await Promise.all([mailServer.close(), provider.close()])
  }
}

const widths = [10, 24, 6, 9, 9, 13, 24, 0]
const line = (cells: string[]) =>
  console.log(cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' ').trim())

line(['database', 'flood', 'limits', 'p50 in ms', 'p99 in ms', 'RSS in MiB', 'answers', ''])
const databases = [['SQLite', openSqlite], ...url ? [['PostgreSQL', openPostgres] as const] : []] as const
for (const [database, open] of databases) {
  for (const [name, flood, variants] of floods) {
    for (const hasLimits of variants) {
      const given = await open()
      line([database, name, hasLimits ? 'on' : 'off', ...await measure(flood, given, hasLimits)])
      await given.close()
    }
  }
}
rmSync(folder, { recursive: true })
