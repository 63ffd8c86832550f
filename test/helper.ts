/**
 * What every test stands on: `story()` runs it on both databases, `build(t)` gives an app that closes itself,
 * and every answer of every test is held against the route's own declaration.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import addFormatsModule from 'ajv-formats'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import Fastify, {
  type FastifyInstance, type FastifyServerOptions, type InjectOptions, type LightMyRequestResponse
} from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import { createPlugin, type Internals } from '../src/plugin.js'
import { startMailServer, type CaughtMail, type MailServer } from './mail-server.js'

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

export interface OpenedDatabase {
  database: unknown
  close: () => Promise<void>
}
interface TestedDatabase {
  name: 'SQLite' | 'PostgreSQL' | 'PGlite'
  dialect: 'sqlite' | 'postgres'
  /** A commit of a `durable` one waits for the disk, as in production; for the others that would only take time. */
  open: (durable?: boolean) => Promise<OpenedDatabase>
}

const postgresUrl = process.env.POSTGRES_URL
if (!postgresUrl && process.env.CI) throw new Error('CI must not skip PostgreSQL: set POSTGRES_URL')

export const sqlite: TestedDatabase = {
  name: 'SQLite',
  dialect: 'sqlite',
  open: async () => ({ database: ':memory:', close: async () => {} })
}
/** The real server where POSTGRES_URL names one, else PostgreSQL in WebAssembly. */
export const postgres: TestedDatabase = postgresUrl
  ? { name: 'PostgreSQL', dialect: 'postgres', open: durable => openServerDatabase(postgresUrl, durable) }
  : { name: 'PGlite', dialect: 'postgres', open: openPglite }
export const databases = [sqlite, postgres]

