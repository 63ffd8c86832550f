import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import fastifySwagger from '@fastify/swagger'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { errors, securitySchemes, type Code } from 'fastify-rest-auth/schemas'
import { parse } from 'yaml'
import { auth, buildApp, providersOf } from '../examples/article/app.js'
import { openapiFile, openapiYaml, social } from '../scripts/openapi.js'
import { createPlugin } from '../src/plugin.js'
import {
  articleOptions, cheapHash, patient, secret, sqliteBuild, t, type BuildOptions, type Test
} from './support/build.js'

interface Schema {
  $ref?: string
  description?: string
  type?: string | string[]
  properties?: Record<string, Schema>
  items?: Schema
  allOf?: Schema[]
  enum?: string[]
  const?: unknown
  format?: string
  maxLength?: number
  examples?: unknown[]
}
interface Media { schema: Schema, example?: unknown, examples?: Record<string, { value: Record<string, unknown> }> }
interface Operation {
  operationId: string
  summary: string
  tags: string[]
  security: object[]
  description?: string
  parameters?: Array<{ name: string, in: string, description?: string }>
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { description: string, headers?: object, content: Record<string, Media> }>
}
interface Document {
  info: object
  servers: { url: string }[]
  tags: { name: string, description: string }[]
  components: { schemas: Record<string, Schema>, securitySchemes: Record<string, unknown> }
  paths: Record<string, Record<string, Operation>>
}

const root = resolve(import.meta.dirname, '..')
const likeTheArticle = { account: auth.account, urls: auth.urls, social, limits: {}, audit: true }
const article: Document = parse(readFileSync(openapiFile, 'utf8'))

/** Everything that an option can bring into the document. */
const everything = {
  limits: {},
  audit: true,
  social: { google: { clientId: 'x', clientSecret: 'y' } },
  account: { username: 'optional', usernameMinLength: 3, loginMethods: ['email', 'username'] },
  userFields: {
    nickname: { schema: Type.String({ minLength: 2, pattern: '^[a-z]+$', examples: ['al'] }), unique: true },
    colour: { schema: Type.Union([Type.Literal('red'), Type.Literal('blue')]) },
    motto: { schema: Type.String() },
    age: { schema: Type.Optional(Type.Integer({ minimum: 16, maximum: 150 })) },
    height: { schema: Type.Number({ exclusiveMinimum: 0, examples: [1.7] }), registration: 'hidden' },
    newsletter: { schema: Type.Boolean(), registration: 'optional' },
    tags: {
      schema: Type.Array(Type.String({ maxLength: 20 }), { maxItems: 5, examples: [['red']] }),
      userDetails: 'read-only'
    },
    address: {
      schema: Type.Object({ street: Type.String({ maxLength: 100 }) }, { examples: [{ street: 'Elm Street' }] }),
      userDetails: 'hidden'
    }
  }
}

async function documentOf (t: Test, options: BuildOptions): Promise<Document> {
  const { app } = await sqliteBuild(t, options)
  return app.restAuth.openapi() as unknown as Document
}

const operationsOf = ({ paths }: Document) => Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ ...operation, name: `${method.toUpperCase()} ${path}` })))
/** The error responses with a code: not the HTML of pages, which has none. */
const failuresOf = ({ responses }: Operation) =>
  Object.entries(responses).filter(([status]) => Number(status) >= 400).flatMap(([status, response]) => {
    const { content: { 'text/html': page, ...content }, ...rest } = response
    if (page && Object.keys(content).length === 0) return []
    const description = page ? rest.description.split(' Or a problem document: ').at(-1) : rest.description
    return [[status, { ...rest, content, description }] as const]
  })
/** The component that a reference names. */
const follow = ({ components }: Document, { $ref = '' }: Schema = {}): Schema =>
  components.schemas[$ref.replace('#/components/schemas/', '')] ?? {}
const bodyOf = (document: Document, { requestBody }: Operation): Schema | undefined =>
  requestBody && follow(document, requestBody.content['application/json']?.schema)
/** What a failure says of itself, beyond what all of them have. */
const own = (document: Document, { schema }: Media): Record<string, Schema> => follow(document, schema).properties ?? {}
const fieldCodesOf = (document: Document, media: Media): string[] =>
  follow(document, own(document, media).errors?.items).properties?.code?.enum ?? []

