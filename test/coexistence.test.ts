/** The plugin in an app with its own plugins, hooks, schemas, scopes and database, and beside other registrations. */
import { execFile } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import fastifyCookie from '@fastify/cookie'
import fastifyJwt from '@fastify/jwt'
import fastifyOauth2, { type OAuth2Namespace } from '@fastify/oauth2'
import fastifySwagger from '@fastify/swagger'
import { Type } from '@sinclair/typebox'
import BetterSqlite3 from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import { BetterSQLite3Database, drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3'
import { drizzle as drizzlePostgres, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { pgTable, text as pgText } from 'drizzle-orm/pg-core'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import Fastify, { type FastifyInstance, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import fp from 'fastify-plugin'
import * as postgresTables from 'fastify-rest-auth/drizzle/postgres'
import * as sqliteTables from 'fastify-rest-auth/drizzle/sqlite'
import { Rejection } from '../src/errors/failure.js'
import { createPlugin } from '../src/plugin.js'
import type { User } from '../src/types.js'
import { startBadProvider } from './support/hostile-provider.js'
import {
  alice, articleOptions, cheapHash, loaders, password, patient, secret, story, t, type Test
} from './support/build.js'
import { databases, openPool, postgres, sqlite, type OpenedDatabase } from './support/databases.js'
import { createBrowser } from './support/social-browser.js'

const otherSecret = 'Zr7TqK2wXe9LbVn4MuCy5PaJdGs8HfQt'
const coexisting = fp(createPlugin({ hashCost: cheapHash }))
const options = (changes: object): object =>
  ({ ...articleOptions, secret, migrate: true, docs: false, limits: false, ...changes })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const credentials = { email: alice.email, password }

/** An app without the plugin, and a database for it; both close with the test. */
async function host (t: Test, tested: { open: () => Promise<OpenedDatabase> }, server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  const { database, close } = await tested.open()
  t.teardown(async () => {
    await app.close()
    await close()
  })
  return { app, database }
}

for (const order of ['before', 'after'] as const) {
  story(`the app's own @fastify/jwt, registered ${order}, keeps its own secret`, async (t, build) => {
    const { app, register, get } = await build(t, {
      [order]: async (app: FastifyInstance) => {
        await app.register(fastifyJwt, { secret: otherSecret, sign: { expiresIn: '10m' } })
        const onRequest = async (request: FastifyRequest) => { await request.jwtVerify() }
        app.get('/own', { onRequest }, async request => request.user)
      }
    })
    const { access, user } = await register()
    const own = app.jwt.sign({ role: 'clerk' })
    t.match((await app.inject({ url: '/own', headers: bearer(own) })).json(), { role: 'clerk' })
    t.same((await get('/user', { token: access })).json(), user)
    t.equal(
      (await app.inject({ url: '/own', headers: bearer(access) })).statusCode, 401,
      'our token is refused by the app\'s own verification'
    )
    t.equal((await get('/user', { token: own })).statusCode, 401, 'the app\'s own token is refused by our routes')
    const ours = Object.keys(app.jwt).filter(key => key.startsWith('restAuth'))
    t.same(ours, [], 'our signing keys are out of the app\'s reach')
  })

  story(`the app's own @fastify/cookie works when registered ${order} the plugin`, async (t, build) => {
    const { app, post, get } = await build(t, {
      [order]: async (app: FastifyInstance) => {
        await app.register(fastifyCookie, { secret: otherSecret })
        app.get('/cookies', async (request, reply) => reply.setCookie('seen', 'yes').send(request.cookies))
      }
    })
    const answer = await app.inject({ url: '/cookies', headers: { cookie: 'a=1' } })
    t.same(answer.json(), { a: '1' })
    t.match(answer.headers['set-cookie'], /^seen=yes/)
    const registered = await post('/registration', alice)
    t.equal(registered.headers['set-cookie'], undefined)
    t.equal((await get('/user', { token: registered.json().access })).statusCode, 200)
  })
}

/** A provider, the `social` option that names it, and a browser that can open every route of the app. */
async function withProvider (t: Test) {
  const provider = await startBadProvider(t)
  // The apps of this file have the real clock.
  provider.clock = { now: new Date() }
  const { issuer, clientId, clientSecret } = provider
  return {
    provider,
    social: { company: { issuer, clientId, clientSecret } },
    browse: (app: FastifyInstance) =>
      createBrowser({ call: async (method, url, { headers = {} } = {}) => await app.inject({ method, url, headers }) })
  }
}

for (const order of ['before', 'after'] as const) {
  t.test(`the app's own @fastify/oauth2, registered ${order} the plugin, works beside social login`, async t => {
    const { app } = await host(t, sqlite)
    const { provider, social, browse } = await withProvider(t)
    const ours = async () => await app.register(coexisting, options({ database: ':memory:', social }))
    const theirs = async () => {
      await app.register(fastifyCookie, { secret: otherSecret })
      await app.register(fastifyOauth2, {
        name: 'ownOAuth2',
        credentials: {
          client: { id: 'own', secret: 'own' },
          auth: {
            authorizeHost: provider.url,
            authorizePath: '/authorize',
            tokenHost: provider.url,
            tokenPath: '/token'
          }
        },
        startRedirectPath: '/own/login',
        callbackUri: 'http://localhost:3000/own/callback'
      })
      const { ownOAuth2 } = app as unknown as { ownOAuth2: OAuth2Namespace }
      app.get(
        '/own/callback',
        async request => (await ownOAuth2.getAccessTokenFromAuthorizationCodeFlow(request)).token.access_token
      )
    }
    for (const register of order === 'before' ? [theirs, ours] : [ours, theirs]) await register()
    await app.ready()

    const browser = browse(app)
    const startTheirs = async () =>
      await provider.authorize(String((await browser.open('GET', '/own/login')).headers.location), 'bob')
    const startOurs = async () => await provider.authorize(await browser.start('auth/company'), 'alice')
    const [their, our] = [await startTheirs(), await startOurs()]
    t.equal((await browser.comeBack(our)).json().user.email, 'alice@example.com')
    t.equal((await browser.comeBack(their)).body, 'at-bob')
    t.equal(app.hasDecorator('provider'), false, 'our code exchange is out of the app\'s reach')

    const strayed = async (redirect: string, path: string) =>
      (await browser.comeBack(`http://localhost:3000${path}${new URL(redirect).search}`)).statusCode
    t.equal(await strayed(await startTheirs(), '/auth/company/callback'), 400)
    t.equal(
      await strayed(await startOurs(), '/own/callback'), 500, 'as @fastify/oauth2 answers a state that is not its own'
    )
  })
}

story('the app keeps its own error handler and 404 handler', async (t, build) => {
  const { app, post, get } = await build(t, {
    before: app => {
      app.setErrorHandler((error: Error, _request, reply) => reply.code(418).send({ own: error.message }))
      app.setNotFoundHandler((_request, reply) => reply.code(404).send({ own: 'nothing here' }))
      app.get('/broken', async () => { throw new Error('broken') })
    }
  })
  const broken = await app.inject('/broken')
  t.equal(broken.statusCode, 418)
  t.same(broken.json(), { own: 'broken' })
  t.equal(broken.headers['cache-control'], undefined, 'our headers stay on our routes')
  t.same((await app.inject('/nowhere')).json(), { own: 'nothing here' })
  t.equal((await post('/login', {})).json().code, 'validation_error')
  t.equal((await get('/nowhere')).json().code, 'not_found')
})

for (const errors of ['problem', 'drf'] as const) {
  story(`errors of the app's hooks on our routes reach its error handler (${errors})`, async (t, build) => {
    const { app } = await build(t, {
      options: { errors },
      before: app => {
        app.addHook('onRequest', async request => {
          const status = Number(request.headers['x-throw'])
          if (status) throw Object.assign(new Error('says the app'), { statusCode: status, code: 'OWN_CODE' })
        })
        app.setErrorHandler((error: Error & { statusCode: number }, _request, reply) =>
          reply.code(error.statusCode).send({ own: error.message })
        )
      }
    })
    for (const status of [400, 401, 403, 429, 503]) {
      const answer = await app.inject({
        method: 'POST',
        url: '/auth/login',
        body: credentials,
        headers: { 'x-throw': String(status) }
      })
      t.equal(answer.statusCode, status)
      t.same(answer.json(), { own: 'says the app' })
    }
  })

  story(`errors of the app's hooks on our routes are answered by Fastify by default (${errors})`, async (t, build) => {
    const { app } = await build(t, {
      options: { errors },
      before: app => {
        app.addHook('onRequest', async request => {
          const status = Number(request.headers['x-throw'])
          if (status) throw Object.assign(new Error('says the app'), { statusCode: status, code: 'OWN_CODE' })
        })
      }
    })
    for (const status of [400, 401, 403, 429, 503]) {
      const answer = await app.inject({
        method: 'POST',
        url: '/auth/registration',
        body: alice,
        headers: { 'x-throw': String(status) }
      })
      t.equal(answer.statusCode, status)
      t.match(answer.json(), { code: 'OWN_CODE', message: 'says the app' })
    }
  })
}

for (const order of ['before', 'after'] as const) {
  story(`the app may add schemas with the names of ours ${order} the plugin`, async (t, build) => {
    const names = ['AuthUser', 'AuthTokens', 'AuthProblem', 'User']
    const { app, register, get } = await build(t, {
      [order]: (app: FastifyInstance) => {
        for (const $id of names) app.addSchema({ $id, type: 'object', properties: { own: { type: 'string' } } })
        app.get('/own', { schema: { response: { 200: { $ref: 'AuthUser#' } } } }, async () => ({
          own: 'yes',
          more: 'no'
        }))
      }
    })
    t.same((await app.inject('/own')).json(), { own: 'yes' })
    const { access, user } = await register()
    t.same((await get('/user', { token: access })).json(), user)
    const document = app.restAuth.openapi() as { components: { schemas: Record<string, object> } }
    t.match(document.components.schemas.AuthUser, { properties: { pk: {}, gender: {} } })
    t.notMatch(JSON.stringify(document.components.schemas), '"own"', 'our document has nothing of the app')
  })
}

story('routes of the app keep coercing validation, and ours keep strict validation', async (t, build) => {
  const count = { type: 'object', properties: { count: { type: 'integer' } }, additionalProperties: false }
  const { app, post } = await build(t, {
    before: app => { app.post('/before', { schema: { body: count } }, async request => request.body) },
    after: app => { app.post('/after', { schema: { body: count } }, async request => request.body) }
  })
  for (const url of ['/before', '/after']) {
    t.same(
      (await app.inject({ method: 'POST', url, body: { count: '3', extra: 1 } })).json(), { count: 3 },
      'coerced, and freed from what is unknown'
    )
  }
  const answer = await post('/login', { email: alice.email, password: 12345678 })
  t.same(answer.json().errors.map(({ code }: { code: string }) => code), ['invalid_type'], 'a number is no password')
})

story('the app\'s own compilers, serialisers and error formatters do not affect our routes', async (t, build) => {
  const { register, post, get } = await build(t, {
    before: app => {
      app.setValidatorCompiler(() => () => { throw new Error('validated by the app') })
      app.setSerializerCompiler(() => () => { throw new Error('serialised by the app') })
      app.setSchemaErrorFormatter(() => new Error('formatted by the app'))
      app.setReplySerializer(() => '"replied by the app"')
    }
  })
  const { access, user } = await register()
  t.same(Object.keys(user), ['pk', 'email', 'gender', 'phone_number'])
  t.same((await get('/user', { token: access })).json(), user)
  t.equal((await post('/login', {})).json().code, 'validation_error')
})

story('the app\'s own body parsers do not affect our routes', async (t, build) => {
  const { app, post, call } = await build(t, {
    before: app => {
      app.removeContentTypeParser('application/json')
      app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
        done(null, { own: body })
      )
      app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
        done(null, { form: body })
      )
      app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, { any: body }))
    },
    after: app => { app.post('/echo', async request => request.body) }
  })
  const echo = async (type: string, payload: string) =>
    (await app.inject({ method: 'POST', url: '/echo', headers: { 'content-type': type }, payload })).json()
  t.same(await echo('application/json', '{"a":1}'), { own: '{"a":1}' })
  t.same(await echo('application/x-www-form-urlencoded', 'a=1'), { form: 'a=1' })
  t.same(await echo('text/csv', 'a,b'), { any: 'a,b' })
  t.equal((await post('/registration', alice)).statusCode, 201)
  t.equal((await call('POST', '/login', { form: credentials })).statusCode, 200)
  t.equal((await call('POST', '/login', { payload: 'a,b', headers: { 'content-type': 'text/csv' } })).statusCode, 415)
})