// Creating and dropping one takes a second, so a file keeps those it has, and empties one for each test.
const [created, free]: [string[], string[]] = [[], []]
async function openServerDatabase (url: string, durable = false): Promise<OpenedDatabase> {
  const name = (durable ? undefined : free.pop()) ?? `rest_auth_test_${process.pid}_${created.length + 1}`
  const database = Object.assign(new URL(url), { pathname: `/${name}` }).href
  if (created.includes(name)) {
    // Whoever is still connected is in the way.
    await execute(
      database,
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid();
          DROP SCHEMA public CASCADE; CREATE SCHEMA public`
    )
  } else {
    created.push(name)
    await execute(url, `CREATE DATABASE ${name}`)
    if (!durable) await execute(url, `ALTER DATABASE ${name} SET synchronous_commit = off`)
  }
  return { database, close: async () => { if (!durable) free.push(name) } }
}
t.teardown(async () => {
  for (const name of created) await execute(postgresUrl ?? '', `DROP DATABASE ${name} WITH (FORCE)`)
})

async function execute (url: string, statement: string): Promise<void> {
  const { default: { Client } } = await import('pg')
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}

let pglite: Promise<import('@electric-sql/pglite').PGlite> | undefined
async function openPglite (): Promise<OpenedDatabase> {
  // Starting one takes a second, so a file shares one, emptied for each test.
  pglite ??= import('@electric-sql/pglite').then(({ PGlite }) => PGlite.create())
  const client = await pglite
  await client.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  const { drizzle } = await import('drizzle-orm/pglite')
  return { database: drizzle(client), close: async () => {} }
}
t.teardown(async () => await (await pglite)?.close())

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

// What a test stores must outlast a process, not the machine: in memory no commit waits for the disk.
const shelf = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** A SQLite file that several connections can open, deleted after the test. */
export function temporaryFile (t: Test): string {
  const folder = mkdtempSync(join(shelf, 'rest-auth-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return join(folder, 'auth.sqlite')
}

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
  const oracle = createOracle(t, { app, logs, secrets })
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
    oracle(method, answer, body ?? form, fault)
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

// CommonJS under NodeNext: the function is the module, and its `default`.
const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default

type Operation = { responses: Record<string, { content?: Record<string, { schema: object }> }> }

type Document = { paths: Record<string, Record<string, Operation>> }

const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }))
const documents = new Map<string, (...path: string[]) => ValidateFunction>()

/** The schemas of a document, by where they stand in it. Most apps of a file have the same, and compiling takes longer than a test. */
function readDocument (document: Document): (...path: string[]) => ValidateFunction {
  const text = JSON.stringify(document)
  const known = documents.get(text)
  if (known) return known
  const name = `document-${documents.size}`
  ajv.addSchema(document, name)
  const validators = new Map<string, ValidateFunction>()
  const validatorOf = (...path: string[]): ValidateFunction => {
    const $ref = `${name}#/${path.map(part => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
    const validate = validators.get($ref) ?? ajv.compile({ $ref })
    validators.set($ref, validate)
    return validate
  }
  documents.set(text, validatorOf)
  return validatorOf
}

/** The one judge of every answer: declared, typed, uncached, and without anybody's secret; a token in a cookie is one. */
function createOracle (t: Test, { app, logs, secrets }: { app: FastifyInstance, logs: string[], secrets: Set<string> }) {
  const document = app.restAuth.openapi() as Document
  const validatorOf = readDocument(document)
  const inCookies = new Set<string>()
  t.teardown(() => {
    const text = logs.join('')
    for (const secret of secrets) if (text.includes(secret)) t.fail('a secret stands in the log', { secret })
  })

  return (method: string, answer: LightMyRequestResponse, sent: unknown, fault: boolean): void => {
    const path = new URL(answer.raw.req.url ?? '', 'http://localhost').pathname.replace(/\/$/, '')
    const where = `${method} ${path} → ${answer.statusCode}`
    const problem = (what: string): void => { t.fail(`${where}: ${what}`, { body: answer.body.slice(0, 1000) }) }
    if (answer.statusCode >= 500 && !fault) problem('a 5xx without a fault')
    // Public keys, and nothing else, may be kept.
    const cached =
      answer.statusCode === 200 && path.endsWith('/.well-known/jwks.json') ? 'public, max-age=300' : 'no-store'
    if (answer.headers['cache-control'] !== cached) problem('may be cached')
    if (answer.headers['x-content-type-options'] !== 'nosniff') problem('may be sniffed')
    if (answer.statusCode === 401 && !answer.headers['www-authenticate']) problem('401 without a challenge')
    if (answer.statusCode === 405 && !answer.headers.allow) problem('405 without Allow')
    for (const [key, value] of Object.entries(sent ?? {})) {
      if (!/password/.test(key) || typeof value !== 'string' || value.length < 8) continue
      secrets.add(value)
      if (answer.body.includes(JSON.stringify(value).slice(1, -1))) problem(`tells ${key}`)
    }
    for (const cookie of answer.cookies) {
      if (!cookie.httpOnly || !cookie.sameSite || !cookie.path || cookie.maxAge === undefined) { problem(`the cookie ${cookie.name} is open`) }
      // What is taken back is empty.
      if (cookie.value !== '') inCookies.add(cookie.value)
    }
    for (const token of inCookies) {
      secrets.add(token)
      if (answer.body.includes(token)) problem('tells a token that travels in a cookie')
    }
    if (answer.body === '') return
    const type = String(answer.headers['content-type']).split(';')[0] ?? ''
    const isPage = type === 'text/html'
    if (!isPage && !['application/json', 'application/problem+json'].includes(type)) { return problem(`content type ${type}`) }
    const body = isPage ? judgePage(answer, problem) : answer.json()
    if (typeof body?.access === 'string') for (const token of [body.access, body.refresh]) secrets.add(token)
    if (!isPage && [404, 405].includes(answer.statusCode)) return
    // A method the path does not know is answered as its others are: first, who are you?
    const [template = path, operations = {}] =
      Object.entries(document.paths).find(([known]) => matches(known, path)) ?? []
    // Forms of pages are not documented.
    if (isPage && !operations[method.toLowerCase()]) return
    const known = operations[method.toLowerCase()] ? method.toLowerCase() : Object.keys(operations)[0] ?? ''
    if (!operations[known]?.responses[answer.statusCode]?.content?.[type]) return problem('undeclared')
    if (isPage) return
    const validate = validatorOf(
      'paths',
      template,
      known,
      'responses',
      String(answer.statusCode),
      'content',
      type,
      'schema'
    )
    if (!validate(body)) problem(`not as declared: ${ajv.errorsText(validate.errors)}`)
  }
}

const matches = (template: string, path: string) => new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path)

/** A page runs nothing, fetches nothing, and tells its address, which holds a token, to nobody. */
function judgePage ({ headers, body }: LightMyRequestResponse, problem: (what: string) => void): void {
  if (!/^default-src 'none'; /.test(String(headers['content-security-policy']))) { problem('a page without a strict policy') }
  // To ourselves a page may, whose address holds nothing.
  if (!['no-referrer', 'same-origin'].includes(String(headers['referrer-policy']))) { problem('a page that tells its address') }
  if (/<script|\son\w+=|(src|href)="(?!\/|https?:)/i.test(body)) problem('a page with a script')
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
