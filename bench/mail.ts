/**
 * Does an answer wait for its mail? Compares, in one run, a mail server that works, one that refuses connections and
 * one that stays silent with answers that send no mail.
 *
 *   npm run bench:mail
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { HashCost } from '../src/lib/password-hash.js'
import { createPlugin } from '../src/plugin.js'
import { cheapHash } from '../src/testing/cheap-hash.js'
import { startMailServer } from '../test/support/mail-server.js'

const secret = 'mWqv0LrN4cJ8sYtX2uKzH6bEfGd9PaVo'
const password = 'Sup3r-secret-pw'

/** Mail servers run in another process, as in real life, so that the app does not bear their cost. */
async function serve (): Promise<void> {
  const [good, silent, closed] = await Promise.all([startMailServer(), startMailServer(), startMailServer()])
  silent.mode = 'silent'
  await closed.close()
  process.once('disconnect', () => process.exit())
  process.send?.({ good: good.url, dead: closed.url, silent: silent.url })
}

interface Variant {
  name: string
  app: FastifyInstance
  times: Record<Route, number[]>
}
const routes = ['registration', 'password/reset'] as const
type Route = typeof routes[number]

async function open (name: string, database: string, options: object, hashCost?: HashCost): Promise<Variant> {
  const app = Fastify()
  const own = {
    secret, database, docs: false, limits: false, publicUrl: 'http://localhost:3000', userFields: {}
  }
  const pluginOptions = { ...own, ...options }
  await app.register(fp(createPlugin(hashCost && { hashCost })), pluginOptions as object)
  await app.ready()
  return { name, app, times: { registration: [], 'password/reset': [] } }
}

/** Sends about 50 requests a second, at random moments while earlier mails are sent; the warm-up is not counted. */
async function ask ({ app, times }: Variant, route: Route, emails: string[], isCounted: boolean): Promise<void> {
  for (const email of emails) {
    await sleep(Math.random() * 30)
    const start = performance.now()
    const { statusCode } = await app.inject({
      method: 'POST',
      url: `/auth/${route}`,
      payload: route === 'registration' ? { email, password1: password } : { email }
    })
    if (isCounted) times[route].push(performance.now() - start)
    if (statusCode >= 300) throw new Error(`POST /${route} returned ${statusCode}`)
  }
}

const quantile = (times: number[], part: number) =>
  [...times].sort((a, b) => a - b)[Math.ceil(times.length * part) - 1] ?? 0

const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map(item => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)

/**
 * Runs a block of each variant in turn: the cost of a mail after its answer then falls on answers of the same variant,
 * as it would in an app, and a noisy neighbour slows all variants alike.
 */
async function compare (
  title: string,
  servers: { good: string, dead: string, silent: string },
  { rounds, block, hashCost }: { rounds: number, block: number, hashCost?: HashCost }
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rest-auth-bench-'))
  const mandatory = (transport: string) => ({ account: { emailVerification: 'mandatory' }, mail: { transport } })
  const variants = await Promise.all(Object.entries({
    'no mail server': { account: { emailVerification: 'none' }, mail: { transport: async () => {} } },
    'a working server': mandatory(servers.good),
    'connection refused': mandatory(servers.dead),
    'a silent server': mandatory(servers.silent)
  }).map(async ([name, options], index) => await open(name, join(folder, `${index}.sqlite`), options, hashCost)))
  for (let round = -1; round < rounds; round++) {
    const emails = Array.from({ length: block }, (_, index) => `u${round}-${index}@example.com`)
    for (const route of routes) {
      for (const variant of shuffled(variants)) {
        await ask(variant, route, emails, round >= 0)
        // Mails that hang at the silent server cost the others nothing, and flushing them would take minutes.
        if (variant !== variants.at(-1)) await variant.app.restAuth.mail.flush()
      }
    }
  }
  for (const route of routes) {
    console.log(`POST /${route}, ${title}, ${rounds * block} answers each`)
    const [base] = variants
    for (const { name, times } of variants) {
      const [median, p99] = [0.5, 0.99].map(
        part => [quantile(times[route], part), quantile(base?.times[route] ?? [], part)] as const
      ) as [[number, number], [number, number]]
      const told = ([own, other]: readonly [number, number]) =>
        `${own.toFixed(2).padStart(8)} ms (${(own / other).toFixed(2)})`
      console.log(`  ${name.padEnd(20)} median ${told(median)}   p99 ${told(p99)}`)
    }
  }
  console.log()
  await Promise.all(variants.map(({ app }) => app.close()))
  rmSync(folder, { recursive: true })
}

if (process.argv[2] === 'serve') {
  await serve()
} else {
  const server = fork(fileURLToPath(import.meta.url), ['serve'])
  const [servers] = await once(server, 'message')
  await compare('hashing at the default cost', servers, { rounds: 10, block: 40 })
  await compare('hashing at almost no cost', servers, { rounds: 10, block: 100, hashCost: cheapHash })
  server.disconnect()
}
