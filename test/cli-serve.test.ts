/** The command `serve`, in processes of its own: health, shutdown, workers, and an outage of the database. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { migrateCommand } from '../src/cli/migrate.js'
import { readProxies } from '../src/cli/serve/address.js'
import { alice, password, secret, t, type Test } from './support/build.js'
import { followLog, listening } from './support/child-app.js'
import { optionsFile, run, start } from './support/command-line.js'
import { postgres, postgresUrl, temporaryFile } from './support/databases.js'
import { startFlakyNetwork } from './support/flaky-network.js'

interface Served {
  child: ChildProcess
  url: string
  /** Resolves to the first group of a pattern once the log has it. */
  logged: (pattern: RegExp) => Promise<string>
  exitCode: Promise<number | null>
}

async function serve (t: Test, words: string[], env: NodeJS.ProcessEnv = {}): Promise<Served> {
  const child = start(['serve', '--port', '0', ...words], { env: { AUTH_SECRET: secret, NODE_ENV: 'test', ...env } })
  t.teardown(() => { child.kill('SIGKILL') })
  child.stderr.pipe(process.stderr)
  const exitCode = once(child, 'exit').then(([code]) => code)
  const logged = followLog(child.stdout)
  return { child, url: await logged(listening), logged, exitCode }
}

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status

/** Asks until the answer has this status: the machine may be busy. */
async function untilStatus (url: string, status: number): Promise<void> {
  while (await statusOf(url) !== status) await sleep(100)
}

/** The beginning of a request, on a connection of its own; what follows is sent by `socket.write`. */
async function begin (url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.setEncoding('utf8').write(text)
  return socket
}