const run = promisify(execFile)

interface Report {
  problems: { ruleId: string, message: string, location: { source: { ref: string }, pointer: string }[] }[]
}

/** Redocly's errors and warnings; `[]` if there are none. */
async function complaints (t: Test, documents: Record<string, unknown>): Promise<string[]> {
  const folder = t.testdir(
    Object.fromEntries(Object.entries(documents).map(([name, document]) => [`${name}.json`, JSON.stringify(document)]))
  )
  const files = Object.keys(documents).map(name => join(folder, `${name}.json`))
  const { stdout } = await run(join(root, 'node_modules/.bin/redocly'), ['lint', '--format=json', ...files], {
    cwd: root, env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }, maxBuffer: 1e8
  }).catch((error: { stdout: string }) => error)
  // Redocly prints one report after the other.
  const reports = stdout.split(/(?<=^\})(?=\{)/m)
  t.equal(reports.length, files.length, 'each document was read')
  const problems = reports.flatMap(report => (JSON.parse(report) as Report).problems)
  return problems.map(({ ruleId, message, location: [place] }) =>
    `${ruleId} ${place?.source.ref.split('/').pop()}${place?.pointer}: ${message}`)
}

/** Registers the host's own document, which keeps the names of components. */
const hostSwagger = (openapi: object = {}, more: object = {}) => async (app: FastifyInstance) => {
  const options: object = {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'The app', version: '1', license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: 'https://app.example' }],
      ...openapi
    },
    refResolver: {
      buildLocalReference: (json: { $id?: string }, _base: unknown, _fragment: unknown, index: number) =>
        json.$id ?? `def-${index}`
    },
    ...more
  }
  await app.register(fastifySwagger, options)
}

const second = (prefix: string) => async (app: FastifyInstance) => {
  const options: object = { ...articleOptions, ...likeTheArticle, prefix, secret, database: ':memory:', docs: false }
  await app.register(fp(createPlugin({ hashCost: cheapHash })), options)
}

t.test("openapi.yaml is up to date with the article's example (npm run openapi)", async t => {
  t.equal(readFileSync(openapiFile, 'utf8'), await openapiYaml())
})

t.test('every document passes the strict linter, with every set of options', async t => {
  t.same(await complaints(t, {
    article,
    drf: await documentOf(t, { options: { errors: 'drf' } }),
    everything: await documentOf(t, { options: everything }),
    everythingDrf: await documentOf(t, { options: { ...everything, errors: 'drf' } }),
    defaults: await documentOf(t, { options: { account: {}, userFields: undefined } }),
    host: await documentOf(t, { before: hostSwagger() }),
    two: await documentOf(t, { before: hostSwagger(), after: second('/staff') })
  }), [])
})

t.test('an operation has a unique ID, a summary, one tag and its security requirements', async t => {
  t.match(article.servers, [{ url: /^http/ }])
  t.match(article.info, { contact: { name: 'Example', url: 'http://localhost:3000' } })
  const tags = article.tags.map(({ name }) => name)
  const operations = operationsOf(article)
  t.equal(
    new Set(operations.map(({ operationId }) => operationId)).size, operations.length, 'each has its own ID'
  )
  for (const { name, operationId, summary, tags: [tag, ...others], security, responses } of operations) {
    t.match(operationId, /^[a-z][A-Za-z]+$/, name)
    t.match(summary, /^[A-Z].{3,60}[^.]$/, name)
    t.ok(
      tag !== undefined && tags.includes(tag) && others.length === 0, `${name}: one tag, which the document explains`
    )
    // A logout can take its token from the header or the body; the other two take it from the body only.
    const expected =
      '401' in responses && !['refreshToken', 'verifyToken'].includes(operationId)
        ? [{ bearer: [] }]
        : operationId === 'logout'
          ? [{ bearer: [] }, {}]
          : []
    t.same(security, expected, `${name}: a token is required if 401 is documented`)
  }
  t.same(article.components.securitySchemes, securitySchemes({}))
})