const OwnKind = Symbol('a schema of another library')
const ownSchema = { [OwnKind]: { type: 'object', properties: { body: { type: 'string' } } } }

for (const order of ['before', 'after'] as const) {
  for (const version of ['openapi', 'swagger'] as const) {
    t.test(`a transform of the app that throws at other schemas leaves ours alone (${version}, ${order})`, async t => {
      const { app } = await host(t, sqlite)
      const seen: string[] = []
      const convert = (schema: any) => {
        if (!schema?.[OwnKind]) throw new Error('not a schema of this library')
        return schema[OwnKind]
      }
      await app.register(fastifySwagger, {
        ...(version === 'openapi' ? { openapi: {} } : { swagger: {} }),
        transform: ({ schema, url }: { schema: any, url: string }) => {
          seen.push(url)
          return { url, schema: schema?.hide ? schema : { ...schema, body: convert(schema?.body) } }
        }
      })
      const addOwn = () => {
        app.post('/notes', { schema: { body: ownSchema }, validatorCompiler: () => () => true }, async () => 'written')
      }
      if (order === 'before') addOwn()
      const { provider, social } = await withProvider(t)
      t.ok(provider)
      await app.register(coexisting, options({ database: ':memory:', social, tokens: { cookies: {} } }))
      await app.register(coexisting, options({ database: ':memory:', prefix: '/staff' }))
      if (order === 'after') addOwn()
      await app.ready()
      const { paths } = app.swagger() as { paths: Record<string, any> }
      t.ok(seen.includes('/notes'))
      t.match(JSON.stringify(paths['/notes']), '"body"')
      for (const path of ['/auth/login', '/auth/user', '/auth/company/login', '/staff/login']) t.ok(paths[path], path)
      t.ok(version === 'swagger' || paths['/auth/login'].post.requestBody)
      t.ok((app.restAuth.openapi() as { paths: object }).paths)
    })
  }
}

