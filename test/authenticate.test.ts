/** `app.authenticate`: which requests it accepts, with each option, and how POST /reauthenticate renews a session. */
import fastifySwagger from '@fastify/swagger'
import { Type } from '@sinclair/typebox'
import BetterSqlite3 from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { createPlugin } from '../src/plugin.js'
import type { Session } from '../src/index.js'
import { codeOf } from './support/answers.js'
import { hs256, open, type Json } from './support/forgery.js'
import {
  alice, cheapHash, fieldCodes, password, patient, secret, sqliteBuild, story, t, type BuiltApp
} from './support/build.js'
import { columnNames, usersTableName } from './support/users-table.js'

/** One route of the app for each kind of hook; it returns what the handler sees. */
function addRoutes (app: FastifyInstance): void {
  const kinds = {
    plain: app.authenticate,
    optional: app.authenticate({ optional: true }),
    stateless: app.authenticate({ stateless: true }),
    both: app.authenticate({ optional: true, stateless: true }),
    fresh: app.authenticate({ maxAge: 300 }),
    sometimes: app.authenticate({ optional: true, maxAge: 300 }),
    none: app.authenticate({})
  }
  for (const [name, onRequest] of Object.entries(kinds)) {
    app.get(`/${name}`, { onRequest }, async request => ({
      user: request.user?.email ?? null,
      sub: app.restAuth.claims(request)?.sub ?? null
    }))
  }
}

/** Requests a route of the app with a token, with an Authorization header, or with neither. */
function askerOf ({ app }: BuiltApp) {
  return async (url: string, token?: string, authorization = token === undefined ? undefined : `Bearer ${token}`) =>
    await app.inject({ url, headers: { ...(authorization !== undefined && { authorization }) } })
}

story('`optional` admits anonymous requests, and still refuses an invalid token', async (t, build) => {
  const built = await build(t, { after: addRoutes })
  const ask = askerOf(built)
  const { access, user } = await built.register()
  for (const url of ['/optional', '/both', '/sometimes']) {
    t.same((await ask(url)).json(), { user: null, sub: null })
    t.same((await ask(url, undefined, '')).json(), { user: null, sub: null })
    // As in Django REST framework: other schemes are left to other hooks.
    t.same((await ask(url, undefined, 'Basic eDp5')).json(), { user: null, sub: null })
    t.same((await ask(url, access)).json(), { user: url === '/both' ? null : alice.email, sub: user.pk })
    t.equal(codeOf(await ask(url, 'x')), '401 token_not_valid')
    t.equal(codeOf(await ask(url, undefined, 'Bearer')), '401 bad_authorization_header')
    t.equal(codeOf(await ask(url, undefined, `Bearer ${access} x`)), '401 bad_authorization_header')
  }
  for (const url of ['/plain', '/stateless', '/fresh', '/none']) {
    t.equal(codeOf(await ask(url)), '401 not_authenticated')
  }
  built.clock.advance(300)
  for (const url of ['/optional', '/both', '/sometimes']) t.equal(codeOf(await ask(url, access)), '401 token_expired')
})

story('`optional` still checks the session and the user', async (t, build) => {
  const built = await build(t, { after: addRoutes })
  const { access, user } = await built.register()
  await built.app.restAuth.users.deactivate(user.pk)
  t.equal(codeOf(await askerOf(built)('/optional', access)), '401 user_inactive')
  await built.app.restAuth.users.delete(user.pk)
  t.equal(codeOf(await askerOf(built)('/optional', access)), '401 user_not_found')
})

story('`stateless` checks only the token: it stays valid until it expires, even after logout', async (t, build) => {
  const built = await build(t, { after: addRoutes })
  const ask = askerOf(built)
  const { access, user } = await built.register()
  t.same((await ask('/stateless', access)).json(), { user: null, sub: user.pk })
  await built.post('/logout', {}, { token: access })
  t.equal((await ask('/stateless', access)).statusCode, 200)
  t.equal(codeOf(await ask('/plain', access)), '401 token_not_valid')
  await built.app.restAuth.users.delete(user.pk)
  t.equal((await ask('/stateless', access)).statusCode, 200)
  const { header, claims } = open(access)
  for (const token of [
    hs256.forge(header, { ...claims, aud: 'x' }), hs256.forge(header, claims, 'x'),
    hs256.forge({ ...header, typ: 'JWT' }, claims)
  ]) { t.equal(codeOf(await ask('/stateless', token)), '401 token_not_valid') }
  built.clock.advance(300)
  t.equal(codeOf(await ask('/stateless', access)), '401 token_expired')
})

