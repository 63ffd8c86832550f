import { mkdtempSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alice, password, story, type BuiltApp } from './support/build.js'

interface Listed {
  id: string
  ip: string | null
  user_agent: string | null
  created_at: string
  last_seen_at: string
  expires_at: string
  current: boolean
}

const listOf = ({ get }: BuiltApp) => async (token: string): Promise<Listed[]> =>
  (await get('/sessions', { token })).json()
const login = async ({ post }: BuiltApp, headers: Record<string, string> = {}) =>
  (await post('/login', { email: alice.email, password }, { headers })).json()

story('a user sees their sessions, newest first, without any token', async (t, build) => {
  const app = await build(t)
  const { access, refresh } = await app.register()
  app.clock.advance(60)
  const phone = await login(app, { 'user-agent': 'Phone/1.0' })
  app.clock.advance(60)
  const answer = await app.get('/sessions', { token: access })
  t.equal(answer.statusCode, 200)
  t.strictSame(Object.keys(answer.json()[0]), [
    'id', 'ip', 'user_agent', 'created_at', 'last_seen_at', 'expires_at', 'current'
  ])
  t.match(answer.json(), [
    {
      ip: '127.0.0.1',
      user_agent: 'Phone/1.0',
      created_at: '2026-11-23T12:01:00.000Z',
      last_seen_at: '2026-11-23T12:01:00.000Z',
      expires_at: '2026-12-23T12:01:00.000Z',
      current: false
    },
    { created_at: '2026-11-23T12:00:00.000Z', last_seen_at: '2026-11-23T12:02:00.000Z', current: true }
  ])
  for (const token of [access, refresh, phone.access, phone.refresh]) t.notOk(answer.body.includes(token))
})

story('a refresh keeps the session and updates last_seen_at', async (t, build) => {
  const app = await build(t)
  const { refresh } = await app.register()
  app.clock.advance(3600)
  const { access } = (await app.post('/token/refresh', { refresh })).json()
  t.match(await listOf(app)(access), [
    { created_at: '2026-11-23T12:00:00.000Z', last_seen_at: '2026-11-23T13:00:00.000Z', current: true }
  ])
})

story('a session that can no longer be refreshed is not listed, unless it is the current one', async (t, build) => {
  const app = await build(t, { options: { tokens: { access: 3600, refresh: { idle: 600, absolute: 7200 } } } })
  await app.register()
  const { access: current } = await login(app)
  app.clock.advance(700)
  t.match(await listOf(app)(current), [{ current: true }], 'the current one counts while its access token is valid')
  const { access } = await login(app)
  t.match(await listOf(app)(access), [{ current: true }])
})

story('a user can end one of their sessions, with immediate effect', async (t, build) => {
  const app = await build(t)
  const { access: token } = await app.register()
  const other = await login(app)
  const [newest] = await listOf(app)(token)
  const answer = await app.call('DELETE', `/sessions/${newest?.id}`, { token })
  t.equal(answer.statusCode, 204)
  t.equal(answer.body, '')
  t.equal((await app.get('/user', { token: other.access })).json().code, 'token_not_valid')
  t.equal((await app.post('/token/refresh', { refresh: other.refresh })).statusCode, 401)
  t.equal((await listOf(app)(token)).length, 1)
  t.equal((await app.call('DELETE', `/sessions/${newest?.id}/`, { token })).json().code, 'not_found', 'a second time')
})

story('ending the current session is a logout', async (t, build) => {
  const app = await build(t)
  const { access: token } = await app.register()
  const [current] = await listOf(app)(token)
  const empty = { headers: { 'content-type': 'application/json' }, payload: '' }
  t.equal((await app.call('DELETE', `/sessions/${current?.id}/`, { token, ...empty })).statusCode, 204)
  t.equal((await app.get('/user', { token })).statusCode, 401)
})