story('our routes join the document of the app\'s own @fastify/swagger, and /docs is not served', async (t, build) => {
  const { app, register, get } = await build(t, {
    options: { docs: undefined },
    before: async app => {
      await app.register(fastifySwagger, {
        openapi: { openapi: '3.1.0', info: { title: 'The app', version: '1' } },
        refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `def-${index}`) }
      })
      app.addSchema({ $id: 'AuthUser', type: 'object', properties: { own: { type: 'string' } } })
      app.get('/own', { schema: { response: { 200: { $ref: 'AuthUser#' } } } }, async () => ({}))
    }
  })
  const document = app.swagger() as {
    info: object
    paths: Record<string, object>
    components: { schemas: Record<string, object> }
  }
  t.same(document.info, { title: 'The app', version: '1' })
  t.strictSame(Object.keys(document.paths).sort(), [
    '/auth/login', '/auth/logout', '/auth/logout/all', '/auth/password/change', '/auth/password/reset',
    '/auth/password/reset/confirm', '/auth/password/reset/confirm/{uid}/{token}', '/auth/reauthenticate',
    '/auth/registration', '/auth/sessions', '/auth/sessions/{id}', '/auth/token/refresh', '/auth/token/verify',
    '/auth/user', '/own'
  ])
  t.match(
    document.components.schemas.AuthUser, { properties: { own: {} } }, 'a name that the app has taken stays its own'
  )
  t.same(app.restAuth.openapi(), document)
  t.equal((await app.inject('/docs')).statusCode, 404)
  const { access, user } = await register()
  t.same((await get('/user', { token: access })).json(), user, 'held against the document of the app')
})

