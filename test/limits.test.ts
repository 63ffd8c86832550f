/** The option `limits`: how many attempts each action allows, for whom, and what an attempt too many gets. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { LightMyRequestResponse } from 'fastify'
import { limitedActions, type LimitedActionName } from '../schemas/limited-actions.js'
import {
  alice, password, sqliteBuild, story, storyBuild, t, type Build, type BuiltApp, type BuildOptions, type Test
} from './support/build.js'
import { sqlite, temporaryFile, type TestedDatabase } from './support/databases.js'
import { startBadProvider } from './support/hostile-provider.js'

const redisUrl = process.env.REDIS_URL
if (!redisUrl && process.env.CI) throw new Error('CI must not skip Redis: set REDIS_URL')

/** Apps whose clients have the addresses of their `X-Forwarded-For` header. */
const proxied = { trustProxy: true }
const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })

/** Tests a rule with each store of limits. Each test has a `publicUrl` of its own, so that it is alone in Redis. */
function limitStory (
  title: string,
  tell: (t: Test, build: Build, tested: TestedDatabase) => Promise<void>
): void {
  const withStore = (store: string | undefined) => async (t: Test, build: Build, tested: TestedDatabase) => {
    const publicUrl = `http://${randomUUID()}.example`
    await tell(t, async (t, { options = {}, ...given } = {}) => {
      const { limits, ...others }: { limits?: object } = options
      return await build(t, {
        ...given,
        server: { ...proxied, ...given.server },
        options: { publicUrl, ...others, limits: { ...(store !== undefined && { store }), ...limits } }
      })
    }, tested)
  }
  story(title, withStore(undefined))
  if (redisUrl) t.test(`${title} (Redis)`, async t => await withStore(redisUrl)(t, storyBuild(sqlite), sqlite))
}

// Of the password `Sup3r-secret-pw`, by Django.
const slowHash = 'pbkdf2_sha256$600000$0123456789abcdef$Oq0V8oZ1rYwB0Yx7N9QfD1m7aTnq0s6m2hD3v5C8rXU='
const guess = (email: string = alice.email) => ({ email, password: 'A-wr0ng-password' })
const right = { email: alice.email, password }
const statuses = (answers: LightMyRequestResponse[]) => answers.map(({ statusCode }) => statusCode)

/** A database that several apps can open. */
async function sharedDatabase (t: Test, tested: TestedDatabase): Promise<unknown> {
  if (tested.dialect === 'sqlite') return temporaryFile(t)
  const { database, close } = await tested.open()
  t.teardown(close)
  return database
}

async function inTurn<T> (count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let index = 0; index < count; index++) results.push(await work(index))
  return results
}

limitStory('the sixth wrong password for an account in five minutes is refused, from any address', async (t, build) => {
  const { post, register } = await build(t)
  await register()
  const answers = await inTurn(60, async index => await post('/login', guess(), from(`198.51.100.${index}`)))
  t.same(statuses(answers), [...Array(5).fill(400), ...Array(55).fill(429)])
  const refused = answers[5]!
  t.equal(refused.json().code, 'too_many_requests')
  t.equal(refused.headers['retry-after'], '300')
  t.equal(refused.headers['ratelimit-policy'], '"login";q=5;w=300')
  t.equal(refused.headers.ratelimit, '"login";r=0;t=300')
  t.equal((await post('/login', right, from('203.0.113.1'))).statusCode, 429, 'the right password too')
})

limitStory('after the seconds of Retry-After an attempt is allowed, and not a second earlier', async (t, build) => {
  const { post, register, clock } = await build(t)
  await register()
  await post('/login', guess())
  clock.advance(77.5)
  await inTurn(4, async () => await post('/login', guess()))
  const wait = Number((await post('/login', right)).headers['retry-after'])
  t.equal(wait, 223)
  clock.advance(wait - 1)
  t.equal((await post('/login', right)).headers['retry-after'], '1')
  clock.advance(1)
  t.equal((await post('/login', right)).statusCode, 200)
})

