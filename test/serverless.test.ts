/** examples/serverless: nothing runs once the handler has returned, and nothing keeps the process. */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import BetterSqlite3 from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { buildApp, createHandler } from '../examples/serverless/app.js'
import { alice, loaders, password, patient, secret, t, type Test } from './support/build.js'
import { databases, temporaryFile } from './support/databases.js'
import { startMailServer } from './support/mail-server.js'

interface Answer {
  statusCode: number
  headers: Record<string, string>
  cookies?: string[]
  body: string
}
interface EventOptions {
  body?: object
  headers?: object
  cookies?: string[]
}

/** An event of API Gateway's HTTP API, in its format 2.0. */
const event = (method: string, path: string, { body, headers, cookies = [] }: EventOptions = {}) => ({
  version: '2.0',
  rawPath: path,
  requestContext: { http: { method, path, sourceIp: '192.0.2.1' } },
  headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
  cookies,
  ...(body && { body: JSON.stringify(body), isBase64Encoded: false })
})
const registration = event('POST', '/auth/registration', { body: { email: alice.email, password1: password } })
const bearer = (access: string) => ({ authorization: `Bearer ${access}` })

async function start (t: Test, overrides: object) {
  const app = await buildApp({ secret, migrate: true, ...overrides }, patient)
  t.teardown(() => app.close())
  return { app, handler: createHandler(app) }
}

for (const { name, open } of databases) {
  t.test(`the handler answers once the mail of its request is sent (${name})`, async t => {
    const { database, close } = await open()
    t.teardown(close)
    const sentTo: string[] = []
    const transport = async ({ to }: { to: string }) => { sentTo.push(to) }
    const { handler } = await start(t, { database, mail: { transport } })
    const { statusCode, body } = await handler(registration, {})
    t.equal(statusCode, 201)
    t.same(sentTo, [alice.email])
    const { access } = JSON.parse(body)
    t.same(JSON.parse((await handler(event('GET', '/me', { headers: bearer(access) }), {})).body), {
      hello: alice.email
    })
    const refusal = await handler(event('GET', '/me'), {})
    t.match(refusal, { statusCode: 401, headers: { 'www-authenticate': 'Bearer realm="api"' } })
  })
}

t.test('the handler reads the cookies of an event, and returns those that the app sets', async t => {
  const mail = { transport: async () => {} }
  const { handler } = await start(t, { database: ':memory:', mail, tokens: { cookies: {} } })
  const { cookies = [] } = await handler(registration, {})
  t.equal(cookies.length, 2)
  const pairs = cookies.map(cookie => cookie.replace(/;.*/, ''))
  t.same(JSON.parse((await handler(event('GET', '/me', { cookies: pairs }), {})).body), { hello: alice.email })
})

t.test('the handler answers even if the outbox is not available', async t => {
  const client = new BetterSqlite3(':memory:')
  t.teardown(() => client.close())
  const { app, handler } = await start(t, { database: drizzle(client), mail: { transport: async () => {} } })
  const { access } = JSON.parse((await handler(registration, {})).body)
  client.exec('ALTER TABLE mail_outbox RENAME TO gone')
  await t.rejects(app.restAuth.mail.flush())
  t.equal((await handler(event('GET', '/me', { headers: bearer(access) }), {})).statusCode, 200)
})

// Far more than a busy machine needs: a process that something keeps would stay forever.
const limitMs = 600_000

/** What a new process answers to the events; it is not told to end. */
async function answersOfProcess (env: Record<string, string>, events: object[]): Promise<Answer[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...loaders, 'test/fixtures/serverless-process.ts', JSON.stringify(events)],
    { cwd: resolve(import.meta.dirname, '..'), env: { ...process.env, ...env }, timeout: limitMs }
  )
  return stdout.trim().split('\n').map(line => JSON.parse(line))
}

for (const { name, open } of databases.filter(({ name }) => name !== 'PGlite')) {
  t.test(`a process ends by itself after its last answer, with the mail sent (${name})`, async t => {
    const { database, close } = name === 'SQLite'
      ? { database: temporaryFile(t), close: async () => {} }
      : await open()
    t.teardown(close)
    await (await buildApp({ database, migrate: true, mail: { transport: async () => {} } }, patient)).close()
    const mailServer = await startMailServer()
    t.teardown(() => mailServer.close())
    const env = {
      NODE_ENV: 'production',
      AUTH_SECRET: secret,
      PUBLIC_URL: 'https://app.example',
      DATABASE_URL: String(database),
      SMTP_URL: mailServer.url
    }
    const [answer] = await answersOfProcess(env, [registration])
    t.equal(answer?.statusCode, 201)
    t.same(mailServer.mails.map(({ to }) => to), [alice.email])

    const { access } = JSON.parse(answer?.body ?? '')
    const [, greeting] = await answersOfProcess(env, [
      event('GET', '/me'), event('GET', '/me', { headers: bearer(access) })
    ])
    t.same(JSON.parse(greeting?.body ?? ''), { hello: alice.email })
  })
}