story('registered in a scope, routes and decorators exist only there, under its prefix', async (t, _build, tested) => {
  const { app, database } = await host(t, tested)
  await app.register(async api => {
    await api.register(coexisting, options({ database, docs: '/docs' }))
    api.get('/me', { onRequest: api.authenticate }, async request => request.user.email)
    t.type(api.restAuth.under('/api/auth'), 'object')
  }, { prefix: '/api' })
  const answer = await app.inject({ method: 'POST', url: '/api/auth/registration', body: alice })
  t.equal(answer.statusCode, 201)
  t.equal((await app.inject({ url: '/api/me', headers: bearer(answer.json().access) })).body, alice.email)
  t.equal((await app.inject({ url: '/api/auth/user/', headers: bearer(answer.json().access) })).statusCode, 200)
  t.equal((await app.inject('/api/auth/nowhere')).json().code, 'not_found')
  t.equal((await app.inject('/auth/user')).statusCode, 404)
  t.ok('/api/auth/login' in (await app.inject('/api/docs/json')).json().paths)
  t.notOk(app.hasDecorator('restAuth'), 'the rest of the app is left alone')
})

const register = (app: FastifyInstance, prefix: string, body: object = alice) =>
  app.inject({ method: 'POST', url: `${prefix}/registration`, body })
const read = (app: FastifyInstance, prefix: string, token: string) =>
  app.inject({ url: `${prefix}/user`, headers: bearer(token) })

/** A database that several registrations share: `:memory:` would be one for each. */
function shared (database: unknown): object {
  const drizzle = database === ':memory:' ? drizzleSqlite({ client: new BetterSqlite3(':memory:') }) : database
  return { ...(typeof drizzle === 'string' ? { url: drizzle } : { drizzle }), share: true }
}

story('a second registration has its own options, found by app.restAuth.under(prefix)', async (t, _build, tested) => {
  const { app, database: given } = await host(t, tested)
  const database = shared(given)
  await app.register(coexisting, options({ database }))
  await app.register(
    coexisting, options({ database, prefix: '/staff', errors: 'drf', account: { registration: 'closed' } })
  )
  await app.ready()
  t.equal((await register(app, '/staff')).statusCode, 403)
  t.same(Object.keys((await app.inject({ method: 'POST', url: '/staff/login', body: {} })).json()), ['password'])
  t.equal((await register(app, '/auth')).statusCode, 201)
  t.equal((await app.restAuth.under('/staff').users.find({ email: alice.email }))?.email, alice.email)
  t.equal(app.restAuth.under('/auth'), app.restAuth)
})

