/** `authenticate` and `requireUser` of the package: a route is never open because of the order of registrations. */
import fastifySwagger from '@fastify/swagger'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { authenticate, requireUser } from '../src/index.js'
import { createPlugin } from '../src/plugin.js'
import { codeOf } from './support/answers.js'
import { alice, articleOptions, cheapHash, patient, secret, story, t, type Test } from './support/build.js'

const plugin = fp(createPlugin({ hashCost: cheapHash }), { fastify: '5.x', name: 'fastify-rest-auth' })
const options = (given: object = {}) => ({
  ...articleOptions, secret, docs: false, migrate: true, database: ':memory:', ...given
})
const email = async (request: { user: { email: string } }) => request.user.email

function host (t: Test): FastifyInstance {
  const app = Fastify(patient)
  t.teardown(() => app.close())
  return app
}

/** A user's access token, from the registration of the plugin at this path. */
async function tokenOf (app: FastifyInstance, path = '/auth'): Promise<string> {
  return (await app.inject({ method: 'POST', url: `${path}/registration`, body: alice })).json().access
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Ways to protect `/me`, before or after the plugin is registered. */
const forms: Record<string, (app: FastifyInstance) => unknown> = {
  'onRequest: authenticate': app => app.get('/me', { onRequest: authenticate }, email),
  'onRequest: [authenticate]': app => app.get('/me', { onRequest: [authenticate] }, email),
  'preValidation: authenticate': app => app.get('/me', { preValidation: authenticate }, email),
  'preHandler: requireUser()': app => app.get('/me', { preHandler: requireUser() }, email),
  'requireUser({ maxAge })': app => app.get('/me', { onRequest: requireUser({ maxAge: 300 }) }, email),
  'requireUser({ under })': app => app.get('/me', { onRequest: requireUser({ under: '/auth/' }) }, email),
  'route({ onRequest })': app => app.route({ method: 'GET', url: '/me', onRequest: authenticate, handler: email }),
  'addHook in a scope': app => app.register(async scope => {
    scope.addHook('onRequest', authenticate)
    scope.get('/me', email)
  }),
  'addHook in the plugin of the routes': app => app.register(fp(async scope => {
    await scope.register(async inner => {
      inner.addHook('preHandler', authenticate)
      inner.get('/me', email)
    })
  }))
}

for (const [form, addRoute] of Object.entries(forms)) {
  const orders: Record<string, (app: FastifyInstance) => unknown> = {
    'before the plugin': app => { addRoute(app); app.register(plugin, options()) },
    'after the plugin, which is not awaited': app => { app.register(plugin, options()); addRoute(app) },
    'after the plugin, which is awaited': async app => { await app.register(plugin, options()); addRoute(app) }
  }
  for (const [order, build] of Object.entries(orders)) {
    t.test(`${form}, declared ${order}, requires a user`, async t => {
      const app = host(t)
      await build(app)
      t.equal(codeOf(await app.inject('/me')), '401 not_authenticated')
      t.equal((await app.inject({ url: '/me', headers: bearer(await tokenOf(app)) })).body, alice.email)
    })
  }

  t.test(`${form} refuses each request if the plugin is not registered`, async t => {
    const app = host(t)
    await addRoute(app)
    const answer = await app.inject('/me')
    t.equal(answer.statusCode, 500)
    t.match(answer.json().message, /^fastify-rest-auth: GET \/me requires a user, but the plugin is not registered/)
  })
}

t.test('a plugin that is registered in another scope does not count', async t => {
  const app = host(t)
  app.register(async scope => { await scope.register(plugin, options()) }, { prefix: '/api' })
  app.get('/me', { onRequest: authenticate }, email)
  app.register(async scope => { scope.get('/hers', { onRequest: authenticate }, email) })
  t.equal((await app.inject('/me')).statusCode, 500)
  const token = await tokenOf(app, '/api/auth')
  t.equal((await app.inject({ url: '/hers', headers: bearer(token) })).statusCode, 500)
})

t.test('a failed registration of the plugin does not open the route', async t => {
  const app = host(t)
  app.register(plugin, options({ prefix: 'no slash' }))
  app.get('/me', { onRequest: authenticate }, email)
  await t.rejects(app.inject('/me'), /fastify-rest-auth: prefix/)
})

story('`under` requires a user of that registration', async (t, _build, tested) => {
  const { database, close } = await tested.open()
  const app = host(t)
  t.teardown(close)
  app.get('/desk', { onRequest: requireUser({ under: '/staff' }) }, email)
  app.get('/me', { onRequest: authenticate }, email)
  app.register(plugin, options({ database }))
  const own = typeof database === 'string' ? { url: database } : { drizzle: database }
  app.register(plugin, options({ database: { ...own, tables: 'staff_' }, prefix: '/staff' }))
  await app.ready()
  const [customer, clerk] = [await tokenOf(app), await tokenOf(app, '/staff')]
  t.equal((await app.inject({ url: '/desk', headers: bearer(clerk) })).body, alice.email)
  t.equal((await app.inject({ url: '/me', headers: bearer(customer) })).body, alice.email)
  t.equal(codeOf(await app.inject({ url: '/desk', headers: bearer(customer) })), '401 token_not_valid')
  t.equal(codeOf(await app.inject({ url: '/me', headers: bearer(clerk) })), '401 token_not_valid')
  t.equal(codeOf(await app.inject('/desk')), '401 not_authenticated')
})

t.test('`under` a path without a registration refuses each request', async t => {
  const app = host(t)
  app.get('/desk', { onRequest: requireUser({ under: '/staff' }) }, email)
  await app.register(plugin, options())
  const answer = await app.inject({ url: '/desk', headers: bearer(await tokenOf(app)) })
  t.equal(answer.statusCode, 500)
  t.match(answer.json().message, 'the plugin is not registered at /staff on its instance')
})

t.test('`app.restAuth.under` a path without a registration throws, with or without a final slash', async t => {
  const app = host(t)
  await app.register(plugin, options())
  t.equal(app.restAuth.under('/auth/'), app.restAuth)
  for (const path of ['/staff', '/staff/', 'auth', '', '/']) {
    t.throws(() => app.restAuth.under(path), {
      message: `fastify-rest-auth: under: no registration has the path "${path}"; there is /auth`
    })
  }
})

t.test('`requireUser` admits what its options say', async t => {
  const app = host(t)
  app.get('/optional', { onRequest: requireUser({ optional: true }) }, async ({ user }) => ({ user }))
  app.get('/stateless', { onRequest: requireUser({ stateless: true }) }, async request =>
    ({ sub: app.restAuth.claims(request)?.sub, user: request.user }))
  await app.register(plugin, options())
  t.same((await app.inject('/optional')).json(), { user: null })
  t.equal(codeOf(await app.inject('/stateless')), '401 not_authenticated')
  const user = await app.restAuth.users.find({ email: alice.email })
  t.equal(user, undefined)
  const token = await tokenOf(app)
  const { pk } = (await app.restAuth.users.find({ email: alice.email }))!
  t.same((await app.inject({ url: '/stateless', headers: bearer(token) })).json(), { sub: pk, user: null })
})

t.test('an invalid option throws when the route is declared', async t => {
  const wrong: Array<[unknown, string]> = [
    [{ maxage: 3 }, 'authenticate: maxage: unknown option; did you mean maxAge?'],
    [{ maxAge: 0 }, 'authenticate: maxAge: must be a whole number from 1 to 34560000'],
    [{ maxAge: 3, stateless: true }, 'authenticate: maxAge: needs the session, which stateless does not look up'],
    [{ under: 5 }, 'requireUser: under: must be a path']
  ]
  for (const [options, problem] of wrong) {
    t.throws(() => requireUser(options as {}), { message: `fastify-rest-auth: ${problem}` })
  }
})

t.test('an option that the registration does not allow refuses each request', async t => {
  const app = host(t)
  app.get('/me', { onRequest: requireUser({ stateless: true }) }, email)
  await app.register(plugin, options({ tokens: { format: 'opaque' } }))
  t.equal((await app.inject('/me')).statusCode, 500)
})

t.test('the app\'s OpenAPI document shows what a route requires', async t => {
  const app = host(t)
  await app.register(fastifySwagger, { openapi: { openapi: '3.1.0', info: { title: 'The app', version: '1' } } })
  await app.register(plugin, options({ tokens: { cookies: {} } }))
  const schema = { response: { 200: Type.String() } }
  app.get('/me', { onRequest: authenticate, schema }, email)
  app.get('/maybe', { onRequest: requireUser({ optional: true }), schema }, email)
  app.get('/later', { onRequest: requireUser({ under: '/staff' }), schema }, email)
  await app.ready()
  const { paths } = app.swagger() as { paths: Record<string, { get: { security?: object[] } }> }
  const own = app.restAuth.openapi() as typeof paths & { paths: typeof paths }
  const required = own.paths['/auth/user']?.get.security ?? []
  t.ok(required.length > 0)
  t.same(paths['/me']?.get.security, required)
  t.same(paths['/maybe']?.get.security, [...required, {}])
  t.equal(paths['/later']?.get.security, undefined)
})