t.test('every operation and every parameter is described', async t => {
  const document = await documentOf(t, { options: everything })
  for (const { name, summary, description = '', parameters = [] } of operationsOf(document)) {
    t.match(description, /^[A-Z`].{10,}\.$/s, name)
    t.not(description, summary)
    t.same(parameters.filter(({ description = '' }) => !/^[A-Z].{5,}\.$/.test(description)), [], name)
    const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)
    t.same(parameters.filter(one => one.in === 'path').map(({ name }) => name), inPath)
  }
})

for (const shape of ['problem', 'drf']) {
  t.test(`bodies and error responses are named components (${shape})`, async t => {
    const document = await documentOf(t, { options: { ...everything, errors: shape } })
    for (const { name, requestBody, responses } of operationsOf(document)) {
      if (requestBody) {
        t.match(requestBody.content['application/json']?.schema, { $ref: /Auth\w+Request$/ }, name)
      }
      for (const [status, { content = {} }] of Object.entries(responses)) {
        const { 'text/html': page, ...media } = content
        if (Number(status) >= 400 && !page) t.same(Object.keys(media).length, 1, `${name} → ${status}`)
        if (Number(status) < 400) continue
        for (const { schema } of Object.values(media)) t.same(Object.keys(schema), ['$ref'], `${name} → ${status}`)
      }
    }
  })
}

t.test('each operation has one success response, described, with a named or detailed schema', async t => {
  for (const { name, responses } of operationsOf(article)) {
    const good = Object.entries(responses).filter(([status]) => Number(status) < 300).map(([, answer]) => answer)
    t.equal(good.length, 1, name)
    t.notMatch(good[0]?.description, /Default Response/, name)
    const { content } = good[0] ?? {}
    const { $ref, properties, items } = content?.['application/json']?.schema ?? {}
    t.ok(responses[204] ?? $ref ?? properties ?? items?.$ref ?? content?.['text/html'], name)
  }
})

for (const [name, options] of Object.entries({ 'the article': {}, 'an app with every option': everything })) {
  t.test(`in ${name}, every body field has an example, and every string is bounded`, async t => {
    const document = await documentOf(t, { options })
    for (const operation of operationsOf(document)) {
      for (const [field, schema] of Object.entries(bodyOf(document, operation)?.properties ?? {})) {
        t.ok(schema.examples?.length, `${operation.name} ${field} has an example`)
        for (const text of stringsOf(schema)) {
          t.ok(text.maxLength !== undefined || text.enum, `${operation.name} ${field} is bounded`)
        }
      }
    }
  })

  t.test(`in ${name}, requests with the documented examples succeed`, async t => {
    const { app, call } = await sqliteBuild(t, { options })
    const document = app.restAuth.openapi() as unknown as Document
    const examples = (operationId: string) => {
      const operation = operationsOf(document).find(operation => operation.operationId === operationId)
      return operation && bodyOf(document, operation)?.examples?.[0]
    }
    const registered = await call('POST', '/registration', { body: examples('register') })
    t.equal(registered.statusCode, 201, registered.body)
    const answer = await call('POST', '/login', { body: examples('login') })
    t.equal(answer.statusCode, 200, answer.body)
    const { access: token } = answer.json()
    t.equal((await call('PATCH', '/user', { body: examples('updateUser'), token })).statusCode, 200)
    t.equal((await call('PUT', '/user', { body: examples('replaceUser'), token })).statusCode, 200)
    const changed = await call('POST', '/password/change', { body: examples('changePassword'), token })
    t.equal(changed.statusCode, 200, changed.body)
    t.equal((await call('POST', '/logout', { body: examples('logout'), token })).statusCode, 200)
  })
}

function stringsOf (schema: Schema): Schema[] {
  return [
    ...([schema.type].flat().includes('string') ? [schema] : []),
    ...Object.values(schema.properties ?? {}).flatMap(stringsOf), ...(schema.items ? stringsOf(schema.items) : [])
  ]
}

t.test('every error response lists its codes, with an example of each', async t => {
  const document = await documentOf(t, { options: everything })
  for (const operation of operationsOf(document)) {
    for (const [status, { description, headers = {}, content }] of failuresOf(operation)) {
      const where = `${operation.name} → ${status}`
      t.same(Object.keys(content), ['application/problem+json'], where)
      const media = content['application/problem+json'] as Media
      const codes = own(document, media).code?.enum ?? []
      t.ok(codes.length > 0, where)
      const misplaced = codes.filter(code => String(errors[code as Code].status) !== status)
      t.same(misplaced, [], `${where}: the status of each code`)
      t.equal(description, codes.map(code => `\`${code}\``).join(', '), where)
      t.same(Object.keys(media.examples ?? {}), codes, where)
      for (const { value } of Object.values(media.examples ?? {})) t.notMatch(String(value.detail), /[{}]/, where)
      if (status === '401') t.same(Object.keys(headers), ['WWW-Authenticate'])
      if (status === '503') t.same(Object.keys(headers), ['Retry-After'])
    }
  }
})