story('two registrations on one database each send only their own mails', async (t, _build, tested) => {
  const { app, database: given } = await host(t, tested)
  const database = shared(given)
  const sent: Record<string, string[]> = { '/auth': [], '/staff': [] }
  for (const prefix of ['/auth', '/staff']) {
    const transport = async ({ text }: { text: string }) => { sent[prefix]?.push(text) }
    await app.register(coexisting, options({ database, prefix, account: {}, mail: { transport } }))
  }
  t.equal((await register(app, '/auth')).statusCode, 201)
  await app.restAuth.under('/staff').mail.flush()
  await app.restAuth.mail.flush()
  t.same(sent['/staff'], [])
  t.match(sent['/auth'], [/\/auth\/registration\/account-confirm-email\//])
})

story('two registrations with one secret and database refuse each other\'s tokens', async (t, _build, tested) => {
  const { app, database: given } = await host(t, tested)
  const database = shared(given)
  await app.register(coexisting, options({ database }))
  await app.register(coexisting, options({ database, prefix: '/staff' }))
  app.get('/me', { onRequest: app.authenticate }, async request => request.user.email)
  app.get(
    '/desk', { onRequest: request => app.restAuth.under('/staff').authenticate(request) },
    async request => request.user.email
  )
  const { access, refresh } = (await register(app, '/auth')).json()
  const staff = (await app.inject({ method: 'POST', url: '/staff/login', body: credentials })).json().access
  t.equal((await read(app, '/auth', access)).statusCode, 200)
  t.equal((await read(app, '/staff', staff)).statusCode, 200)
  t.equal((await read(app, '/staff', access)).statusCode, 401)
  t.equal((await read(app, '/auth', staff)).statusCode, 401)
  t.equal((await app.inject({ url: '/me', headers: bearer(access) })).body, alice.email)
  t.equal((await app.inject({ url: '/me', headers: bearer(staff) })).statusCode, 401)
  t.equal((await app.inject({ url: '/desk', headers: bearer(staff) })).body, alice.email)
  const send = async (path: string, body: object) => (await app.inject({ method: 'POST', url: path, body })).statusCode
  t.equal(await send('/staff/token/refresh', { refresh }), 401)
  t.equal(await send('/staff/token/verify', { token: refresh }), 401)
  t.equal(await send('/staff/logout', { refresh }), 200)
  t.equal(await send('/auth/token/refresh', { refresh }), 200, 'nor was it logged out by the other')
})

story('two registrations with one provider share users, but not started logins', async (t, _build, tested) => {
  const { app, database: given } = await host(t, tested)
  const { provider, social, browse } = await withProvider(t)
  const database = shared(given)
  for (const prefix of ['/auth', '/staff']) await app.register(coexisting, options({ database, prefix, social }))
  await app.ready()
  const browser = browse(app)
  const start = async (prefix: string) =>
    new URL(await provider.authorize(await browser.start(`${prefix}/company`), 'alice'))
  const pks = []
  for (const prefix of ['auth', 'staff']) {
    const redirect = await start(prefix)
    t.equal(redirect.pathname, `/${prefix}/company/callback`)
    const { access, user } = (await browser.comeBack(redirect.href)).json()
    t.equal((await read(app, `/${prefix}`, access)).statusCode, 200)
    pks.push(user.pk)
  }
  t.equal(pks[0], pks[1])
  const { href } = await start('auth')
  t.equal((await browser.comeBack(href.replace('/auth/', '/staff/'))).statusCode, 400)
})

story('two registrations on one connection keep their transactions apart', async (t, _build, tested) => {
  const { app, database: given } = await host(t, tested)
  const database = shared(given)
  // A refused registration rolls back; any other write inside its transaction would be lost.
  const hooks = {
    registered: async ({ email }: { email: string }) => {
      await setImmediate()
      if (email.startsWith('refused')) throw new Rejection('no')
    }
  }
  await app.register(coexisting, options({ database, hooks }))
  await app.register(coexisting, options({ database, hooks, prefix: '/staff' }))
  const answers = await Promise.all(Array.from({ length: 40 }, async (_, index) => {
    const email = `${index % 4 < 2 ? 'refused' : 'kept'}-${index}@example.com`
    const { statusCode } = await register(app, index % 2 === 0 ? '/auth' : '/staff', { ...alice, email })
    return { email, statusCode, found: await app.restAuth.users.find({ email }) !== undefined }
  }))
  for (const { email, ...answer } of answers) {
    t.same(
      answer, email.startsWith('kept') ? { statusCode: 201, found: true } : { statusCode: 400, found: false }, email
    )
  }
})

story('a second registration may have its own database and documentation', async (t, _build, tested) => {
  const { app, database } = await host(t, tested)
  await app.register(coexisting, options({ database, docs: undefined }))
  await app.register(
    coexisting,
    options({
      database: ':memory:',
      prefix: '/staff',
      docs: '/staff/docs',
      userFields: { desk: { schema: Type.Integer() } }
    })
  )
  t.same((await register(app, '/staff', { email: alice.email, password1: password, desk: 3 })).json().user.desk, 3)
  t.equal(await app.restAuth.users.find({ email: alice.email }), undefined)
  t.equal((await register(app, '/auth')).statusCode, 201)
  const paths = async (url: string) => Object.keys((await app.inject(url)).json().paths)
  t.ok((await paths('/docs/json')).every(path => path.startsWith('/auth/')))
  t.ok((await paths('/staff/docs/json')).every(path => path.startsWith('/staff/')))
})

story('a second registration without `docs` leaves /docs to the first', async (t, _build, tested) => {
  const { app, database } = await host(t, tested)
  await app.register(coexisting, options({ database, docs: undefined }))
  await app.register(coexisting, options({ database: ':memory:', prefix: '/staff', docs: undefined }))
  await app.ready()
  const document = (await app.inject('/docs/json')).json()
  t.ok('/auth/login' in document.paths)
  t.equal((await app.inject('/staff/user')).statusCode, 401)
})

story('registrations in two sibling scopes are independent', async (t, _build, tested) => {
  const { app, database } = await host(t, tested)
  for (const [prefix, own] of [['/a', database], ['/b', ':memory:']] as const) {
    await app.register(async scope => {
      await scope.register(coexisting, options({ database: own }))
      scope.get('/me', { onRequest: scope.authenticate }, async request => request.user.email)
    }, { prefix })
  }
  const { access } = (await register(app, '/a/auth')).json()
  t.equal((await app.inject({ url: '/a/me', headers: bearer(access) })).body, alice.email)
  t.equal((await app.inject({ url: '/b/me', headers: bearer(access) })).statusCode, 401)
  t.equal((await register(app, '/b/auth')).statusCode, 201, 'the address is free on the other side')
})

story('a scope with its own registration has its own `authenticate` and `restAuth`', async (t, _build, tested) => {
  const { app, database } = await host(t, tested)
  await app.register(coexisting, options({ database, docs: undefined }))
  await app.register(async admin => {
    await admin.register(coexisting, options({ database: ':memory:', docs: undefined }))
    admin.get('/me', { onRequest: admin.authenticate }, async request => request.user.email)
    t.equal(admin.restAuth, app.restAuth.under('/admin/auth'))
    t.equal(admin.restAuth.under('/auth'), app.restAuth)
  }, { prefix: '/admin' })
  const { access } = (await register(app, '/auth')).json()
  const admin = (await register(app, '/admin/auth')).json().access
  t.equal((await app.inject({ url: '/admin/me', headers: bearer(access) })).statusCode, 401)
  t.equal((await app.inject({ url: '/admin/me', headers: bearer(admin) })).body, alice.email)
  t.ok('/admin/auth/login' in (await app.inject('/admin/docs/json')).json().paths)
})

story('an app with its own `authenticate` decorator can register the plugin in a scope', async (t, _build, tested) => {
  const { app, database } = await host(t, tested)
  const own = async () => {}
  app.decorate('authenticate', own)
  await app.register(async scope => {
    await scope.register(coexisting, options({ database }))
    scope.get('/me', { onRequest: scope.authenticate }, async request => request.user.email)
  })
  app.get('/open', { onRequest: app.authenticate }, async () => 'open')
  const { access } = (await register(app, '/auth')).json()
  t.equal((await app.inject({ url: '/me', headers: bearer(access) })).body, alice.email)
  t.equal((await app.inject('/me')).statusCode, 401)
  t.equal((await app.inject('/open')).body, 'open')
})

t.test('without a scope, an app with its own `authenticate` decorator is refused', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.decorate('authenticate', async () => {})
  const message = /^fastify-rest-auth: the app has another authenticate decorator; register the plugin in a scope: /
  await t.rejects(async () => await app.register(coexisting, options({ database: ':memory:' })), { message })
})

story('hooks that the app adds in onRoute run once a request, also with a trailing slash', async (t, build) => {
  let runs = 0
  const { get, call, register } = await build(t, {
    before: app => {
      app.addHook('onRoute', route => {
        route.preHandler = [route.preHandler ?? [], async () => { runs++ }].flat()
        route.onSend = [route.onSend ?? [], async () => { runs++ }].flat()
      })
    }
  })
  const { access: token } = await register()
  for (const path of ['/user', '/user/']) {
    runs = 0
    t.equal((await get(path, { token })).statusCode, 200)
    t.equal(runs, 2, path)
    runs = 0
    t.equal((await call('DELETE', path, { token })).statusCode, 405)
    t.equal(runs, 1, `405 at ${path}: it is answered before any handler`)
  }
})

for (const server of [
  { ignoreTrailingSlash: true },
  { routerOptions: { ignoreTrailingSlash: true } },
  { routerOptions: { ignoreDuplicateSlashes: true } },
  { routerOptions: { caseSensitive: false } },
  { exposeHeadRoutes: false },
  { trustProxy: true }
]) {
  story(`our routes work in an app with the Fastify options ${JSON.stringify(server)}`, async (t, build) => {
    const { register, get, call } = await build(t, { server })
    const { access, user } = await register()
    t.same((await get('/user', { token: access })).json(), user)
    t.same((await get('/user/', { token: access })).json(), user)
    const refused = await call('DELETE', '/login')
    t.equal(refused.statusCode, 405)
    for (const method of String((await call('OPTIONS', '/user')).headers.allow).split(', ')) {
      t.not((await call(method as 'GET', '/user')).statusCode, 405, `${method} is allowed`)
      t.not((await call(method as 'GET', '/user')).statusCode, 404, `${method} is there`)
    }
  })
}

story('`app.authenticate` guards the app\'s routes, and the app\'s error handling answers', async (t, build) => {
  const { app, register } = await build(t, {
    after: app => {
      app.get('/me', { onRequest: app.authenticate }, async request => ({
        email: request.user.email,
        gender: request.user.gender,
        since: request.user.created_at
      }))
      void app.register(async scope => {
        scope.addHook('onRequest', scope.authenticate)
        scope.get('/inner', async request => request.user.pk)
      })
    }
  })
  const { access, user } = await register()
  t.same((await app.inject({ url: '/me', headers: bearer(access) })).json(), {
    email: user.email,
    gender: 'F',
    since: '2026-11-23T12:00:00.000Z'
  })
  t.equal((await app.inject({ url: '/inner', headers: bearer(access) })).body, user.pk)
  const refused = await app.inject('/me')
  t.equal(refused.statusCode, 401)
  t.match(refused.json(), { statusCode: 401, code: 'not_authenticated', error: 'Unauthorized' })
  t.equal(refused.headers['www-authenticate'], 'Bearer realm="api"')
})

story('`request.user` is null on routes that do not authenticate', async (t, build) => {
  const { app, register } = await build(t, {
    after: async app => {
      const tell = async (request: FastifyRequest) => ({ user: request.user as User | null })
      app.get('/open', tell)
      app.get('/me', { onRequest: app.authenticate }, tell)
      await app.register(async scope => {
        scope.decorateRequest('own', '')
        scope.get('/scoped', tell)
      })
      app.setNotFoundHandler(tell)
    }
  })
  const { access, user } = await register()
  t.match((await app.inject({ url: '/me', headers: bearer(access) })).json(), { user: { pk: user.pk } })
  for (const url of ['/open', '/scoped', '/nowhere']) {
    t.strictSame((await app.inject({ url, headers: bearer(access) })).json(), { user: null }, url)
  }
})

story('the app\'s hooks run once for each request to our routes', async (t, build) => {
  const names = [
    'onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend', 'onResponse'
  ] as const
  const { app, post, get, register } = await build(t, {
    before: app => {
      for (const name of names) {
        app.addHook(name as 'onRequest', async request => {
          count(name, request)
        })
      }
    }
  })
  const ran: string[] = []
  function count (name: string, request: FastifyRequest) {
    ran.push(`${name} ${request.method} ${request.routeOptions.url}`)
  }
  const during = async (request: () => Promise<unknown>) => {
    ran.length = 0
    await request()
    // onResponse runs when the answer has left.
    await setImmediate()
    return ran.map(entry => entry.split(' ')[0])
  }
  const { access } = await register()
  t.same(await during(() => post('/login', credentials)), names)
  t.same(await during(() => get('/user/', { token: access })), names)
  const always = ['onRequest', 'onSend', 'onResponse']
  for (const method of ['DELETE', 'OPTIONS']) {
    t.same(
      (await during(() => app.inject({ method: method as 'DELETE', url: '/auth/login' }))).filter(name =>
        always.includes(String(name))
      ),
      always,
      method
    )
  }
})

story('HEAD answers as GET without a body, and OPTIONS lists the methods', async (t, build) => {
  const { register, call } = await build(t)
  const { access } = await register()
  const head = await call('HEAD', '/user', { token: access })
  t.equal(head.statusCode, 200)
  t.equal(head.body, '')
  t.ok(Number(head.headers['content-length']) > 0)
  t.equal((await call('HEAD', '/user')).statusCode, 401)
  t.equal((await call('HEAD', '/login')).statusCode, 405)
  for (const [path, allow] of [
    ['/user', 'GET, PUT, PATCH, HEAD, OPTIONS'],
    ['/login', 'POST, OPTIONS'],
    ['/login/', 'POST, OPTIONS']
  ] as const) {
    const answer = await call('OPTIONS', path)
    t.equal(answer.statusCode, 204)
    t.equal(answer.headers.allow, allow)
  }
})

story('a CORS preflight that an app\'s hook answers reaches the browser', async (t, build) => {
  const { app } = await build(t, {
    before: app => {
      // As @fastify/cors does.
      app.addHook('onRequest', async (request, reply) => {
        reply.header('access-control-allow-origin', 'https://front.example')
        if (request.method === 'OPTIONS') {
          return await reply.code(204).header('access-control-allow-methods', 'POST').send()
        }
      })
    }
  })
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/auth/login',
    headers: { origin: 'https://front.example', 'access-control-request-method': 'POST' }
  })
  t.equal(preflight.statusCode, 204)
  t.match(preflight.headers, {
    'access-control-allow-origin': 'https://front.example',
    'access-control-allow-methods': 'POST'
  })
  const answer = await app.inject({ method: 'POST', url: '/auth/login', body: {} })
  t.equal(answer.headers['access-control-allow-origin'], 'https://front.example')
})