limitStory('an unknown account has the same limits as a known one, with the same responses', async (t, build) => {
  const { post, register } = await build(t)
  await register()
  const known = await inTurn(7, async () => await post('/login', guess(), from('198.51.100.1')))
  const unknown = await inTurn(7, async () => await post('/login', guess('nobody@example.com'), from('198.51.100.2')))
  const seen = ({ statusCode, body, headers }: LightMyRequestResponse) => ({ statusCode, body, ...headers, date: '' })
  t.same(unknown.map(seen), known.map(seen))
})

limitStory('an address may fail ten times a minute, at any accounts', async (t, build) => {
  const { post, clock } = await build(t)
  const spray = async (index: number) => await post('/login', guess(`user${index}@example.com`), from('198.51.100.1'))
  const answers = await inTurn(12, spray)
  t.same(statuses(answers), [...Array(10).fill(400), 429, 429])
  t.equal((await post('/login', guess('user1@example.com'), from('198.51.100.2'))).statusCode, 400, 'another one may')
  clock.advance(60)
  t.equal((await spray(20)).statusCode, 400)
})

limitStory('a login that succeeds is no attempt, and resets the account but not the address', async (t, build) => {
  const { post, register } = await build(t, { options: { limits: { login: ['6/1m/ip', '3/5m/account'] } } })
  await register()
  t.same(statuses(await inTurn(20, async () => await post('/login', right))), Array(20).fill(200))
  const rounds = await inTurn(3, async () => {
    await inTurn(2, async () => await post('/login', guess()))
    return await post('/login', right)
  })
  t.same(statuses(rounds), [200, 200, 429], 'the seventh attempt of the address')
})

limitStory('of 60 guesses at once at three instances, exactly five are tried', async (t, build, tested) => {
  const database = await sharedDatabase(t, tested)
  const { clock, post, register } = await build(t, { database })
  await register()
  const others = await inTurn(2, async () => await build(t, { database, internals: { clock: () => clock.now } }))
  const posts = [post, ...others.map(other => other.post)]
  const answers = await Promise.all(Array.from({ length: 60 }, async (_, index) =>
    await posts[index % posts.length]!('/login', guess(), from(`198.51.100.${index}`))))
  t.equal(statuses(answers).filter(status => status === 400).length, 5)
  t.equal(statuses(answers).filter(status => status === 429).length, 55)
})

limitStory('another spelling of the account or the path is no way around', async (t, build) => {
  const account = { username: 'required', loginMethods: ['username', 'email'] }
  const { app, post, register } = await build(t, { options: { account } })
  await register({ username: 'ALICE' })
  const spellings = ['alice@example.com', 'ALICE@example.com', ' alice@EXAMPLE.com ', 'Alice@Example.COM']
  for (const email of spellings) await post('/login', guess(email), from('198.51.100.1'))
  await post('/login', { username: 'aLice@example.com', password: 'x' }, from('198.51.100.1'))
  const form = { headers: { 'x-forwarded-for': '198.51.100.2', 'content-type': 'application/x-www-form-urlencoded' } }
  const payload = new URLSearchParams(guess()).toString()
  for (const url of ['/auth/login', '/auth/login/', '/auth/login?x=1', '/auth/%6cogin']) {
    t.equal((await app.inject({ method: 'POST', url, payload, ...form })).statusCode, 429, url)
  }
})

limitStory('a login to an account of their own does not clear what was tried at another one', async (t, build) => {
  const account = { username: 'required', loginMethods: ['email', 'username'] }
  const { post, register } = await build(t, { options: { account, limits: { login: ['5/5m/account'] } } })
  await register({ username: 'alice' })
  await register({ username: alice.email, email: 'mallory@example.com', password1: 'Mall0ry-secret-pw' })
  await inTurn(4, async () => await post('/login', guess()))
  t.equal((await post('/login', { username: alice.email, password: 'Mall0ry-secret-pw' })).statusCode, 200)
  t.same(statuses(await inTurn(2, async () => await post('/login', guess()))), [400, 429])
})

