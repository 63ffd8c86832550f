/** What keeps an app from starting is said in one sentence; what does not, does no harm later. */
import BetterSqlite3 from 'better-sqlite3'
import Fastify, { type FastifyInstance } from 'fastify'
import restAuth from 'fastify-rest-auth'
import pg from 'pg'
import { linkIn } from './support/answers.js'
import { alice, patient, sqliteBuild, t, type Test } from './support/build.js'
import { postgres, temporaryFile } from './support/databases.js'

/** The message with which an app with these options fails to start; undefined if it starts. */
async function refusal (t: Test, options: unknown): Promise<string | undefined> {
  const app = Fastify(patient)
  t.teardown(() => app.close())
  try {
    // Options of any kind, as from JavaScript.
    await (app as FastifyInstance).register(restAuth, options as object)
    await app.ready()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return undefined
}

t.test('options that are no object are refused', async t => {
  for (const options of ['auth.sqlite', 7, true, ['auth.sqlite'], Buffer.from('x'), () => null, () => 'x']) {
    t.match(await refusal(t, options), /^fastify-rest-auth: give options: /)
  }
})

t.test('an environment that is nearly `production` is logged: the strict checks are off', async t => {
  const { NODE_ENV: before } = process.env
  t.teardown(() => { process.env.NODE_ENV = before ?? '' })
  process.env.NODE_ENV = 'prod'
  const { logs } = await sqliteBuild(t)
  t.ok(logs.some(line => line.includes('NODE_ENV is \\"prod\\", so the checks for \\"production\\" are off')))
})

t.test('a router that cuts the tokens of mailed links is refused', async t => {
  const start = async (options: object) => {
    const app = Fastify(options)
    t.teardown(() => app.close())
    await app.register(restAuth, { database: ':memory:', docs: false })
  }
  const message = "fastify-rest-auth: Fastify's maxParamLength must be at least 43, or mailed links do not work"
  for (const options of [{ maxParamLength: 42 }, { routerOptions: { maxParamLength: 10 } }]) {
    await t.rejects(start(options), { message })
  }
  for (const options of [{}, { maxParamLength: 43 }, { routerOptions: { maxParamLength: 43 } }]) await start(options)
})

t.test('with the shortest parameters that are accepted, the longest links work', async t => {
  const { post, mails, get } = await sqliteBuild(t, { server: { routerOptions: { maxParamLength: 43 } } })
  await post('/registration', alice)
  await post('/password/reset', { email: alice.email })
  for (const mail of await mails()) {
    t.equal((await get(linkIn(mail).replace(/^.*\/auth/, ''))).statusCode, 200)
  }
})

t.test('a database that would vanish with the process is refused, but for :memory:', async t => {
  for (const database of [
    '', ' ', '\t', ' auth.sqlite', 'auth.sqlite ', 'auth\u0000.sqlite', 'file:', 'file:auth.sqlite', 'file::memory:',
    'FILE:auth.sqlite', 'file:///tmp/auth.sqlite', ':MEMORY:', ':memory', ' :memory:',
    'sqlite:auth.sqlite', 'postgres:',
    'mysql://localhost/app'
  ]) {
    const message = await refusal(t, { database, docs: false })
    t.match(message, /^fastify-rest-auth: database: (give|must be) a SQLite file, [^\n]*$/, JSON.stringify(database))
  }
  t.equal(await refusal(t, { database: ':memory:', docs: false }), undefined)
})

const locked = 'fastify-rest-auth: database: ' +
  'is locked; another process uses or migrates it, so start again when that has finished'

t.test('a SQLite file that another process has locked is refused', async t => {
  for (const mode of ['IMMEDIATE', 'EXCLUSIVE']) {
    const database = temporaryFile(t)
    const other = new BetterSqlite3(database)
    t.teardown(() => other.close())
    other.exec(`BEGIN ${mode}`)
    t.equal(await refusal(t, { database, docs: false }), locked)
    other.exec('COMMIT')
    t.equal(await refusal(t, { database, docs: false }), undefined)
  }
})

t.test('a PostgreSQL database that another server is still migrating is refused before Fastify gives up', {
  skip: postgres.name === 'PGlite' && 'needs a second connection'
}, async t => {
  const { database, close } = await postgres.open()
  t.teardown(close)
  const other = new pg.Client({ connectionString: String(database) })
  await other.connect()
  t.teardown(() => other.end())
  await other.query('SELECT pg_advisory_lock(7237280)')
  t.equal(await refusal(t, { database, migrate: true, docs: false }), locked)
  await other.query('SELECT pg_advisory_unlock_all()')
  t.equal(await refusal(t, { database, migrate: true, docs: false }), undefined)
})

t.test('a handler that exceeds the app\'s handlerTimeout returns 503', async t => {
  for (const errors of ['problem', 'drf']) {
    const { post } = await sqliteBuild(t, {
      server: { handlerTimeout: 1000 },
      options: { errors, hooks: { loggedIn: async () => await new Promise(() => {}) } }
    })
    const answer = await post('/registration', alice, { fault: true })
    t.equal(answer.statusCode, 503)
    t.equal(answer.headers['retry-after'], '1')
    t.notMatch(answer.body, /handler|route|registration/)
  }
})