const files = (folder: string) => readdirSync(folder).sort()

t.test('an app that has closed or failed to start releases its database file', async t => {
  const folder = t.testdir()
  const file = join(folder, 'auth.sqlite')
  const failing = Fastify(patient)
  await t.rejects(
    async () => await failing.register(coexisting, options({ database: file, migrate: false })),
    /migration statements are pending/
  )
  await failing.close()
  t.same(files(folder), ['auth.sqlite'])

  const app = Fastify(patient)
  await app.register(coexisting, options({ database: file }))
  await register(app, '/auth')
  t.ok(files(folder).length > 1, 'SQLite keeps its journal beside the file while it is open')
  await app.close()
  t.same(files(folder), ['auth.sqlite'])
  rmSync(file)
  t.same(files(folder), [])
})

for (const tested of databases.filter(({ name }) => name !== 'PGlite')) {
  t.test(`a process ends by itself once its app has closed (${tested.name})`, async t => {
    const { database, close } = await tested.open()
    t.teardown(close)
    const options = { database, migrate: true, docs: false, account: { emailVerification: 'none' } }
    const program = `
      import Fastify from 'fastify'
      import restAuth from 'fastify-rest-auth'
      const app = Fastify({ pluginTimeout: 0 })
      await app.register(restAuth, ${JSON.stringify(options)})
      const body = { email: 'alice@example.com', password1: '${password}' }
      const answer = await app.inject({ method: 'POST', url: '/auth/registration', body })
      await app.close()
      console.log(answer.statusCode)
    `
    // Compiled as this file is: under another loader the same files would be counted twice, and wrongly, for coverage.
    const compiled = [...loaders, '--input-type=module', '--eval', program]
    // A process that outlives the timeout is killed, and the promise rejects.
    const cwd = join(import.meta.dirname, '..')
    const { stdout } = await promisify(execFile)(process.execPath, compiled, { cwd, timeout: 120_000 })
    t.equal(stdout, '201\n')
  })
}