limitStory('instances whose clocks differ do not add to the limit', async (t, build, tested) => {
  const database = await sharedDatabase(t, tested)
  const { clock, post, register } = await build(t, { database })
  await register()
  const late = await build(t, { database, internals: { clock: () => new Date(clock.now.getTime() - 2000) } })
  const posts = [post, late.post]
  const answers = await inTurn(20, async index => await posts[index % 2]!('/login', guess()))
  t.equal(statuses(answers).filter(status => status === 400).length, 5)
})

limitStory('Retry-After is that of the limit that is reached for longest', async (t, build) => {
  const { post, clock } = await build(t, { options: { limits: { login: ['2/1m/ip', '2/5m/account'] } } })
  await inTurn(2, async () => await post('/login', guess()))
  const refused = await post('/login', guess())
  t.equal(refused.headers['retry-after'], '300')
  clock.advance(300)
  t.equal((await post('/login', guess())).statusCode, 400)
})

limitStory('an attempt whose password was not checked does not count', async (t, build) => {
  const { post, register } = await build(t, {
    // Each process has a queue of its own.
    instances: 1,
    options: { limits: { login: ['150/5m/ip', '150/5m/account'] } },
    // Slow enough for the queue to fill: on a busy machine, the requests come slowly, too.
    internals: { hashCost: { memoryCost: 65536, timeCost: 3, parallelism: 1 } }
  })
  await register()
  const answers = await Promise.all(Array.from({ length: 120 }, async () =>
    await post('/login', guess(), { fault: true })))
  const busy = statuses(answers).filter(status => status === 503).length
  t.ok(busy > 0, `${busy} answers of 503`)
  const more = await inTurn(31 + busy, async () => await post('/login', guess()))
  t.same([...new Set(statuses(more.slice(0, -1)))], [400])
  t.equal(more.at(-1)?.statusCode, 429)
})

limitStory('an attempt counts where a password may have been checked before the queue was full', async (t, build) => {
  const account = { username: 'required', loginMethods: ['email', 'username'] }
  const options = { account, limits: { login: ['60/5m/account'], lockout: false } }
  const { app, post, register } = await build(t, { options })
  await register({ username: 'alice' })
  const flood = async (body: object) => statuses(await Promise.all(Array.from({ length: 60 }, async () =>
    await post('/login', body, { fault: true }))))
  // Each failed login also does the work of this hash, in the queue of slow ones.
  await app.restAuth.users.create({
    email: 'old@example.com', username: 'old', gender: 'F', phone_number: '1', password_hash: slowHash
  } as never)
  t.ok((await flood(guess())).includes(503))
  t.equal((await post('/login', right)).statusCode, 429)
  t.ok((await flood({ username: 'bob@example.com', password: 'x' })).includes(503))
  t.equal((await post('/login', { username: 'bob@example.com', password: 'x' })).statusCode, 429)
})

limitStory('an address counts as its network: an IPv6 address by its first 64 bits', async (t, build) => {
  const { post } = await build(t, { options: { limits: { login: ['2/1m/ip'] } } })
  const tryFrom = async (address: string) => (await post('/login', guess(), from(address))).statusCode
  t.same(await inTurn(3, async index => await tryFrom(`2001:db8:1:2::${index}`)), [400, 400, 429])
  t.equal(await tryFrom('2001:DB8:1:2:ffff::1'), 429)
  t.equal(await tryFrom('2001:db8:1:3::1'), 400, 'the network beside it is another')
  t.same(await inTurn(2, async () => await tryFrom('192.0.2.7')), [400, 400])
  t.equal(await tryFrom('::ffff:192.0.2.7'), 429, 'IPv4 in IPv6')
  t.equal(await tryFrom('192.0.2.7:8080'), 429, 'with a port, as some proxies write it')
  t.equal(await tryFrom('[2001:db8:1:2::9]:443'), 429)
  t.equal(await tryFrom('192.0.2.8'), 400)
})

