/**
 * Compares, side by side in one run, what the plugin does with the same work done without it.
 *
 *   npm run bench
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import fastifyJwt from '@fastify/jwt'
import { hash, verify } from '@node-rs/argon2'
import BetterSqlite3 from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import Fastify, { type FastifyInstance } from 'fastify'
import { migrate } from '../src/db/migrate.js'
import { openDatabase } from '../src/db/open.js'
import restAuth from '../src/index.js'
import { hashToken, mintToken } from '../src/lib/secrets.js'
import { findUser, insertUser } from '../src/store/users.js'

const folder = mkdtempSync(join(tmpdir(), 'rest-auth-bench-'))
const secret = 'mWqv0LrN4cJ8sYtX2uKzH6bEfGd9PaVo'
const password = 'Sup3r-secret-pw'

/** Runs `work` for a second at this concurrency; returns the completed calls per second. */
async function rate (work: (index: number) => unknown, concurrency = 32): Promise<number> {
  let count = 0
  const end = performance.now() + 1000
  const start = performance.now()
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (performance.now() < end) await work(count++)
  }))
  return count / ((performance.now() - start) / 1000)
}

type Contestant = [name: string, work: (index: number) => unknown]

/** Runs both in turn, three rounds, and compares the medians: a noisy neighbour then spoils a round, not the ratio. */
async function compare (title: string, ours: Contestant, theirs: Contestant, concurrency?: number): Promise<void> {
  const rates: [number[], number[]] = [[], []]
  for (let round = 0; round < 3; round++) {
    rates[0].push(await rate(index => ours[1](round * 1e6 + index), concurrency))
    rates[1].push(await rate(index => theirs[1](round * 1e6 + index), concurrency))
  }
  const [a, b] = rates.map(list => list.sort((x, y) => x - y)[1] ?? 0) as [number, number]
  console.log(
    `${title}\n  ${ours[0]}: ${Math.round(a)}/s   ${theirs[0]}: ${Math.round(b)}/s   ratio ${(a / b).toFixed(2)}\n`
  )
}

const db = await openDatabase(join(folder, 'seam.sqlite'), [], () => {})
await migrate(db, [])
const raw = new BetterSqlite3(join(folder, 'raw.sqlite'))
for (const pragma of ['journal_mode = WAL', 'synchronous = FULL']) raw.pragma(pragma)
raw.exec('CREATE TABLE users (pk text PRIMARY KEY, email text UNIQUE, is_active integer, created_at integer)')
const insert = raw.prepare('INSERT INTO users VALUES (?, ?, ?, ?)')
const insertTwo = raw.transaction((pk: string) => {
  insert.run(pk, `${pk}@example.com`, 1, Date.now())
  insert.run(`${pk}b`, `${pk}b@example.com`, 1, Date.now())
})
const row = (pk: string) => ({ pk, email: `${pk}@example.com`, isActive: true, createdAt: new Date() })
await compare('a transaction of two inserts, synced to disk',
  ['through the seam, taking turns', async index => await db.transaction(async tx => {
    await insertUser(tx, row(`u${index}`))
    await insertUser(tx, row(`u${index}b`))
  })],
  ['synchronous better-sqlite3', index => insertTwo(`u${index}`)])

await insertUser(db, row('known'))
await compare('a hot lookup', ['prepared once', async () => await findUser(db, 'known')],
  ['built at each call', async () => await db.orm.select().from(db.users).where(eq(db.users.pk, 'known'))])

const app = Fastify()
await app.register(restAuth, {
  secret,
  database: join(folder, 'app.sqlite'),
  docs: false,
  limits: false,
  account: { emailVerification: 'none' }
})
const register = async (index: number) =>
  await app.inject({
    method: 'POST',
    url: '/auth/registration',
    payload: { email: `user${index}@example.com`, password1: password }
  })
const { access } = (await register(0)).json()

const bare = Fastify()
await bare.register(fastifyJwt, { secret, verify: { algorithms: ['HS256'], cache: false } })
const select = raw.prepare('SELECT * FROM users WHERE pk = ?')
insert.run('me', 'me@example.com', 1, 0)
bare.get('/user', { onRequest: async request => { await request.jwtVerify() } }, async () => select.get('me'))
raw.exec('CREATE TABLE tokens (digest text PRIMARY KEY, spent_at integer)')
const spend = raw.prepare('UPDATE tokens SET spent_at = ? WHERE digest = ? AND spent_at IS NULL')
const add = raw.prepare('INSERT INTO tokens VALUES (?, NULL)')
const rotate = raw.transaction((token: string, next: string) => {
  if (spend.run(Date.now(), hashToken(token)).changes !== 1) throw new Error('used before')
  add.run(hashToken(next))
})
bare.post<{ Body: { refresh: string } }>('/refresh', async ({ body }) => {
  const refresh = mintToken()
  rotate(body.refresh, refresh)
  return { access: bare.jwt.sign({ sub: 'me' }, { expiresIn: '5m' }), refresh }
})
await bare.ready()
const bareToken = bare.jwt.sign({ sub: 'me' }, { expiresIn: '10m' })

await compare(
  'authenticated requests',
  [
    'GET /user: token, session and user checked',
    async () => await app.inject({ url: '/auth/user', headers: { authorization: `Bearer ${access}` } })
  ],
  [
    'a bare route: token checked, one SELECT',
    async () => await bare.inject({ url: '/user', headers: { authorization: `Bearer ${bareToken}` } })
  ]
)

/** Takes a session's refresh token, and puts the next one back. */
async function refreshing (app: FastifyInstance, url: string, tokens: string[]): Promise<void> {
  const answer = await app.inject({ method: 'POST', url, payload: { refresh: tokens.pop() } })
  tokens.push(answer.json().refresh)
}
const sessions = await Promise.all(
  Array.from({ length: 32 }, async (_, index) => (await register(index + 1)).json().refresh as string)
)
const bareSessions = Array.from({ length: 32 }, mintToken)
for (const token of bareSessions) add.run(hashToken(token))
await compare(
  'refreshes',
  [
    'POST /token/refresh: session locked, token spent, next stored',
    async () => await refreshing(app, '/auth/token/refresh', sessions)
  ],
  ['a bare route: token spent, next stored', async () => await refreshing(bare, '/refresh', bareSessions)]
)

const stored = await hash(password, { memoryCost: 19456, timeCost: 2, parallelism: 1 })
await compare(
  'logins',
  [
    'POST /login',
    async () =>
      await app.inject({ method: 'POST', url: '/auth/login', payload: { email: 'user0@example.com', password } })
  ],
  ['the bare argon2id verify', async () => await verify(stored, password)],
  8
)

await app.close()
await bare.close()
await db.close()
raw.close()
rmSync(folder, { recursive: true })