t.test('every code of the error table is documented on a route that returns it', async t => {
  const documented = new Set<string>()
  const options = [everything, { ...everything, account: { emailVerification: 'mandatory' }, tokens: { cookies: {} } }]
  const documents = await Promise.all(options.map(options => documentOf(t, { options })))
  for (const document of documents) {
    for (const [, { content }] of operationsOf(document).flatMap(failuresOf)) {
      const media = content['application/problem+json'] as Media
      const { code } = own(document, media)
      for (const one of [...(code?.enum ?? []), ...fieldCodesOf(document, media)]) documented.add(one)
    }
  }
  // The 405 of an unknown method is not documented, and pages show these errors as text.
  const elsewhere = ['method_not_allowed', 'provider_denied', 'next_not_allowed']
  t.same([...documented].sort(), Object.keys(errors).filter(code => !elsewhere.includes(code)).sort())
})

t.test('social login is documented for the configured providers only', async t => {
  const isSocial = ({ tags: [tag] }: Operation) => tag === 'Social'
  const operations = operationsOf(article).filter(isSocial)
  const each = (name: string) => [
    `socialLogin${name}`, `startSocialLogin${name}`, `socialCallback${name}`, `connect${name}`
  ]
  t.same(
    operations.map(({ operationId }) => operationId).sort(),
    ['listSocialAccounts', 'disconnectSocialAccount', ...each('Google'), ...each('Github')].sort()
  )
  const app = await buildApp({ database: ':memory:', secret, social: providersOf({}) }, patient)
  t.teardown(() => app.close())
  await app.ready()
  const without = app.restAuth.openapi() as unknown as Document
  t.same(operationsOf(without).filter(isSocial), [])
  t.notOk(without.tags.some(({ name }) => name === 'Social'))
  t.notMatch(JSON.stringify(without), /google|AuthSocial/i)
})

t.test('a page is documented as HTML, and a redirect with its Location header', async t => {
  const start = article.paths['/auth/google/login']?.get
  t.match(start?.parameters, [{ in: 'query', name: 'next', required: false }])
  for (const [status, { content, headers }] of Object.entries(start?.responses ?? {})) {
    t.equal(content === undefined, status === '303', status)
    t.same(
      status === '303' ? Object.keys(headers ?? {}) : Object.keys(content).slice(0, 1),
      [status === '303' ? 'Location' : 'text/html'], status
    )
  }
  t.same(Object.keys(start?.responses ?? {}), ['200', '303', '400', '429', '500', '502', '503'])
})

t.test('a field code is listed only on routes with a field that can have it', async t => {
  const fieldCodes = (document: Document, operationId: string) => {
    const operation = operationsOf(document).find(operation => operation.operationId === operationId)
    const media = operation?.responses['400']?.content['application/problem+json']
    return media ? fieldCodesOf(document, media) : []
  }
  t.same(fieldCodes(article, 'updateUser'), [
    'null', 'blank', 'invalid_type', 'invalid_choice', 'max_length', 'null_characters_not_allowed',
    'surrogate_characters_not_allowed', 'value_not_allowed'
  ])
  t.notOk(fieldCodes(article, 'register').includes('username_taken'), 'the app has no usernames')
  t.same(fieldCodes(article, 'getUser'), [], 'there is no body')
})