limitStory('without trustProxy, headers choose no address', async (t, build) => {
  const { post } = await build(t, { server: { trustProxy: false }, options: { limits: { login: ['2/1m/ip'] } } })
  const answers = await inTurn(4, async index => await post('/login', guess(`user${index}@example.com`), {
    headers: {
      'x-forwarded-for': `198.51.100.${index}`,
      forwarded: `for=198.51.100.${index}`,
      'x-real-ip': `198.51.100.${index}`,
      'x-client-ip': `198.51.100.${index}`
    }
  }))
  t.same(statuses(answers), [400, 400, 429, 429])
})

limitStory('other attempts do not push out what is counted, however many there are', async (t, build) => {
  const { post, register } = await build(t, { options: { limits: { login: ['5/5m/account'] } } })
  await register()
  await inTurn(5, async () => await post('/login', guess()))
  await inTurn(400, async index => await post('/login', guess(`user${index}@example.com`)))
  t.equal((await post('/login', right)).statusCode, 429)
})

limitStory('a clock that was set back locks nobody out', async (t, build) => {
  const { post, register, clock } = await build(t)
  await register()
  clock.advance(86400)
  await inTurn(6, async () => await post('/login', guess()))
  clock.advance(-86400)
  t.equal((await post('/login', right)).statusCode, 200)
})

story('what is counted outlives a restart', async (t, build, tested) => {
  const database = await sharedDatabase(t, tested)
  const { post, register, clock } = await build(t, { database })
  await register()
  const options = { limits: {} }
  const first = await build(t, { database, options, internals: { clock: () => clock.now } })
  await inTurn(5, async () => await first.post('/login', guess()))
  await first.app.close()
  t.equal((await post('/login', right)).statusCode, 200, 'this one has no limits')
  const second = await build(t, { database, options, internals: { clock: () => clock.now } })
  t.equal((await second.post('/login', right)).statusCode, 429)
})

const sameOrigin = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }

/** For each action, a request that counts. */
interface Tried extends BuiltApp { access: string }
const attempts: Record<LimitedActionName, (app: Tried, index: number) => Promise<LightMyRequestResponse>> = {
  login: async ({ post }) => await post('/login', guess()),
  reauthenticate: async ({ post, access }) => await post('/reauthenticate', { password: 'x' }, { token: access }),
  passwordChange: async ({ post, access }) =>
    await post('/password/change', { old_password: 'x', new_password1: 'N3w-secret-pw' }, { token: access }),
  registration: async ({ post }, index) => await post('/registration', { ...alice, email: `bob${index}@example.com` }),
  verifyEmail: async ({ post, get }, index) => index % 2
    ? await get(`/registration/account-confirm-email/${'x'.repeat(43)}`)
    : await post('/registration/verify-email', { key: 'x' }),
  resendEmail: async ({ post }) => await post('/registration/resend-email', { email: alice.email }),
  passwordReset: async ({ post }) => await post('/password/reset', { email: alice.email }),
  passwordResetConfirm: async ({ post, get }, index) => index % 2
    ? await get(`/password/reset/confirm/1/${'x'.repeat(43)}`)
    : await post('/password/reset/confirm', { uid: '1', token: 'x', new_password1: 'N3w-secret-pw' }),
  tokenRefresh: async ({ post }) => await post('/token/refresh', { refresh: 'x' }),
  tokenVerify: async ({ post }) => await post('/token/verify', { token: 'x' }),
  socialStart: async ({ get }) => await get('/company/login', { headers: sameOrigin }),
  socialCallback: async ({ get }) => await get('/company/callback?state=x&code=x'),
  socialLogin: async ({ post }) => await post('/company', { code: 'none' }),
  socialConnect: async ({ post, access }) => await post('/company/connect', { code: 'none' }, { token: access })
}

