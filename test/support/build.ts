/**
 * What every test stands on: `story()` runs it on both databases, and `build(t)` gives an app that closes itself and
 * whose every answer is checked.
 */
import { Writable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import Fastify, {
  type FastifyInstance, type FastifyServerOptions, type InjectOptions, type LightMyRequestResponse
} from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import { createPlugin, type Internals } from '../../src/plugin.js'
import { databases, sqlite, type TestedDatabase } from './databases.js'
import { startMailServer, type CaughtMail, type MailServer } from './mail-server.js'
import { createResponseChecks } from './response-checks.js'

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

/** What makes a child process run TypeScript as this one does, so that coverage stays true; tap's own compiler would compile it again. */
export const loaders = process.execArgv.filter(argument => !/@tapjs\/(typescript|mock)\//.test(argument))

/** A rule, as a sentence, tested on each database. */
export function story (title: string, tell: (t: Test, build: Build, database: TestedDatabase) => Promise<void>): void {
  for (const database of databases) {
    void t.test(`${title} (${database.name})`, async t => await tell(t, createBuild(database), database))
  }
}

export interface Clock {
  now: Date
  /** Seconds. */
  advance: (seconds: number) => void
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
  app: FastifyInstance
  clock: Clock
  database: unknown
  logs: string[]
  call: (
    method: NonNullable<InjectOptions['method']>,
    path: string,
    options?: CallOptions
  ) => Promise<LightMyRequestResponse>
  get: (path: string, options?: CallOptions) => Promise<LightMyRequestResponse>
  post: (path: string, body?: unknown, options?: CallOptions) => Promise<LightMyRequestResponse>
  patch: (path: string, body?: unknown, options?: CallOptions) => Promise<LightMyRequestResponse>
  put: (path: string, body?: unknown, options?: CallOptions) => Promise<LightMyRequestResponse>
  /** A real SMTP server, where every mail of the app goes. */
  mailServer: MailServer
  /** The mails that have arrived, after whatever was due was sent. */
  mails: () => Promise<CaughtMail[]>
  /** Registers alice, with changes; answers with her tokens and user. */
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
  /** Options of the plugin, instead of the article's. */
  options?: object
  internals?: Internals
  server?: FastifyServerOptions
  /** What the host does before it registers the plugin. */
  before?: (app: FastifyInstance) => unknown
  /** What the host does after. */
  after?: (app: FastifyInstance) => unknown
  /** A database that is already open, to share it. */
  database?: unknown
}
export type Build = (t: Test, options?: BuildOptions) => Promise<BuiltApp>

/** Cheap enough for hundreds of tests; the real cost is tested once, in passwords.test.ts. */
export const cheapHash = { memoryCost: 256, timeCost: 1, parallelism: 1 }

/** For what no database can change. */
export const sqliteBuild: Build = (t, options) => createBuild(sqlite)(t, options)

const createBuild = (tested: TestedDatabase): Build => async (t, { options = {}, internals = {}, server = {}, before, after, database: given } = {}) => {
  const { database, close } = given ? { database: given, close: async () => {} } : await tested.open()
  const logs: string[] = []
  const stream = new Writable({ write (chunk, _encoding, done) { logs.push(String(chunk)); done() } })
  const app = Fastify({ logger: { level: 'trace', stream }, ...server })
  const clock: Clock = {
    now: new Date('2026-11-23T12:00:00.000Z'),
    advance: seconds => {
      clock.now = new Date(clock.now.getTime() + seconds * 1000)
    }
  }
  const mailServer = await startMailServer()
  t.teardown(async () => {
    await app.close()
    await mailServer.close()
    await close()
  })
  await before?.(app)
  const pluginOptions = {
    ...articleOptions,
    secret,
    database,
    migrate: true,
    docs: false,
    ...options,
    mail: { transport: mailServer.url, ...(options as { mail?: object }).mail }
  }
  await app.register(fp(createPlugin({ clock: () => clock.now, hashCost: cheapHash, ...internals })), pluginOptions)
  await after?.(app)
  await app.ready()

  const secrets = new Set<string>()
  const checkResponse = createResponseChecks(t, { app, logs, secrets })
  const call: BuiltApp['call'] = async (method, path, { body, form, token, headers = {}, fault = false, payload } = {}) => {
    const answer = await app.inject({
      method,
      url: path.startsWith('/auth') || path.startsWith('//') ? path : `/auth${path}`,
      headers: {
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(payload !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers
      },
      ...(payload !== undefined
        ? { payload }
        : form
          ? { payload: new URLSearchParams(form).toString() }
          : body !== undefined
            ? { payload: body as object }
            : {})
    })
    checkResponse(method, answer, body ?? form, fault)
    return answer
  }
  const withBody = (method: 'POST' | 'PUT' | 'PATCH') => (path: string, body?: unknown, rest?: CallOptions) =>
    call(method, path, { ...(body !== undefined && { body }), ...rest })
  const post = withBody('POST')
  return {
    app,
    clock,
    database,
    logs,
    call,
    get: (path, rest) => call('GET', path, rest),
    post,
    patch: withBody('PATCH'),
    mailServer,
    mails: async () => {
      await app.restAuth.mail.flush()
      for (const { text } of mailServer.mails) for (const [token] of text.matchAll(/[\w-]{43}/g)) secrets.add(token)
      return mailServer.mails
    },
    put: withBody('PUT'),
    register: async changes => {
      const answer = await post('/registration', { ...alice, ...changes })
      if (answer.statusCode !== 201) throw new Error(`registration failed: ${answer.body}`)
      return answer.json()
    }
  }
}

/** The Cookie header that a browser would send after an answer. */
export const cookiesOf = ({ cookies }: LightMyRequestResponse): string =>
  cookies.map(({ name, value }) => `${name}=${value}`).join('; ')

/** The codes of an answer's fields: `{ email: ['email_taken'] }`. */
export function fieldCodes (answer: LightMyRequestResponse): Record<string, string[]> {
  const codes: Record<string, string[]> = {}
  for (const { field, code } of answer.json().errors ?? []) (codes[field] ??= []).push(code)
  return codes
}