interface OwnDatabase {
  orm: unknown
  run: (statement: string) => Promise<unknown[]>
}

/** Connections that the app opened itself, one for each driver. */
const drivers: Record<string, (t: Test) => Promise<OwnDatabase>> = {
  'better-sqlite3, a file': async t => ownSqlite(t, join(t.testdir(), 'app.sqlite')),
  'better-sqlite3, in memory': async t => ownSqlite(t, ':memory:'),
  [postgres.name === 'PGlite' ? 'PGlite' : 'node-postgres, a pool']: ownPostgres
}

function ownSqlite (t: Test, file: string): OwnDatabase {
  const client = new BetterSqlite3(file)
  t.teardown(() => client.close())
  return {
    orm: drizzleSqlite({ client }),
    run: async statement => /^select/.test(statement) ? client.prepare(statement).all() : [client.exec(statement)]
  }
}

async function ownPostgres (t: Test): Promise<OwnDatabase> {
  const { database, close } = await postgres.open()
  t.teardown(close)
  if (typeof database === 'string') {
    const pool = openPool(database)
    t.teardown(() => pool.end())
    return { orm: drizzlePostgres({ client: pool }), run: async statement => (await pool.query(statement)).rows }
  }
  const { $client } = database as { $client: { query: (statement: string) => Promise<{ rows: unknown[] }> } }
  return { orm: database, run: async statement => (await $client.query(statement)).rows }
}