for (const [name, attempt] of Object.entries(attempts) as Array<[LimitedActionName, typeof attempts['login']]>) {
  t.test(`${name} is limited by default, as documented, and not with false`, async t => {
    const provider = await startBadProvider(t, {})
    const { issuer, clientId, clientSecret } = provider
    const social = { company: { issuer, clientId, clientSecret } }
    const account = { username: 'none', emailVerification: 'optional' }
    const built = async (limits: object | undefined) => {
      const app = await sqliteBuild(t, { options: { account, social, limits } })
      const { access } = await app.register({ email: 'owner@example.com' })
      return { ...app, access }
    }
    const rules = limitedActions[name].rules
    const quota = Math.min(...rules.map(rule => Number.parseInt(rule)))
    // The owner has registered, too.
    const used = name === 'registration' ? 1 : 0
    const limited = await built(undefined)
    const answers = await inTurn(quota - used + 1, async index => await attempt(limited, index))
    t.notOk(statuses(answers).slice(0, -1).includes(429))
    t.equal(answers.at(-1)?.statusCode, 429)
    const free = await built({ [name]: false })
    t.notOk(statuses(await inTurn(quota + 1, async index => await attempt(free, index))).includes(429))
  })
}

t.test('while attempts cannot be counted, no password can be tried, and everything else works', async t => {
  const client = { eval: async () => { throw new Error('Redis is down') }, del: async () => 0 }
  const { post, logs, register } = await sqliteBuild(t, { options: { limits: { store: client } } })
  const { access } = await register()
  const down = { fault: true, token: access }
  t.equal((await post('/login', right, down)).headers['retry-after'], '1')
  t.equal((await post('/reauthenticate', { password }, down)).statusCode, 503)
  const change = { old_password: password, new_password1: 'N3w-secret-pw' }
  t.equal((await post('/password/change', change, down)).statusCode, 503)
  t.equal((await post('/password/reset', { email: alice.email })).statusCode, 200)
  t.equal((await post('/token/verify', { token: 'x' })).statusCode, 401)
  t.ok(logs.some(line => line.includes('the limits are not available')))
})

t.test('a proxy that Fastify does not trust is logged once', async t => {
  const { post, logs } = await sqliteBuild(t, { options: { limits: {} } })
  await post('/login', guess())
  t.notOk(logs.some(line => line.includes('trustProxy')))
  for (let index = 0; index < 3; index++) await post('/login', guess(), from('198.51.100.1'))
  t.equal(logs.filter(line => line.includes('set the option trustProxy of Fastify')).length, 1)
})

t.test('an app starts without its Redis, and refuses logins until it is there', async t => {
  const { post } = await sqliteBuild(t, { options: { limits: { store: 'redis://127.0.0.1:1' } } })
  t.equal((await post('/login', right, { fault: true })).statusCode, 503)
})

t.test('a flood of guesses at a limited account costs no hash', async t => {
  const { post, register } = await sqliteBuild(t, { options: { limits: {} } })
  await register()
  await inTurn(5, async () => await post('/login', guess()))
  // More than the queue of hashes takes, which would answer 503.
  const answers = await Promise.all(Array.from({ length: 300 }, async () => await post('/login', guess())))
  t.same([...new Set(statuses(answers))], [429])
})

const refusals: Record<string, [limits: unknown, message: string]> = {
  'an unknown action': [{ logn: [] }, 'limits.logn: unknown option; did you mean limits.login?'],
  'a rule without a key': [{ login: ['5/5m'] }, 'limits.login: must be false or'],
  'a key that the action does not have': [{ login: ['5/5m/mailbox'] }, 'limits.login: must be false or'],
  'a store that is no URL of Redis': [{ store: 'localhost' }, 'limits.store: must be a redis:// URL or an ioredis client'],
  'a client of another kind': [{ store: { get () {} } }, 'limits.store: must be a redis:// URL or an ioredis client']
}
for (const [what, [limits, message]] of Object.entries(refusals)) {
  t.test(`${what} is refused at start`, async t => {
    const given: BuildOptions = { options: { limits } }
    await t.rejects(sqliteBuild(t, given), { message: new RegExp(message.replace(/[.?/()]/g, '\\$&')) })
  })
}

t.test('docs/limits.md names every limited action, what it counts and its limits', async t => {
  const page = readFileSync(new URL('../docs/limits.md', import.meta.url), 'utf8')
  const rows = Object.entries(limitedActions).map(([name, { counts, rules }]) =>
    `| \`${name}\` | ${counts} | ${rules.map(rule => `\`${rule}\``).join(', ')} |`)
  t.ok(page.includes(`|---|---|---|\n${rows.join('\n')}\n\n`))
})
