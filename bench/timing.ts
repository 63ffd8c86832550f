/**
 * Does the time of an answer reveal who has an account? Rank tests over interleaved pairs of requests.
 * 0.5 means that the two kinds cannot be distinguished; the accepted range is 0.47 to 0.53.
 *
 *   npm run bench:timing                      login, reset, resend and registration
 *   npm run bench:timing -- reset next        some of them; next, without a limit: what the load of a mail reveals
 *
 * On a SQLite file, or on the empty database that DATABASE names.
 */
import { fork } from 'node:child_process'
import { pbkdf2Sync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { hash as argon2 } from '@node-rs/argon2'
import { hash as bcrypt } from '@node-rs/bcrypt'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { openDatabase } from '../src/db/open.js'
import type { HashCost } from '../src/lib/password-hash.js'
import { createPlugin } from '../src/plugin.js'
import { updateUser } from '../src/store/users.js'
import { cheapHash } from '../src/testing/cheap-hash.js'

const secret = 'mWqv0LrN4cJ8sYtX2uKzH6bEfGd9PaVo'
const password = 'Sup3r-secret-pw'
const folder = mkdtempSync(join(tmpdir(), 'rest-auth-timing-'))
// With so many, chance alone exceeds the limit once in a thousand lines; with half as many, once in fifty.
const pairs = 2000

let opened = 0
async function open (options: object = {}, hashCost?: HashCost): Promise<FastifyInstance> {
  const app = Fastify()
  const own = {
    secret,
    database: process.env.DATABASE ?? join(folder, `${++opened}.sqlite`),
    migrate: true,
    docs: false,
    limits: false,
    publicUrl: 'http://localhost:3000',
    userFields: {}
  }
  await app.register(fp(createPlugin(hashCost && { hashCost })), {
    ...own,
    account: { emailVerification: 'mandatory' },
    mail: { transport: async () => {} },
    ...options
  } as object)
  return app
}

type Users = FastifyInstance['restAuth']['users']
// The types of the article's example, which is compiled too, declare fields that this app does not have.
const create = async (users: Users, email: string, fields: object = {}) =>
  await users.create({ email, ...fields } as never)

/** The kinds of accounts, and how each is created. */
const kinds = {
  verified: async (users: Users, email: string) => await create(users, email, { email_verified: true }),
  unverified: async (users: Users, email: string) => await create(users, email),
  deactivated: async (users: Users, email: string) => await users.deactivate((await create(users, email)).pk)
}
type Kind = keyof typeof kinds

/** What a database may hold, besides hashes of the present cost. */
const storedHashes = async () => ({
  unusable: '!mWqv0LrN4cJ8sYtX2uKzH6bEfGd9PaVo',
  blank: '',
  older: await argon2(password, { memoryCost: 4096, timeCost: 2, parallelism: 1 }),
  pbkdf2: `pbkdf2_sha256$20000$salt$${pbkdf2Sync(password, 'salt', 20000, 32, 'sha256').toString('base64')}`,
  bcrypt: `bcrypt$${await bcrypt(password, 8)}`
})

const post = async (app: FastifyInstance, path: string, payload: object) =>
  await app.inject({ method: 'POST', url: `/auth/${path}`, payload })

async function timed (work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** The chance that a time of `a` is longer than one of `b`: the area under the ROC curve. */
function auc (a: number[], b: number[]): number {
  const all = [...a.map(time => ({ time, isA: true })), ...b.map(time => ({ time, isA: false }))]
    .sort((x, y) => x.time - y.time)
  const ranks = all.reduce((sum, { isA }, index) => isA ? sum + index + 1 : sum, 0)
  return (ranks - a.length * (a.length + 1) / 2) / (a.length * b.length)
}

const shuffled = <T>(list: T[]): T[] =>
  list
    .map(item => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)

const median = (times: number[]) => [...times].sort((x, y) => x - y)[times.length >> 1] ?? 0

/** Compares the times that `measure` returns for addresses of `name` and of `other`. */
async function compare (
  title: string,
  [name, other]: readonly [string, string],
  measure: (email: string) => Promise<number>
): Promise<void> {
  const [theirs, others]: [number[], number[]] = [[], []]
  // 20 pairs at a time, so that drift affects both; in random order, so that neither follows the other more often.
  for (let pair = 0; pair < pairs; pair += 20) {
    const steps = Array.from({ length: 20 }, (_, index) => [
      async () => theirs.push(await measure(`${name}-${pair + index}@example.com`)),
      async () => others.push(await measure(`${other}-${pair + index}@example.com`))
    ]).flat()
    for (const step of shuffled(steps)) await step()
  }
  const area = auc(theirs, others)
  const mark = Math.abs(area - 0.5) > 0.03 ? ' !' : ''
  const medians = `${median(theirs).toFixed(2)} and ${median(others).toFixed(2)} ms`
  console.log(
    `${title.padEnd(80)} ${String(pairs).padStart(4)} pairs   AUC ${area.toFixed(3)}   medians ${medians}${mark}`
  )
}

/** Waits until all earlier work is done, and ends with the same request for both kinds. */
async function rest (app: FastifyInstance): Promise<void> {
  await app.restAuth.mail.flush()
  await post(app, 'password/reset', { email: 'anybody@example.com' })
  await app.restAuth.mail.flush()
}

/** Whether the cost of earlier mails can fall on a measured answer. */
const paces = { 'at rest': rest, 'in a row': async () => {} }

// Each comparison creates its own users, because all may run on one database.
let compared = 0

/** Creates a user for each pair, because a mailbox gets only a few mails an hour. */
async function compareMailing (route: string, kind: Kind, app: FastifyInstance, note = ''): Promise<void> {
  for (const [pace, settle] of Object.entries(paces)) {
    const [name, other] = [`${kind}-${++compared}`, `nobody-${compared}`] as const
    for (let pair = 0; pair < pairs; pair++) await kinds[kind](app.restAuth.users, `${name}-${pair}@example.com`)
    await compare(`POST /${route}, ${kind} against unknown, ${pace}${note}`, [name, other], async email => {
      await settle(app)
      return await timed(
        async () => await post(app, route, { email, ...(route === 'registration' && { password1: password }) })
      )
    })
    await app.restAuth.mail.flush()
  }
}

const groups: Record<string, () => Promise<void>> = {
  async login () {
    const database = process.env.DATABASE ?? join(folder, 'login.sqlite')
    const app = await open({ account: { emailVerification: 'none' }, database })
    const db = await openDatabase(database, [], () => {})
    for (const name of ['known', 'deactivated']) {
      await post(app, 'registration', { email: `${name}@example.com`, password1: password })
    }
    const { users } = app.restAuth
    await users.deactivate((await users.find({ email: 'deactivated@example.com' }))?.pk ?? '')
    await create(users, 'passwordless@example.com')
    for (const [name, passwordHash] of Object.entries(await storedHashes())) {
      await updateUser(db, (await create(users, `${name}@example.com`)).pk, { passwordHash })
    }
    await db.close()
    for (const name of ['known', 'deactivated', 'passwordless', ...Object.keys(await storedHashes())]) {
      await compare(`POST /login, ${name} against unknown`, [name, 'nobody'], async email => {
        const asked = email.startsWith('nobody') ? email : `${name}@example.com`
        return await timed(async () => await post(app, 'login', { email: asked, password: 'not the password' }))
      })
    }
    await app.close()
  },

  async reset () {
    const app = await open()
    for (const kind of ['verified', 'deactivated', 'unverified'] as const) {
      await compareMailing('password/reset', kind, app)
    }
    await app.close()
    const server = fork(fileURLToPath(new URL('mail.ts', import.meta.url)), ['serve'])
    const [{ good }] = await once(server, 'message')
    const mailing = await open({ mail: { transport: good } })
    await compareMailing('password/reset', 'verified', mailing, ', over SMTP')
    await mailing.close()
    server.disconnect()
  },

  async resend () {
    const app = await open()
    for (const kind of ['unverified', 'verified'] as const) await compareMailing('registration/resend-email', kind, app)
    await app.close()
  },

  async registration () {
    const app = await open()
    await compareMailing('registration', 'verified', app)
    await app.close()
    const quick = await open({}, cheapHash)
    await compareMailing('registration', 'unverified', quick, ', hashing at almost no cost')
    await quick.close()
  },

  /** A later request of another kind meets a server that has a mail to send, or has just sent one. */
  async next () {
    const app = await open()
    for (let pair = 0; pair < pairs; pair++) await kinds.verified(app.restAuth.users, `verified-${pair}@example.com`)
    for (const [title, delay] of [
      ['at once', async () => {}],
      ['10 to 40 ms later', async () => { await sleep(10 + Math.random() * 30) }]
    ] as const) {
      await compare(
        `the next request after POST /password/reset, ${title}, verified against unknown`,
        ['verified', 'nobody'],
        async email => {
          await rest(app)
          await post(app, 'password/reset', { email })
          await delay()
          return await timed(async () => await app.inject('/auth/user'))
        }
      )
    }
    await app.close()
  }
}

const chosen = process.argv.slice(2)
const unknown = chosen.find(name => !Object.hasOwn(groups, name))
if (unknown !== undefined) throw new Error(`There is no ${unknown}; there is ${Object.keys(groups).join(', ')}`)
for (const [name, run] of Object.entries(groups)) {
  if (chosen.length === 0 ? name !== 'next' : chosen.includes(name)) await run()
}
rmSync(folder, { recursive: true })