t.test("in Django REST framework's shape, errors are JSON and the token codes are listed", async t => {
  const document = await documentOf(t, { options: { errors: 'drf' } })
  for (const operation of operationsOf(document)) {
    for (const [status, { content }] of failuresOf(operation)) {
      t.same(Object.keys(content), ['application/json'], `${operation.name} → ${status}`)
    }
  }
  const { properties } = follow(
    document, document.paths['/auth/user']?.get?.responses['401']?.content['application/json']?.schema
  )
  t.same(properties?.code?.enum, ['bad_authorization_header', 'user_not_found', 'user_inactive', 'token_not_valid'])
})

t.test("the host's own document gets the routes, with their security scheme and tags", async t => {
  const { paths } = await documentOf(t, {})
  const mine = { type: 'http', scheme: 'bearer', description: 'The app\'s own.' }
  for (const [openapi, scheme] of [
    [{}, securitySchemes({}).bearer],
    [{ components: { securitySchemes: securitySchemes({}) } }, securitySchemes({}).bearer],
    [
      { components: { securitySchemes: { bearer: mine } }, tags: [{ name: 'Session', description: "The app's own." }] },
      mine
    ]
  ] as const) {
    const document = await documentOf(t, { before: hostSwagger(openapi) })
    t.same(document.components.securitySchemes, { bearer: scheme })
    t.same(document.tags.map(({ name }) => name).sort(), ['Account', 'Password', 'Session', 'User'])
    t.same(
      JSON.parse(JSON.stringify(document.paths).replaceAll('"required":true', '"required":false')),
      JSON.parse(JSON.stringify(paths).replaceAll('"required":true', '"required":false')),
      'the routes are documented as in the own document, except for optional bodies'
    )
  }
})

t.test("the host's transform sees the routes, and a Swagger 2.0 document can contain them", async t => {
  const { app } = await sqliteBuild(t, {
    options: likeTheArticle,
    before: hostSwagger({}, {
      transform: ({ schema, url }: { schema: object, url: string }) => ({ schema, url: `/v1${url}` })
    })
  })
  t.same(Object.keys(app.swagger().paths ?? {}), Object.keys(article.paths).map(path => `/v1${path}`))
  const old = Fastify(patient)
  t.teardown(() => old.close())
  await old.register(fastifySwagger, { swagger: { info: { title: 'Old', version: '1' } } })
  await second('/auth')(old)
  await old.ready()
  t.same(Object.keys(old.swagger().paths ?? {}), Object.keys(article.paths))
})

for (const [name, options] of Object.entries<BuildOptions>({
  'beside each other': { before: hostSwagger(), after: second('/staff') },
  'in scopes of their own': {
    before: async app => {
      await hostSwagger()(app)
      await app.register(async scope => await second('/staff')(scope), { prefix: '/v1' })
    }
  }
})) {
  t.test(`two registrations ${name} share a document without sharing a name`, async t => {
    const { app } = await sqliteBuild(t, { ...options, options: likeTheArticle })
    const document = app.swagger() as unknown as Document
    const operations = operationsOf(document)
    t.equal(operations.length, 2 * operationsOf(article).length)
    t.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
    t.same(Object.keys(document.components.schemas).length, 2 * Object.keys(article.components.schemas).length)
    const references = (path: string) =>
      [...JSON.stringify(document.paths[path]).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name)
    const [first = '', other = ''] = Object.keys(document.paths).filter(path => path.endsWith('/registration'))
    t.same(references(first).filter(name => references(other).includes(name)), [])
  })
}

t.test('the contract needs no server: its files import only TypeBox and each other', async t => {
  const files = readdirSync(join(root, 'schemas'), { recursive: true, encoding: 'utf8' })
  for (const file of files.filter(name => name.endsWith('.ts'))) {
    const source = readFileSync(join(root, 'schemas', file), 'utf8')
    const imports = [...source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name = '']) => name)
    const isOwn = (name: string) => name.startsWith('.') && join('schemas', dirname(file), name).startsWith('schemas/')
    t.same(imports.filter(name => name !== '@sinclair/typebox' && !isOwn(name)), [], file)
    t.notMatch(source, /\b(?:process|Buffer|require)\b[.(]/, file)
  }
})