async function answerOf (socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

const login = JSON.stringify({ email: alice.email, password })
const loginHead = [
  'POST /auth/login HTTP/1.1', 'host: localhost', 'connection: close', 'content-type: application/json',
  `content-length: ${login.length}`, '', ''
].join('\r\n')

async function migratedFile (t: Test): Promise<string> {
  const database = temporaryFile(t)
  await migrateCommand({ database }, false)
  return database
}

t.test('`serve` has the routes of the plugin, and logs no token of a link', async t => {
  const { url, logged, child, exitCode } = await serve(t, [], { DATABASE_URL: await migratedFile(t) })
  const post = async (path: string, body: object) => await fetch(`${url}${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body)
  })
  t.equal((await post('/auth/registration', { email: alice.email, password1: password })).status, 201)
  t.equal((await post('/auth/login', { email: alice.email, password })).status, 200)
  for (const path of ['/healthz', '/readyz']) {
    const answer = await fetch(`${url}${path}`)
    t.match([answer.status, await answer.json()], [200, { status: 'ok' }])
    t.equal(answer.headers.get('cache-control'), 'no-store')
  }
  await statusOf(`${url}/auht/password/reset/confirm/1/S3cretT0ken`)
  t.equal(await logged(/"url":"(\/auht[^"]*)"/), '/auht/password/reset/confirm/…/…')
  child.kill('SIGTERM')
  t.equal(await exitCode, 0)
})

t.test('at SIGTERM, requests under way finish, and /readyz answers 503 while the server closes', async t => {
  const { url, logged, child, exitCode } = await serve(t, [], { DATABASE_URL: await migratedFile(t) })
  const request = await begin(url, loginHead)
  const probe = await begin(url, 'GET /readyz HTTP/1.1\r\nhost: localhost\r\n')
  // Both have arrived: the server reads its connections in their order.
  t.equal(await statusOf(`${url}/readyz`), 200)
  await logged(/"url":"(\/auth\/login)"/)
  child.kill('SIGTERM')
  await logged(/(closing)/)
  probe.write('connection: close\r\n\r\n')
  t.match(await answerOf(probe), /^HTTP\/1\.1 503 /)
  await t.rejects(statusOf(`${url}/healthz`), 'no new connections')
  request.write(login)
  t.match(await answerOf(request), /^HTTP\/1\.1 400 [^]*invalid_credentials/)
  t.equal(await exitCode, 0)
})

t.test('connections without a request under way do not delay the end', async t => {
  const words = ['--close-timeout', '3600']
  const { url, child, exitCode } = await serve(t, words, { DATABASE_URL: await migratedFile(t) })
  const kept = await begin(url, 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n')
  t.match(await once(kept, 'data'), [/^HTTP\/1\.1 200 [^]*keep-alive/])
  const silent = await begin(url, '')
  // The server has accepted it: it takes its connections in their order.
  t.equal(await statusOf(`${url}/healthz`), 200)
  child.kill('SIGTERM')
  t.equal(await exitCode, 0)
  for (const socket of [kept, silent]) socket.destroy()
})

t.test('a request that does not finish is cut off, and a second signal ends the server at once', async t => {
  for (const [words, signals] of [[['--close-timeout', '1'], 1], [['--close-timeout', '3600'], 2]] as const) {
    const { url, logged, child, exitCode } = await serve(t, [...words], { DATABASE_URL: await migratedFile(t) })
    const request = await begin(url, loginHead)
    request.on('error', () => {})
    await logged(/"url":"(\/auth\/login)"/)
    child.kill('SIGTERM')
    await logged(/(closing)/)
    if (signals === 2) child.kill('SIGINT')
    t.equal(await exitCode, 1)
  }
})

t.test('/readyz answers 503 while the database is not up to date (SQLite)', async t => {
  const database = await migratedFile(t)
  const { url, logged } = await serve(t, [], { DATABASE_URL: database })
  const client = new BetterSqlite3(database)
  t.teardown(() => client.close())
  client.exec('ALTER TABLE rest_auth_schema RENAME TO elsewhere')
  await untilStatus(`${url}/readyz`, 503)
  t.same(await (await fetch(`${url}/readyz`)).json(), { status: 'unavailable' }, 'no detail for strangers')
  t.match(await logged(/"level":40,[^\n]*"msg":"([^"\n]*)/), /^not ready: database: \S/, 'the log says why')
  t.equal(await statusOf(`${url}/healthz`), 200)
  client.exec('ALTER TABLE elsewhere RENAME TO rest_auth_schema')
  await untilStatus(`${url}/readyz`, 200)
  t.equal(await logged(/"level":30,[^\n]*"msg":"(ready[^"]*)/), 'ready again')
})

t.test('/readyz answers 503 while the database does not answer (PostgreSQL)', { skip: !postgresUrl }, async t => {
  const { database, close } = await postgres.open()
  t.teardown(close)
  await migrateCommand({ database }, false)
  const network = await startFlakyNetwork(t, String(database))
  const { url, logged } = await serve(t, [], { DATABASE_URL: network.url })
  t.equal(await statusOf(`${url}/readyz`), 200)
  network.isSilent = true
  await untilStatus(`${url}/readyz`, 503)
  t.match(await logged(/"level":40,[^\n]*"msg":"(not ready: [^"\n]*)/), /: (no answer within 2 s|database: .+)$/)
  const many = await Promise.all(Array.from({ length: 20 }, async () => await statusOf(`${url}/readyz`)))
  t.same([...new Set(many)], [503])
  t.equal(await statusOf(`${url}/healthz`), 200)
  network.isSilent = false
  await untilStatus(`${url}/readyz`, 200)
})

t.test('a worker that is killed is replaced, and SIGTERM ends all', async t => {
  const { child, url, logged, exitCode } = await serve(t, ['--workers', '2'], { DATABASE_URL: await migratedFile(t) })
  const pid = Number(await logged(/"pid":(\d+),[^\n]*"Server listening/))
  await logged(/(Server listening[^]*Server listening)/)
  process.kill(pid, 'SIGKILL')
  t.equal(Number(await logged(/"worker":\{"pid":(\d+)/)), pid)
  await logged(/(a worker has ended[^]*Server listening)/)
  t.equal(await statusOf(`${url}/readyz`), 200)
  child.kill('SIGTERM')
  t.equal(await exitCode, 0)
})

t.test('an app that can\'t start ends with one line, also with workers', async t => {
  const database = temporaryFile(t)
  const options = optionsFile(t, `export default { database: '${database}', secret: '${secret}', migrate: false }`)
  for (const words of [[], ['--workers', '2']]) {
    t.match(await run(['serve', '--port', '0', '--options', options, ...words]), {
      code: 1, stdout: '', stderr: /^fastify-rest-auth: database: \d+ migration statements are pending; [^\n]*\n$/
    })
  }
})

t.test('a wrong flag or variable is refused by its name', async t => {
  const inMemory = { DATABASE_URL: ':memory:', AUTH_SECRET: secret }
  for (const [words, env, stderr] of [
    [['--port', 'x'], {}, /^serve: --port: must be a whole number from 0 to 65535\n$/],
    [[], { PORT: '70000' }, /^serve: PORT: must be a whole number from 0 to 65535\n$/],
    [[], { TRUST_PROXY: 'true' }, /^serve: TRUST_PROXY: must be addresses such as [^\n]+\n$/],
    [['--workers', '0'], {}, /^serve: --workers: must be a whole number from 1 to 64\n$/],
    [['--workers', '2'], { AUTH_SECRET: '' }, /^serve: --workers needs a secret that all workers have; [^\n]+\n$/],
    [['--workers', '2'], inMemory, /^serve: --workers needs a database that all workers can open: [^\n]+\n$/],
    [['--host', '192.0.2.1', '--port', '1'], inMemory, /^serve: can't listen at 192\.0\.2\.1:1 \([^\n]+\)\n$/],
    [[], { ...inMemory, SMTP_URL: 'smtp://a b' }, /^fastify-rest-auth: SMTP_URL: must be [^\n]+\n$/]
  ] as const) {
    const { code, stderr: line } = await run(['serve', ...words], { env })
    t.equal(code, 1)
    t.match(line, stderr)
  }
})

t.test('TRUST_PROXY names addresses, networks, or how many proxies there are', async t => {
  t.same(readProxies('10.0.0.0/8, ::1,loopback'), ['10.0.0.0/8', '::1', 'loopback'])
  t.equal(readProxies(''), false)
  const trusts = readProxies('2')
  t.same([0, 1, 2].map(hop => typeof trusts === 'function' && trusts('192.0.2.1', hop)), [true, true, false])
  for (const wrong of ['true', '0', '10', 'proxy.example', '10.0.0.0/33']) t.throws(() => readProxies(wrong), wrong)
})