t.test('`stateless` works while the database is down', async t => {
  const client = new BetterSqlite3(':memory:')
  const built = await sqliteBuild(t, { database: drizzle({ client }), after: addRoutes })
  const { access, user } = await built.register()
  client.exec('ALTER TABLE sessions RENAME TO gone')
  t.equal((await askerOf(built)('/stateless', access)).json().sub, user.pk)
  t.equal((await askerOf(built)('/plain', access)).statusCode, 500)
})

story('`maxAge` requires a recent password, and the challenge names the limit', async (t, build) => {
  const built = await build(t, { after: addRoutes })
  const { post, clock } = built
  const ask = askerOf(built)
  await built.register()
  const login = async (): Promise<string> => (await post('/login', { email: alice.email, password })).json().access
  const token = await login()
  clock.advance(299)
  t.same((await ask('/fresh', token)).json().user, alice.email)
  // The token would have expired. What counts is the session's time of authentication.
  const { header, claims } = open(token)
  const lasting = hs256.forge(header, { ...claims, exp: Number(claims.exp) + 9999 })
  clock.advance(1)
  t.equal((await ask('/fresh', lasting)).statusCode, 200, 'the very second')
  clock.advance(0.001)
  const answer = await ask('/fresh', lasting)
  t.equal(codeOf(answer), '401 reauthentication_required')
  t.equal(
    answer.headers['www-authenticate'],
    'Bearer realm="api", error="insufficient_user_authentication", ' +
      'error_description="Confirm your password", max_age="300"'
  )
  t.equal(codeOf(await ask('/sometimes', lasting)), '401 reauthentication_required')
  t.equal((await ask('/sometimes')).statusCode, 200)
  t.equal((await ask('/plain', lasting)).statusCode, 200)

  t.strictSame(fieldCodes(await post('/reauthenticate', { password: 'Wr0ng-secret-pw' }, { token: lasting })), {
    password: ['incorrect_password']
  })
  t.equal(codeOf(await ask('/fresh', lasting)), '401 reauthentication_required', 'a wrong password renews nothing')
  const renewed = await post('/reauthenticate', { password }, { token: lasting })
  t.equal(renewed.statusCode, 200)
  t.strictSame(renewed.json(), { detail: 'Password confirmed.' })
  t.equal((await ask('/fresh', lasting)).statusCode, 200)
  clock.advance(301)
  t.equal(codeOf(await ask('/fresh', lasting)), '401 reauthentication_required', 'a renewal lasts 300 s too')
  t.equal((await ask('/fresh', await login())).statusCode, 200)
})

story('reauthentication renews only the session that asked', async (t, build) => {
  const built = await build(t, { after: addRoutes })
  const { app, post, clock } = built
  const ask = askerOf(built)
  const { user } = await built.register()
  const bob = await built.register({ email: 'bob@example.com' })
  const login = async (): Promise<string> => (await post('/login', { email: alice.email, password })).json().access
  const tokens = [await login(), await login(), bob.access].map(token =>
    hs256.forge(open(token).header, { ...open(token).claims, exp: 9_999_999_999 })
  )
  clock.advance(1000)
  await post('/reauthenticate', { password }, { token: tokens[1] })
  t.strictSame(await Promise.all(tokens.map(async token => (await ask('/fresh', token)).statusCode)), [401, 200, 401])
  t.match(
    (await app.restAuth.sessions.list(user.pk))
      .map(({ authenticatedAt }) => authenticatedAt?.getTime() === clock.now.getTime())
      .sort(),
    [false, false, true]
  )
})

