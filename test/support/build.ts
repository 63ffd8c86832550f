/**
 * The base of every test: `story()` runs it on both databases, and `build(t)` returns an app that closes with the test
 * and has every response checked.
 */
import { Writable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import Fastify, {
  type FastifyInstance, type FastifyServerOptions, type InjectOptions, type LightMyRequestResponse
} from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import { createPlugin, type Internals } from '../../src/plugin.js'
import { cheapHash as taggedHash } from '../../src/testing/cheap-hash.js'
import type { TestClock, TestKit } from '../../src/testing/index.js'
import { assembleKit } from '../../src/testing/kit.js'
import { databases, postgres, sqlite, temporaryFile, type TestedDatabase } from './databases.js'
import { startMailServer, type CaughtMail, type MailServer } from './mail-server.js'
import { createResponseChecks } from './response-checks.js'
import { withUsersTable } from './users-table.js'

export { t, type Test }

/** The article's options: no username, a gender, a phone number that only registration can set. */
export const articleOptions = {
  publicUrl: 'http://localhost:3000',
  account: { username: 'none', emailVerification: 'none' },
  userFields: {
    gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F'), Type.Literal('NS')]) },
    phone_number: { schema: Type.String({ maxLength: 30 }), userDetails: 'read-only' }
  }
} as const

export const password = 'Sup3r-secret-pw'
export const secret = 'mWqv0LrN4cJ8sYtX2uKzH6bEfGd9PaVo'
export const alice = { email: 'alice@example.com', password1: password, gender: 'F', phone_number: '+15550100' }

/**
 * Arguments with which a child process runs TypeScript as this one does, so that coverage stays right. Tap's loaders
 * are left out: they would compile everything again.
 */
export const loaders = process.execArgv.filter(argument => !/@tapjs\/(typescript|mock)\//.test(argument))

/** For a child process that compiles our sources itself: tap would mix up its lines with those of this process. */
export const notCovered = { _TAPJS_PROCESSINFO_COVERAGE_: '0' }

/** A busy machine may take longer to start an app than Fastify allows. */
export const patient = { pluginTimeout: 0 }

const { memoryCost, timeCost, parallelism } = taggedHash
/** As cheap as the kit's, and like those of production otherwise. */
export const cheapHash = { memoryCost, timeCost, parallelism }

/** Tests a rule, whose sentence is the title, on each database, with as many apps as INSTANCES says. */
export function story (title: string, tell: (t: Test, build: Build, database: TestedDatabase) => Promise<void>): void {
  for (const database of databases) {
    t.test(`${title} (${database.name})`, async t => await tell(t, storyBuild(database), database))
  }
}

export interface CallOptions {
  body?: unknown
  /** Sent as an HTML form. */
  form?: Record<string, string>
  token?: string | undefined
  headers?: Record<string, string>
  /** The test injects a fault, so a 5xx is expected. */
  fault?: boolean
  /** A body sent as it is. */
  payload?: string | Buffer
}

export interface BuiltApp {
  /** With INSTANCES, the first one. */
  app: FastifyInstance
  clock: TestClock
  /** Requests as a user: `get('/user', await as(user))`. */
  as: TestKit['as']
  database: unknown
  logs: string[]
  call: (
    method: NonNullable<InjectOptions['method']>, path: string, options?: CallOptions
  ) => Promise<LightMyRequestResponse>
  get: (path: string, options?: CallOptions) => Promise<LightMyRequestResponse>
  post: (path: string, body?: unknown, options?: CallOptions) => Promise<LightMyRequestResponse>
  patch: (path: string, body?: unknown, options?: CallOptions) => Promise<LightMyRequestResponse>
  put: (path: string, body?: unknown, options?: CallOptions) => Promise<LightMyRequestResponse>
  /** A real SMTP server that receives every mail of the app. */
  mailServer: MailServer
  /** Sends the mails that are due, and returns all that have arrived. */
  mails: () => Promise<CaughtMail[]>
  /** Registers alice, with changes; returns her tokens and user. */
  register: (changes?: Record<string, unknown>) => Promise<Tokens>
}

export interface Tokens {
  access: string
  refresh: string
  access_expiration: string
  refresh_expiration: string
  user: Record<string, unknown> & { pk: string, email: string }
}

export interface BuildOptions {
  /** Options of the plugin, on top of the article's. */
  options?: object
  internals?: Internals
  server?: FastifyServerOptions
  /** Runs before the plugin is registered. */
  before?: (app: FastifyInstance) => unknown
  /** Runs after the plugin is registered. */
  after?: (app: FastifyInstance) => unknown
  /** A database that is already open, to share it. */
  database?: unknown
  /** For stories that look into the state of one process: also with INSTANCES there is one app. */
  instances?: 1
}
export type Build = (t: Test, options?: BuildOptions) => Promise<BuiltApp>

/** For rules that do not depend on the database. */
export const sqliteBuild: Build = (t, options) => createBuild(sqlite)(t, options)
export const postgresBuild: Build = (t, options) => createBuild(postgres)(t, options)
/** As a story gets it: INSTANCES apps share the database, and requests go to each in turn, as behind a proxy. */
export const storyBuild = (tested: TestedDatabase): Build => createBuild(tested, Number(process.env.INSTANCES ?? 1))

const createBuild = (tested: TestedDatabase, instances = 1): Build => async (t, given = {}) => {
  const count = given.instances ?? instances
  const { database: opened, close } = given.database
    ? { database: given.database, close: async () => {} }
    : await tested.open()
  const database = count > 1 && opened === ':memory:' ? temporaryFile(t) : opened
  const logs: string[] = []
  const stream = new Writable({ write (chunk, _encoding, done) { logs.push(String(chunk)); done() } })
  const apps: FastifyInstance[] = []
  const { kit, internals } = assembleKit({ now: new Date('2026-11-23T12:00:00.000Z') })
  const mailServer = await startMailServer()
  t.teardown(async () => {
    for (const app of apps) await app.close()
    await mailServer.close()
    await close()
  })
  // With the kit's own, mails would not go over SMTP, and hashes would have its tag.
  const replaced = { ...internals, hashCost: cheapHash, transport: undefined, ...given.internals }
  while (apps.length < count) {
    const app = Fastify({ logger: { level: 'trace', stream }, ...patient, ...given.server })
    apps.push(app)
    await startApp(app, { ...given, internals: replaced }, { database, transport: mailServer.url })
  }

  const [app] = apps as [FastifyInstance]
  const secrets = new Set<string>()
  let seen = 0
  const call = createCall(apps, createResponseChecks(t, { app, logs, secrets }))
  return { app, clock: kit.clock, as: kit.as, database, logs, mailServer, mails, ...createShortcuts(call) }

  async function mails () {
    for (const { restAuth } of apps) await restAuth.mail.flush()
    // In the order of their queueing, which their IDs have: a busy machine may deliver a later one first.
    const added = mailServer.mails.splice(seen).sort((a, b) => a.messageId < b.messageId ? -1 : 1)
    seen = mailServer.mails.push(...added)
    for (const { text } of mailServer.mails) for (const [token] of text.matchAll(/[\w-]{43}/g)) secrets.add(token)
    return mailServer.mails
  }
}

interface StartOptions {
  database: unknown
  /** The URL of the mail server. */
  transport: string
}

async function startApp (
  app: FastifyInstance, { options = {}, internals, before, after }: BuildOptions,
  { database, transport }: StartOptions
): Promise<void> {
  await before?.(app)
  // Tests pass wrong options too, so `options` has no narrower type.
  const mail = { transport, ...(options as { mail?: object }).mail }
  const given = { ...articleOptions, secret, database, migrate: true, docs: false, limits: false, ...options, mail }
  await app.register(fp(createPlugin(internals)), await withUsersTable(given))
  await after?.(app)
  await app.ready()
}

/** `app.inject` below the prefix of the plugin, to each app in turn, with every response checked. */
function createCall (apps: FastifyInstance[], check: ReturnType<typeof createResponseChecks>): BuiltApp['call'] {
  let calls = 0
  return async (method, path, { body, form, token, headers, fault = false, payload } = {}) => {
    const sent = payload ?? (form ? new URLSearchParams(form).toString() : body)
    const app = apps[calls++ % apps.length] as FastifyInstance
    const answer = await app.inject({
      method,
      url: path.startsWith('/auth') || path.startsWith('//') ? path : `/auth${path}`,
      headers: {
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(payload !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers
      },
      // Bodies of the wrong type are tested too; inject takes any JSON value.
      ...(sent !== undefined && { payload: sent as object })
    })
    check(method, answer, body ?? form, fault)
    return answer
  }
}

function createShortcuts (call: BuiltApp['call']) {
  const get: BuiltApp['get'] = async (path, rest) => await call('GET', path, rest)
  const withBody = (method: 'POST' | 'PUT' | 'PATCH'): BuiltApp['post'] => async (path, body, rest) =>
    await call(method, path, { ...(body !== undefined && { body }), ...rest })
  const post = withBody('POST')
  async function register (changes?: Record<string, unknown>): Promise<Tokens> {
    const answer = await post('/registration', { ...alice, ...changes })
    if (answer.statusCode !== 201) throw new Error(`registration failed: ${answer.body}`)
    return answer.json()
  }
  return { call, get, post, put: withBody('PUT'), patch: withBody('PATCH'), register }
}

/** The Cookie header that a browser would send after an answer. */
export const cookiesOf = ({ cookies }: LightMyRequestResponse): string =>
  cookies.map(({ name, value }) => `${name}=${value}`).join('; ')

/** The error codes of an answer by field: `{ email: ['email_taken'] }`. */
export function fieldCodes (answer: LightMyRequestResponse): Record<string, string[]> {
  const codes: Record<string, string[]> = {}
  for (const { field, code } of answer.json().errors ?? []) (codes[field] ??= []).push(code)
  return codes
}