story("another user's session returns 404, as an unknown session does", async (t, build) => {
  const app = await build(t)
  const { access: token } = await app.register()
  const { access: stranger } = await app.register({ email: 'mallory@example.com' })
  const [own] = await listOf(app)(token)
  const ids = [
    own?.id, '019391f2-8c5e-7b11-9a54-0c4f8a7d2e61', 'x', '%00', '%F0%9F%98%80', '__proto__', 'x'.repeat(90),
    `${own?.id}%20`, `${own?.id?.toUpperCase()}`
  ]
  const answers = await Promise.all(
    ids.map(async id => await app.call('DELETE', `/sessions/${id}`, { token: stranger }))
  )
  for (const answer of answers) {
    t.equal(answer.statusCode, 404)
    t.equal(answer.json().code, 'not_found')
  }
  t.equal((await app.get('/user', { token })).statusCode, 200)
  t.equal((await listOf(app)(stranger)).length, 1, 'the other user sees only their own session')
})

story("logging out everywhere ends all sessions of the user, and nobody else's", async (t, build) => {
  const app = await build(t)
  const first = await app.register()
  const second = await login(app)
  const { access: stranger } = await app.register({ email: 'bob@example.com' })
  const answer = await app.post('/logout/all', undefined, { token: first.access })
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { detail: 'Successfully logged out.' })
  for (const { access, refresh } of [first, second]) {
    t.equal((await app.get('/user', { token: access })).json().code, 'token_not_valid')
    t.equal((await app.post('/token/refresh', { refresh })).statusCode, 401)
  }
  t.equal((await app.get('/user', { token: stranger })).statusCode, 200)
  t.equal((await app.post('/logout/all', undefined, { token: first.access })).statusCode, 401)
})

story('sessions cannot be listed or ended without a login', async (t, build) => {
  const app = await build(t)
  const answers = [await app.get('/sessions'), await app.call('DELETE', '/sessions/x'), await app.post('/logout/all')]
  for (const answer of answers) t.equal(answer.json().code, 'not_authenticated')
})

story('an unexpected body is ignored if it is valid, and is never a 500', async (t, build) => {
  const app = await build(t)
  const { access: token } = await app.register()
  for (const [payload, type, status] of [
    ['{', 'application/json', 400],
    ['<x/>', 'text/xml', 415],
    ['x'.repeat(20000), 'application/json', 413]
  ] as const) {
    const headers = { 'content-type': type }
    t.equal((await app.call('POST', '/logout/all', { token, payload, headers })).statusCode, status)
    t.equal((await app.call('DELETE', '/sessions/x', { token, payload, headers })).statusCode, status)
  }
  t.equal((await app.post('/logout/all', { any: 'thing' }, { token })).statusCode, 200)
})

story('a login over a Unix socket has no IP address, and is no error', async (t, build) => {
  const { app, register, get } = await build(t)
  await register()
  const socketPath = join(mkdtempSync(join(tmpdir(), 'rest-auth-')), 'app.sock')
  await app.listen({ path: socketPath })
  const body = JSON.stringify({ email: alice.email, password })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const { status, text } = await new Promise<{ status: number | undefined, text: string }>((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path: '/auth/login', headers }, async response => {
      resolve({ status: response.statusCode, text: Buffer.concat(await response.toArray()).toString() })
    })
    sent.on('error', reject).end(body)
  })
  t.equal(status, 200, text)
  const sessions: Listed[] = (await get('/sessions', { token: JSON.parse(text).access })).json()
  t.same(sessions.map(({ ip, user_agent: agent }) => [ip, agent]), [[null, null], ['127.0.0.1', 'lightMyRequest']])
})

story('a client that hangs up while its password is hashed is no error', async (t, build) => {
  const { app, register, logs, post } = await build(t)
  await register()
  const address = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  const body = JSON.stringify({ email: alice.email, password })
  await new Promise<void>(resolve => {
    const sent = request({
      host: address.hostname,
      port: address.port,
      method: 'POST',
      path: '/auth/login',
      headers: {
        'content-type': 'application/json', 'content-length': Buffer.byteLength(body)
      }
    })
    sent.on('error', () => resolve())
    app.server.once('request', () => sent.destroy(new Error('hung up')))
    sent.end(body)
  })
  // The hash of the next login waits behind that of the first.
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
  t.same(logs.filter(line => JSON.parse(line).level >= 50), [])
})
