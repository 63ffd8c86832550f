/** No secret of a request gets into the log, at any level, wherever a client puts it. */
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest, InjectOptions } from 'fastify'
import { uidAndTokenIn } from './support/answers.js'
import { alice, password, sqliteBuild, story, t, type BuiltApp } from './support/build.js'

interface Operation { security: object[] }
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'] as const
const secret = 'vE3kY9mQx2LrT7wZ0aBcD4fGhJ6nPsU8iOq1XyKlM5N'

const send = async ({ app }: BuiltApp, method: string, url: string, headers: Record<string, string> = {}) =>
  await app.inject({ method: method as NonNullable<InjectOptions['method']>, url, headers })

/** Lines that mention a part of the secret: half a token is half a secret. */
const linesWith = (logs: string[], text: string) => logs.filter(line => line.includes(text.slice(0, 12)))

story('a mailed token in a link with a typing error is not logged, whatever the method', async (t, build) => {
  const built = await build(t)
  const { logs, mails, register, post } = built
  await register()
  await post('/password/reset', { email: alice.email })
  const { uid, token } = uidAndTokenIn((await mails())[0])
  const link = `/auth/password/reset/confirm/${uid}/${token}`
  for (const method of methods) {
    const urls = [
      link, `${link}/`, `${link}/typo`, `${link}.`, `${link}?x`, `${link}%0A`, `${link}%`,
      link.replace('confirm', 'confrim'), link.replace('password', 'Password'), `/auth/${token}`, `/auth/?${token}`,
      `/auth/user?token=${token}#${token}`, `/auth/login/${token}`, `/auth/${token.slice(0, 20)}/${token.slice(20)}`,
      `/auth/registration/account-confirm-email/${token}/${token}`, `/auth/sessions/${token}`,
      `${link}${'x'.repeat(200)}`
    ]
    for (const url of urls) await send(built, method, url)
  }
  t.same(linesWith(logs, token), [])
  t.ok(logs.some(line => line.includes(`/auth/password/reset/confrim/${uid}/…`)), 'but where it was sent is')
})

t.test('a piece of a token without digits is not logged either', async t => {
  const built = await sqliteBuild(t)
  const letters = 'vEkYmQxLrTwZaBcDfGhJ'
  for (const method of methods) {
    for (const path of [letters, `${letters}/3`, `Password/${letters}`]) await send(built, method, `/auth/${path}`)
  }
  t.same(linesWith(built.logs, letters), [])
  t.ok(built.logs.some(line => line.includes('/auth/Password/…')), 'but the words around it are')
})

t.test('on every route, no value of the query, headers, cookies or parameters is logged', async t => {
  const built = await sqliteBuild(t, {
    options: { tokens: { cookies: {} }, social: { google: { clientId: 'id', clientSecret: 'not-so-secret' } } }
  })
  const { paths } = built.app.restAuth.openapi() as { paths: Record<string, Record<string, Operation>> }
  const templates = Object.keys(paths)
  t.ok(templates.length > 15)
  const headers = {
    authorization: `Bearer ${secret}`,
    cookie: `__Host-access=${secret}; __Host-refresh=${secret}`,
    referer: `https://app.example/?token=${secret}`,
    'x-requested-with': secret
  }
  for (const template of templates) {
    const path = template.replace(/\{\w+\}/g, secret)
    for (const method of methods) {
      const queries = ['', '/', `?code=${secret}&state=${secret}&key=${secret}`, `?${secret}`]
      for (const url of queries.map(query => `${path}${query}`)) {
        await send(built, method, url, headers)
        await send(built, method, url)
      }
    }
  }
  t.same(linesWith(built.logs, secret), [])
})

t.test('a serializer of the app is kept, and sees no secret in the URL', async t => {
  const req = (request: FastifyRequest) => ({
    own: true,
    agent: request.headers['user-agent'],
    all: [request.url, request.originalUrl, request.raw.url, request.params, request.query]
  })
  const built = await sqliteBuild(t, {
    before: app => {
      app.addHook('onRequest', async request => { request.log.info({ req: request.raw as IncomingMessage }, 'raw') })
    },
    server: {
      loggerInstance: undefined,
      logger: { level: 'trace', serializers: { req }, stream: { write: (line: string) => { own.push(line) } } }
    } as object,
    after: app => { app.get('/own/:key', async () => 'own') }
  })
  const own: string[] = []
  built.app.log.info('x')
  await send(built, 'GET', `/auth/password/reset/confirm/u/${secret}/typo?key=${secret}`, { 'user-agent': 'browser' })
  await send(built, 'DELETE', `/auth/sessions/${secret}?key=${secret}`)
  t.same(linesWith(own, secret), [])
  t.ok(own.some(line => line.includes('"own":true,"agent":"browser"')))
  await send(built, 'GET', `/own/${secret}?key=${secret}`)
  t.ok(linesWith(own, secret).length > 0, 'the log of the app\'s own routes is the app\'s')
})

for (const logger of [false, undefined]) {
  t.test(`an app that logs nothing, or not by pino, works as before (${logger})`, async t => {
    const lines: unknown[][] = []
    const write = (...line: unknown[]) => { lines.push(line) }
    const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map(level => [level, write])
    const other = { level: 'info', child: () => other, ...Object.fromEntries(levels) }
    const server: object = logger === false ? { logger } : { loggerInstance: other, logger }
    const built = await sqliteBuild(t, { server })
    await built.register()
    const answer = await built.post('/login', { email: alice.email, password })
    t.equal(answer.statusCode, 200)
    t.equal((await built.get(`/nothing/${secret}`)).statusCode, 404)
  })
}