story('reauthentication needs a live session and its own user\'s password', async (t, build) => {
  const { app, post, register } = await build(t)
  const { access, user } = await register()
  await register({ email: 'bob@example.com', password1: 'B0bs-secret-pw' })
  t.equal(codeOf(await post('/reauthenticate', { password })), '401 not_authenticated')
  t.strictSame(fieldCodes(await post('/reauthenticate', { password: 'B0bs-secret-pw' }, { token: access })), {
    password: ['incorrect_password']
  })
  t.strictSame(fieldCodes(await post('/reauthenticate', {}, { token: access })), { password: ['required'] })
  t.strictSame(fieldCodes(await post('/reauthenticate', { password: '' }, { token: access })), { password: ['blank'] })
  t.strictSame(fieldCodes(await post('/reauthenticate', { password: 'x'.repeat(257) }, { token: access })), {
    password: ['max_length']
  })
  t.equal(codeOf(await post('/reauthenticate', [], { token: access })), '400 not_an_object')
  await app.restAuth.users.deactivate(user.pk)
  t.equal(codeOf(await post('/reauthenticate', { password }, { token: access })), '401 user_inactive')
})

t.test('a user without a password cannot reauthenticate with any', async t => {
  const client = new BetterSqlite3(':memory:')
  const { post, register } = await sqliteBuild(t, { database: drizzle({ client }) })
  const { access } = await register()
  client.exec(`UPDATE ${usersTableName} SET ${columnNames.password_hash} = NULL`)
  for (const sent of [password, ' ', 'null']) {
    t.strictSame(fieldCodes(await post('/reauthenticate', { password: sent }, { token: access })), {
      password: ['incorrect_password']
    })
  }
})

story('if the password changes or the session ends during reauthentication, nothing is renewed', async (t, build) => {
  let meanwhile = async (): Promise<unknown> => undefined
  const { app, post, register } = await build(t, {
    // Between our hook, which has read the user, and our handler.
    before: app => {
      app.addHook('preHandler', async request => {
        if (request.url === '/auth/reauthenticate') await meanwhile()
      })
    }
  })
  const { access, user } = await register()
  const [{ authenticatedAt }] = await app.restAuth.sessions.list(user.pk) as [Session]
  meanwhile = async () =>
    await post('/password/change', { old_password: password, new_password1: 'An0ther-secret-pw' }, { token: access })
  t.strictSame(fieldCodes(await post('/reauthenticate', { password }, { token: access })), {
    password: ['incorrect_password']
  })
  t.match(await app.restAuth.sessions.list(user.pk), [{ authenticatedAt }])
  for (const end of [
    async () => await app.restAuth.sessions.endAll(user.pk), async () => await app.restAuth.users.deactivate(user.pk),
    async () => await app.restAuth.users.delete(user.pk)
  ]) {
    meanwhile = async () => undefined
    const token = (await post('/login', { email: alice.email, password: 'An0ther-secret-pw' })).json().access
    meanwhile = end
    t.strictSame(fieldCodes(await post('/reauthenticate', { password: 'An0ther-secret-pw' }, { token })), {
      password: ['incorrect_password']
    })
    t.same(await app.restAuth.sessions.list(user.pk), [])
    await app.restAuth.users.activate(user.pk)
  }
})

t.test('a session without a stored time of authentication counts from its creation', async t => {
  const client = new BetterSqlite3(':memory:')
  const built = await sqliteBuild(t, { database: drizzle({ client }), after: addRoutes })
  const { access } = await built.register()
  client.exec('UPDATE sessions SET authenticated_at = NULL')
  t.equal((await askerOf(built)('/fresh', access)).statusCode, 200)
  client.exec('UPDATE sessions SET created_at = created_at - 301000')
  t.equal(codeOf(await askerOf(built)('/fresh', access)), '401 reauthentication_required')
})

t.test('with two `authenticate` hooks on a route, the last one sets the user', async t => {
  const built = await sqliteBuild(t, {
    after: app => {
      const { authenticate, restAuth } = app
      const show = async (request: Parameters<typeof restAuth.claims>[0]) => ({
        user: request.user?.email ?? null,
        sub: restAuth.claims(request)?.sub ?? null
      })
      app.get('/tightened', { onRequest: [authenticate({ optional: true }), authenticate] }, show)
      app.get('/loosened', { onRequest: [authenticate, authenticate({ stateless: true })] }, show)
    }
  })
  const { access, user } = await built.register()
  t.equal((await askerOf(built)('/tightened')).statusCode, 401)
  t.same((await askerOf(built)('/tightened', access)).json(), { user: alice.email, sub: user.pk })
  t.same((await askerOf(built)('/loosened', access)).json(), { user: null, sub: user.pk })
})

