/** With `tokens.refresh.rotate: false` a client keeps its first refresh token, as simplejwt's clients do by default. */
import { alice, articleOptions, cookiesOf, password, story, t, sqliteBuild } from './support/build.js'
import { databases, temporaryFile } from './support/databases.js'

const days = 86400
const kept = { tokens: { refresh: { rotate: false } } }

story('a client that keeps its refresh token stays logged in, and the owner gets no alarm', async (t, build) => {
  const { register, post, get, clock, mails, logs } = await build(t, { options: kept })
  const { refresh, access } = await register()
  for (let i = 0; i < 5; i++) {
    clock.advance(1 * days)
    const answer = await post('/token/refresh', { refresh })
    t.equal(answer.statusCode, 200)
    t.equal(answer.json().refresh, refresh, 'the same one')
    t.equal(answer.json().refresh_expiration, new Date(clock.now.getTime() + 7 * days * 1000).toISOString())
    t.not(answer.json().access, access)
    t.equal((await get('/user', { token: answer.json().access })).statusCode, 200)
    t.equal((await post('/token/verify', { token: refresh })).statusCode, 200)
  }
  t.same((await mails()).filter(({ subject }) => /logged out/.test(subject)), [])
  t.notMatch(logs.join(''), /token_reused|token_shared/)
})

story('fifty refreshes with a kept token at once all succeed', async (t, build) => {
  const { register, post } = await build(t, { options: kept })
  const { refresh } = await register()
  const answers = await Promise.all(Array.from({ length: 50 }, () => post('/token/refresh', { refresh })))
  t.same([...new Set(answers.map(({ statusCode }) => statusCode))], [200])
  t.same([...new Set(answers.map(answer => answer.json().refresh))], [refresh])
})

story('a session with a kept token ends when it is idle, and at its absolute end', async (t, build) => {
  const { register, post, clock } = await build(t, {
    options: { tokens: { refresh: { rotate: false, idle: 7 * days, absolute: 10 * days } } }
  })
  const idle = await register()
  const busy = await register({ email: 'bob@example.com' })
  clock.advance(6 * days)
  t.equal((await post('/token/refresh', { refresh: busy.refresh })).statusCode, 200)
  clock.advance(1 * days)
  t.equal((await post('/token/refresh', { refresh: idle.refresh })).json().code, 'token_expired')
  clock.advance(3 * days - 1)
  const last = await post('/token/refresh', { refresh: busy.refresh })
  t.equal(last.statusCode, 200)
  t.ok(Date.parse(last.json().refresh_expiration) <= clock.now.getTime() + 1000)
  clock.advance(1)
  t.equal((await post('/token/refresh', { refresh: busy.refresh })).json().code, 'token_expired')
})

story('logout, a password change, deactivation and deletion end a session with a kept token', async (t, build) => {
  const { register, post, get, app } = await build(t, { options: kept })
  const ends: Array<[what: string, end: (session: Awaited<ReturnType<typeof register>>) => Promise<unknown>]> = [
    ['logout', ({ refresh }) => post('/logout', { refresh })],
    ['logout everywhere', ({ access }) => post('/logout/all', {}, { token: access })],
    ['a new password', async ({ user }) => {
      const { access } = (await post('/login', { email: user.email, password })).json()
      await post('/password/change', { old_password: password, new_password1: 'Brand-new-pw-1' }, { token: access })
    }],
    ['deactivation', ({ user }) => app.restAuth.users.deactivate(user.pk)],
    ['deletion', ({ user }) => app.restAuth.users.delete(user.pk)]
  ]
  for (const [index, [what, end]] of ends.entries()) {
    const session = await register({ email: `user${index}@example.com` })
    await post('/token/refresh', { refresh: session.refresh })
    await end(session)
    t.equal((await post('/token/refresh', { refresh: session.refresh })).json().code, 'token_not_valid', what)
    t.equal((await get('/user', { token: session.access })).statusCode, 401, what)
  }
})

t.test('with cookies the refresh token stays the same, and its cookie lives longer', async t => {
  const { post, clock } = await sqliteBuild(t, { options: { tokens: { ...kept.tokens, cookies: {} } } })
  const registered = await post('/registration', alice)
  clock.advance(1 * days)
  const answer = await post('/token/refresh', {}, { headers: { cookie: cookiesOf(registered) } })
  t.match(answer.cookies.find(({ name }) => name.endsWith('refresh')), {
    value: registered.cookies.find(({ name }) => name.endsWith('refresh'))?.value,
    maxAge: 7 * days
  })
  t.notOk('refresh' in answer.json())
})

for (const { name, dialect, open } of databases) {
  const title = 'sessions go on when the app turns rotation off or on, and a replaced token still ends one'
  t.test(`${title} (${name})`, async t => {
    const { database: opened, close } = await open(true)
    t.teardown(close)
    const database = dialect === 'sqlite' ? temporaryFile(t) : opened
    const start = async (rotate: boolean) => await sqliteBuild(t, {
      options: { ...articleOptions, database, migrate: true, tokens: { refresh: { rotate } } }
    })
    const rotating = await start(true)
    const first = await rotating.register()
    const { refresh } = (await rotating.post('/token/refresh', { refresh: first.refresh })).json()
    await rotating.app.close()
    const keeping = await start(false)
    keeping.clock.advance(60)
    t.equal((await keeping.post('/token/refresh', { refresh })).json().refresh, refresh)
    const other = await keeping.register({ email: 'bob@example.com' })
    t.equal((await keeping.post('/token/refresh', { refresh: first.refresh })).json().code, 'token_not_valid')
    t.equal((await keeping.post('/token/refresh', { refresh })).json().code, 'token_not_valid')
    await keeping.app.close()
    const again = await start(true)
    t.not((await again.post('/token/refresh', { refresh: other.refresh })).json().refresh, other.refresh)
  })
}

t.test('OpenAPI says whether a refresh token is replaced', async t => {
  for (const [rotate, summary] of [
    [true, 'Exchange a refresh token for the next one'],
    [false, 'Get a new access token']
  ]) {
    const { app } = await sqliteBuild(t, { options: { tokens: { refresh: { rotate } } } })
    t.match(app.restAuth.openapi(), { paths: { '/auth/token/refresh': { post: { summary } } } })
  }
})