for (const [driver, open] of Object.entries(drivers)) {
  t.test(`the app's own Drizzle instance is used, and stays open after the app closes (${driver})`, async t => {
    const { orm, run } = await open(t)
    const app = Fastify(patient)
    await app.register(coexisting, options({ database: orm }))
    const answer = await register(app, '/auth')
    t.equal(answer.statusCode, 201)
    t.equal((await read(app, '/auth', answer.json().access)).statusCode, 200)
    t.same(await run('select email, gender from users'), [{ email: alice.email, gender: 'F' }])
    await app.close()
    const [sessions] = await run('select count(*) as number from sessions') as [{ number: unknown }]
    t.equal(Number(sessions.number), 1)
  })

  t.test(`a table of the app can reference and join users, with ON DELETE CASCADE (${driver})`, async t => {
    const { orm, run } = await open(t)
    const app = Fastify(patient)
    t.teardown(() => app.close())
    await app.register(coexisting, options({ database: orm }))
    const { user } = (await register(app, '/auth')).json()
    await run('create table notes (body text not null, author text not null references users (pk) on delete cascade)')
    t.same(await write(orm, user.pk), [{ body: 'Buy milk', email: alice.email }])
    await t.rejects(write(orm, 'nobody'))
    t.equal(await app.restAuth.users.delete(user.pk), true)
    t.same(await run('select * from notes'), [])
  })
}

/** Stores a note and reads all notes with their authors, as an app would with our tables. */
async function write (orm: unknown, author: string) {
  if (orm instanceof BetterSQLite3Database) {
    const { users } = sqliteTables
    const notes = sqliteTable('notes', {
      body: text('body').notNull(),
      author: text('author').notNull().references(() => users.pk, { onDelete: 'cascade' })
    })
    orm.insert(notes).values({ body: 'Buy milk', author }).run()
    return orm.select({ body: notes.body, email: users.email }).from(notes)
      .innerJoin(users, eq(notes.author, users.pk)).all()
  }
  const { users } = postgresTables
  const notes = pgTable('notes', {
    body: pgText('body').notNull(),
    author: pgText('author').notNull().references(() => users.pk, { onDelete: 'cascade' })
  })
  const postgres = orm as NodePgDatabase
  await postgres.insert(notes).values({ body: 'Buy milk', author })
  return await postgres.select({ body: notes.body, email: users.email }).from(notes)
    .innerJoin(users, eq(notes.author, users.pk))
}