t.test('a refused request keeps the `request.user` that another hook has set', async t => {
  const built = await sqliteBuild(t, {
    after: app => {
      app.get('/either', {
        onRequest: async request => {
          request.user = { email: 'by-key@example.com' } as never
          await app.authenticate(request).catch(() => {})
        }
      }, async request => request.user.email)
    }
  })
  t.equal((await askerOf(built)('/either')).body, 'by-key@example.com')
})

t.test('a wrong option throws when the route is declared', async t => {
  const { app } = await sqliteBuild(t)
  const wrong: Array<[options: object, line: string]> = [
    [{ maxage: 300 }, 'authenticate: maxage: unknown option; did you mean maxAge?'],
    [{ maxAge: '5m' }, 'authenticate: maxAge: must be a whole number from 1 to 34560000'],
    [{ maxAge: 0 }, 'authenticate: maxAge: must be a whole number from 1 to 34560000'],
    [{ optional: 'no' }, 'authenticate: optional: must be true or false'],
    [{ stateless: 1 }, 'authenticate: stateless: must be true or false'],
    [{ stateless: true, maxAge: 300 }, 'authenticate: maxAge: needs the session, which stateless does not look up']
  ]
  for (const [options, line] of wrong) {
    t.throws(() => app.authenticate(options), { message: `fastify-rest-auth: ${line}` })
  }
})

type Document = {
  paths: Record<string, Record<string, { security?: unknown; responses: Json }>>
  components: { securitySchemes: Json }
}

/** An app with its own @fastify/swagger, before the plugin or after, and routes of every kind. */
async function documentOf (order: 'before' | 'after'): Promise<{ document: Document, app: FastifyInstance }> {
  const swagger = {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'x', version: '1' },
      components: { securitySchemes: { apiKey: { type: 'apiKey', in: 'header', name: 'x-key' } } }
    }
  } as const
  const app = Fastify(patient)
  if (order === 'before') await app.register(fastifySwagger, swagger)
  await app.register(fp(createPlugin({ hashCost: cheapHash })), { secret, database: ':memory:', docs: false } as object)
  if (order === 'after') await app.register(fastifySwagger, swagger)
  addRoutes(app)
  app.get('/open', async () => ({}))
  app.get('/own', { onRequest: app.authenticate, schema: { security: [{ apiKey: [] }] } }, async () => ({}))
  app.post(
    '/typed',
    {
      preHandler: [app.authenticate({ maxAge: 60 })],
      schema: { body: Type.Object({ name: Type.String() }), response: { 200: Type.Object({ name: Type.String() }) } }
    },
    async request => request.body as { name: string }
  )
  await app.ready()
  return { document: app.swagger() as unknown as Document, app }
}

t.test('a route that uses `authenticate` has its security requirement in the app\'s OpenAPI document', async t => {
  const { document: { paths, components }, app } = await documentOf('before')
  t.teardown(() => app.close())
  for (const path of ['/plain', '/stateless', '/fresh', '/none']) {
    t.same(paths[path]?.get?.security, [{ bearer: [] }], path)
  }
  for (const path of ['/optional', '/both', '/sometimes']) {
    t.same(paths[path]?.get?.security, [{ bearer: [] }, {}], path)
  }
  t.equal(paths['/open']?.get?.security, undefined)
  t.same(paths['/own']?.get?.security, [{ apiKey: [] }], 'what a route says itself stays')
  t.match(paths['/typed']?.post, { security: [{ bearer: [] }], requestBody: {}, responses: { 200: { content: {} } } })
  t.match(components.securitySchemes, { bearer: { type: 'http', scheme: 'bearer' }, apiKey: {} })
  t.equal(
    (await app.inject({ method: 'POST', url: '/typed', payload: {} })).statusCode, 400, 'its schema still validates'
  )
})

t.test('an OpenAPI document that is registered after the plugin is left unchanged', async t => {
  const { document: { paths }, app } = await documentOf('after')
  t.teardown(() => app.close())
  t.equal(paths['/plain']?.get?.security, undefined)
})
