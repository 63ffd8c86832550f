/** examples/nestjs: the plugin's routes and errors are the same in NestJS, and a guard protects a controller. */
import { Writable } from 'node:stream'
import { Controller, Get, Logger, Module, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import BetterSqlite3 from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { FastifyServerOptions, InjectOptions } from 'fastify'
import restAuth from 'fastify-rest-auth'
import { buildApp } from '../examples/nestjs/app.js'
import { AuthGuard } from '../examples/nestjs/auth.guard.js'
import { alice, password, secret, t, type Test } from './support/build.js'
import { registerAt } from './support/child-app.js'

const newcomer = { email: alice.email, password1: password }
// The console transport would print them between the lines of the tests.
const options = { database: ':memory:', secret, mail: { transport: async () => {} } }
const bearer = (access: string) => ({ authorization: `Bearer ${access}` })

Logger.overrideLogger(false)

async function start (
  t: Test, overrides: object = {}, server: FastifyServerOptions = {}
): Promise<NestFastifyApplication> {
  const app = await buildApp({ ...options, ...overrides }, server)
  t.teardown(() => app.close())
  return app
}

async function register (app: NestFastifyApplication): Promise<string> {
  return (await app.inject({ method: 'POST', url: '/auth/registration', payload: newcomer })).json().access
}

/** What a client can tell about a refusal. */
async function refusal (app: NestFastifyApplication, request: InjectOptions) {
  const { statusCode, headers, body } = await app.inject(request)
  return { statusCode, type: headers['content-type'], challenge: headers['www-authenticate'], body: JSON.parse(body) }
}

t.test('a guard lets logged-in users in, and the controller gets the user', async t => {
  const app = await start(t)
  const access = await register(app)
  const answer = await app.inject({ url: '/me', headers: bearer(access) })
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { hello: alice.email })
  await app.inject({ method: 'POST', url: '/auth/logout', headers: bearer(access) })
  t.equal((await app.inject({ url: '/me', headers: bearer(access) })).statusCode, 401, 'after the logout')
})

for (const errors of ['problem', 'drf']) {
  t.test(`a guard answers as the plugin's own routes do (errors: ${errors})`, async t => {
    const app = await start(t, { errors })
    for (const headers of [{}, bearer('nonsense'), { authorization: 'Bearer' }]) {
      const own = await refusal(app, { url: '/auth/user', headers })
      t.equal(own.statusCode, 401)
      t.match(own.challenge, /^Bearer realm="api"/)
      t.match(own.type, errors === 'problem' ? 'application/problem+json' : 'application/json')
      t.same(await refusal(app, { url: '/me', headers }), own, JSON.stringify(headers))
    }
  })
}

t.test('a guard with maxAge asks for the password again, and its challenge says so', async t => {
  const client = new BetterSqlite3(':memory:')
  t.teardown(() => client.close())
  const app = await start(t, { database: drizzle(client) })
  const headers = bearer(await register(app))
  client.exec('UPDATE sessions SET authenticated_at = authenticated_at - 301000')
  const { body, challenge } = await refusal(app, { method: 'DELETE', url: '/me', headers })
  t.equal(body.code, 'reauthentication_required')
  t.match(challenge, /error="insufficient_user_authentication".*max_age="300"/)

  await app.inject({ method: 'POST', url: '/auth/reauthenticate', headers, payload: { password } })
  t.same((await app.inject({ method: 'DELETE', url: '/me', headers })).json(), { deleted: true })
  t.equal((await app.inject({ url: '/me', headers })).statusCode, 401)
})

t.test('while the database is broken, a guard answers 500, and the log says why', async t => {
  const client = new BetterSqlite3(':memory:')
  t.teardown(() => client.close())
  const logs: string[] = []
  const stream = new Writable({ write (chunk, _encoding, done) { logs.push(String(chunk)); done() } })
  const app = await start(t, { database: drizzle(client) }, { logger: { level: 'error', stream } })
  const headers = bearer(await register(app))
  client.exec('ALTER TABLE sessions RENAME TO gone')
  t.match(await refusal(app, { url: '/me', headers }), { statusCode: 500, body: { code: 'internal_error' } })
  t.match(logs.join(''), 'database query failed (SQLITE_ERROR)')
})

t.test("the plugin's routes keep their validation, their serialisers and their errors", async t => {
  const app = await start(t, { account: { emailVerification: 'mandatory' } })
  const send = async (method: 'POST' | 'PATCH', url: string, payload: object, headers = {}) =>
    await app.inject({ method, url: `/auth${url}`, payload, headers })

  const invalid = await send('POST', '/registration', { email: 'no address', password1: '12345678' })
  t.equal(invalid.statusCode, 400)
  t.equal(invalid.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.match(invalid.json(), {
    status: 400,
    code: 'validation_error',
    errors: [{ field: 'email', code: 'invalid_email' }, { field: 'password1', code: 'password_too_common' }]
  })
  t.match((await send('POST', '/registration', '{' as never, { 'content-type': 'application/json' })).json(), {
    code: 'malformed_body'
  })
  const form = new URLSearchParams(newcomer).toString()
  const formType = { 'content-type': 'application/x-www-form-urlencoded' }
  t.same((await send('POST', '/registration', form as never, formType)).json(), { detail: 'Verification e-mail sent.' })
  t.match((await send('POST', '/login', { email: alice.email, password })).json(), { code: 'email_not_verified' })

  const { restAuth } = app.getHttpAdapter().getInstance()
  const user = await restAuth.users.find({ email: alice.email })
  await restAuth.users.update(user?.pk ?? '', { email_verified: true })
  const { access } = (await send('POST', '/login', { email: alice.email, password })).json()
  const patched = await send('PATCH', '/user', { first_name: 'Alice', is_active: false }, bearer(access))
  t.match(patched.json(), { email: alice.email, first_name: 'Alice' })
  t.notOk('is_active' in patched.json())
})

t.test('unknown paths are those of the plugin below its prefix, and those of NestJS elsewhere', async t => {
  const app = await start(t)
  t.match((await app.inject('/auth/nothing')).json(), { status: 404, code: 'not_found' })
  t.match((await app.inject({ method: 'PUT', url: '/auth/login' })).json(), { code: 'method_not_allowed' })
  t.same((await app.inject('/nothing')).json(), {
    statusCode: 404, message: 'Cannot GET /nothing', error: 'Not Found'
  })
})

t.test('over HTTP, a user registers and is greeted', async t => {
  const app = await start(t)
  await app.listen(0, '127.0.0.1')
  const url = await app.getUrl()
  const access = await registerAt(url, alice.email, password)
  t.same(await (await fetch(`${url}/me`, { headers: bearer(access) })).json(), { hello: alice.email })
  t.equal((await fetch(`${url}/me`)).headers.get('www-authenticate'), 'Bearer realm="api"')
})

t.test('without an exception filter, NestJS answers with the status of the failure, not with 500', async t => {
  @Controller('me')
  class MeController {
    @Get()
    @UseGuards(AuthGuard)
    greet () { return {} }
  }
  @Module({ controllers: [MeController] })
  class AppModule {}
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter())
  t.teardown(() => app.close())
  await app.register(restAuth, options)
  await app.init()
  const answer = await app.inject('/me')
  t.equal(answer.statusCode, 401)
  t.match(answer.json(), { statusCode: 401 })
})
