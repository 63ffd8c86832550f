import { createHash } from 'node:crypto'
import { openDatabase } from '../src/db/open.js'
import { alice, password, secret, sqliteBuild, story, t, type BuiltApp, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { existingTable } from './support/users-table.js'

const invalid = { code: 'token_not_valid', detail: 'Token is invalid' }
const refreshWith =
  ({ post }: Pick<BuiltApp, 'post'>) =>
    async (refresh: string) =>
      await post('/token/refresh', { refresh })
const rowsOf = async (t: Test, database: unknown) => {
  const db = await openDatabase(database, [], () => {})
  t.teardown(() => db.close())
  return {
    sessions: async () => await db.orm.select().from(db.sessions),
    refreshTokens: async () => await db.orm.select().from(db.refreshTokens)
  }
}

story('a refresh token is exchanged for the next one and a fresh access token', async (t, build) => {
  const { get, post, register, clock } = await build(t)
  const first = await register()
  clock.advance(200)
  const answer = await post('/token/refresh', { refresh: first.refresh })
  t.equal(answer.statusCode, 200)
  const next = answer.json()
  t.strictSame(Object.keys(next), ['access', 'refresh', 'access_expiration', 'refresh_expiration'])
  t.match(next.refresh, /^[\w-]{43}$/)
  t.not(next.refresh, first.refresh)
  t.equal(next.access_expiration, '2026-11-23T12:08:20.000Z')
  t.equal(next.refresh_expiration, '2026-11-30T12:03:20.000Z')
  clock.advance(200)
  t.equal((await get('/user', { token: first.access })).json().code, 'token_expired')
  t.equal((await get('/user', { token: next.access })).statusCode, 200, 'the session goes on')
})

story('the stored form of a refresh token cannot be used', async (t, build, { dialect }) => {
  const database = dialect === 'sqlite' ? temporaryFile(t) : undefined
  const built = await build(t, database ? { options: { database } } : {})
  const { refreshTokens } = await rowsOf(t, database ?? built.database)
  const { refresh } = await built.register()
  const next = (await built.post('/token/refresh', { refresh })).json().refresh
  const sha256 = (token: string) => createHash('sha256').update(`/auth ${token}`).digest('base64url')
  t.same((await refreshTokens()).map(({ digest }) => digest).sort(), [sha256(refresh), sha256(next)].sort())
})

story('within the grace period a reused token returns the same next one (two tabs, lost answer)', async (t, build) => {
  const { post, get, register, clock } = await build(t)
  const { refresh } = await register()
  const first = (await post('/token/refresh', { refresh })).json()
  clock.advance(9)
  const again = (await post('/token/refresh', { refresh })).json()
  t.equal(again.refresh, first.refresh)
  t.equal(again.refresh_expiration, first.refresh_expiration, 'its lifetime has not started again')
  t.equal(again.access_expiration, '2026-11-23T12:05:09.000Z')
  t.equal((await get('/user', { token: again.access })).statusCode, 200)
  clock.advance(60)
  t.equal((await post('/token/refresh', { refresh: first.refresh })).statusCode, 200)
})

for (const [title, options, replay] of [
  ['after the grace period', {}, async ({ clock }: BuiltApp) => { clock.advance(11) }],
  ['without a grace period', { tokens: { refreshGrace: 0 } }, async () => {}],
  [
    'after the next one was used',
    {},
    async ({ post }: BuiltApp, next: string) => {
      await post('/token/refresh', { refresh: next })
    }
  ]
] as const) {
  story(`reuse of a refresh token ${title} ends the session and notifies the user`, async (t, build) => {
    const app = await build(t, { options })
    const refresh = refreshWith(app)
    const { refresh: stolen, access, user } = await app.register()
    const other = (await app.post('/login', { email: alice.email, password })).json()
    const next = (await refresh(stolen)).json()
    await replay(app, next.refresh)
    const answer = await refresh(stolen)
    t.equal(answer.statusCode, 401)
    t.match(answer.json(), invalid)
    for (const token of [access, next.access]) {
      t.equal((await app.get('/user', { token })).json().code, 'token_not_valid', 'access tokens too')
    }
    t.match((await refresh(next.refresh)).json(), invalid, 'the next token is invalid too')
    t.equal((await app.get('/user', { token: other.access })).statusCode, 200, 'another session of the user lives on')
    t.equal((await refresh(other.refresh)).statusCode, 200)

    const events = app.logs.map(line => JSON.parse(line)).filter(({ event }) => event === 'token_reused')
    t.match(events, [{ level: 50, userPk: user.pk, sessionId: /^[\da-f-]{36}$/ }])
    t.equal(events.length, 1)
    t.match(await app.mails(), [{ to: alice.email, subject: '[localhost:3000] You were logged out' }])
  })
}

story('a hundred reuses cause one mail per hour', async (t, build) => {
  const { post, mails, register, clock } = await build(t)
  await register()
  for (let round = 0; round < 5; round++) {
    const { refresh } = (await post('/login', { email: alice.email, password })).json()
    await post('/token/refresh', { refresh })
    clock.advance(11)
    for (let time = 0; time < 20; time++) t.equal((await post('/token/refresh', { refresh })).statusCode, 401)
  }
  t.equal((await mails()).length, 1)
})

story('reuse of any earlier token is detected', async (t, build) => {
  const { post, register, clock } = await build(t)
  const { refresh: oldest } = await register()
  let refresh = oldest
  for (let day = 0; day < 6; day++) {
    refresh = (await post('/token/refresh', { refresh })).json().refresh
    clock.advance(86400)
  }
  t.equal((await post('/token/refresh', { refresh: oldest })).statusCode, 401)
  t.match((await post('/token/refresh', { refresh })).json(), invalid)
})

story('a session ends if it is not refreshed within the idle time', async (t, build) => {
  const { post, register, clock } = await build(t, { options: { tokens: { refresh: { idle: 3600 } } } })
  const { refresh } = await register()
  clock.advance(3599)
  const next = (await post('/token/refresh', { refresh })).json().refresh
  clock.advance(3600)
  const answer = await post('/token/refresh', { refresh: next })
  t.equal(answer.statusCode, 401)
  t.match(answer.json(), { code: 'token_expired', detail: 'Token is expired' })
})

story('rotation never extends a session beyond its absolute lifetime', async (t, build) => {
  const { get, post, register, clock } = await build(t, {
    options: { tokens: { access: 3600, refresh: { idle: 7200, absolute: 36000 } } }
  })
  let { refresh } = await register()
  for (let hour = 1; hour < 10; hour++) {
    clock.advance(3600)
    const answer = await post('/token/refresh', { refresh })
    t.equal(answer.statusCode, 200)
    t.ok(answer.json().refresh_expiration <= '2026-11-23T22:00:00.000Z')
    refresh = answer.json().refresh
  }
  clock.advance(3500)
  const last = (await post('/token/refresh', { refresh })).json()
  t.equal(last.refresh_expiration, '2026-11-23T22:00:00.000Z')
  t.equal(last.access_expiration, '2026-11-23T22:00:00.000Z', 'an access token promises no more than the session has')
  clock.advance(101)
  t.equal((await get('/user', { token: last.access })).statusCode, 401)
  t.match((await post('/token/refresh', { refresh: last.refresh })).json(), { code: 'token_expired' })
})

story('logout, deactivation, deletion and a password change all invalidate refresh tokens', async (t, build) => {
  const { app, post, register } = await build(t)
  const ways = [
    async ({ refresh }: { refresh: string }) => { await post('/logout', { refresh }) },
    async ({ user }: { user: { pk: string } }) => { await app.restAuth.users.deactivate(user.pk) },
    async ({ user }: { user: { pk: string } }) => { await app.restAuth.users.delete(user.pk) },
    async ({ email }: { email: string }) => {
      const { access: token } = (await post('/login', { email, password })).json()
      await post('/password/change', { old_password: password, new_password1: 'An0ther-secret-pw' }, { token })
    }
  ]
  for (const [index, way] of ways.entries()) {
    const email = `u${index}@example.com`
    const { refresh, user } = await register({ email })
    const next = (await post('/token/refresh', { refresh })).json().refresh
    await way({ refresh: next, user, email })
    for (const token of [refresh, next]) {
      t.match((await post('/token/refresh', { refresh: token })).json(), invalid, String(way))
      t.equal((await post('/token/verify', { token })).statusCode, 401)
    }
  }
})

story('a user deactivated by SQL of the app cannot refresh either', async (t, build, { dialect }) => {
  const database = dialect === 'sqlite' ? temporaryFile(t) : undefined
  const built = await build(t, database ? { options: { database } } : {})
  const db = await openDatabase(database ?? built.database, [], () => {}, existingTable)
  t.teardown(() => db.close())
  const { refresh, access } = await built.register()
  await db.orm.update(db.users).set({ isActive: false })
  t.match((await built.post('/token/refresh', { refresh })).json(), invalid)
  for (const token of [refresh, access]) t.equal((await built.post('/token/verify', { token })).statusCode, 401)
})

story('an invalid refresh token is refused without any other effect', async (t, build) => {
  const { post, register, logs } = await build(t)
  const { access, refresh } = await register()
  const flipped = refresh.replace(/.$/, last => last === 'A' ? 'Q' : 'A')
  for (const wrong of ['garbage', access, flipped, `${refresh}=`, refresh.toLowerCase(), 'x'.repeat(4096)]) {
    const answer = await post('/token/refresh', { refresh: wrong })
    t.equal(answer.statusCode, 401)
    t.match(answer.json(), invalid)
  }
  for (const body of [undefined, {}]) {
    t.match((await post('/token/refresh', body)).json(), {
      code: 'token_not_valid',
      detail: 'No valid refresh token found.'
    })
  }
  for (const wrong of ['', null, 5, ['x'], 'x'.repeat(4097), 'a\0b']) {
    t.equal((await post('/token/refresh', { refresh: wrong })).statusCode, 400)
  }
  t.notOk(logs.some(line => line.includes('token_reused')))
  t.equal((await post('/token/refresh', { refresh })).statusCode, 200)
  t.equal((await post('/token/refresh', undefined, { form: { refresh } })).statusCode, 200, 'a form will do')
})

story('a refresh token is not accepted as an access token', async (t, build) => {
  const { get, register } = await build(t)
  const { refresh } = await register()
  t.equal((await get('/user', { token: refresh })).json().code, 'token_not_valid')
})

story('verify accepts both kinds of token, and never says why one is invalid', async (t, build) => {
  const { post, register, clock } = await build(t)
  const { access, refresh } = await register()
  const verify = async (token: unknown) => await post('/token/verify', { token })
  for (const token of [access, refresh]) {
    const answer = await verify(token)
    t.equal(answer.statusCode, 200)
    t.strictSame(answer.json(), {})
  }
  const next = (await post('/token/refresh', { refresh })).json()
  t.equal(
    (await verify(refresh)).statusCode,
    200,
    "as long as it is answered again: who has a copy can't tell when its owner used it"
  )
  clock.advance(11)
  const answers = [await verify(refresh), await verify('garbage'), await verify('a.b.c'), await verify(`${access}x`)]
  t.equal((await verify(next.refresh)).statusCode, 200, 'to ask of a used one ends no session')
  clock.advance(290)
  answers.push(await verify(access))
  clock.advance(700000)
  answers.push(await verify(next.refresh))
  await post('/logout', { refresh: next.refresh })
  answers.push(await verify(next.access))
  for (const answer of answers) {
    t.equal(answer.statusCode, 401)
    t.strictSame(answer.json(), answers[0]?.json())
  }
  t.equal((await post('/token/verify', {})).json().errors[0].code, 'required')
})

t.test('a reused token returns the same next token even after the secret changed', async t => {
  const database = temporaryFile(t)
  const newer = 'Zk3pQ9wB7nT1xV5mR8cL2dF6hJ0sYgUa'
  const before = await sqliteBuild(t, { options: { database } })
  const { refresh } = await before.register()
  const first = (await before.post('/token/refresh', { refresh })).json().refresh
  const after = await sqliteBuild(t, { options: { database, secret: [newer, secret] } })
  t.equal((await after.post('/token/refresh', { refresh })).json().refresh, first)
  const second = (await after.post('/token/refresh', { refresh: first })).json().refresh
  t.equal((await after.post('/token/refresh', { refresh: first })).json().refresh, second)
  const without = await sqliteBuild(t, { options: { database, secret: newer } })
  t.equal(
    (await without.post('/token/refresh', { refresh: second })).statusCode,
    200,
    'a refresh token needs no secret'
  )
})

t.test('a database failure is 500, not an invalid token', async t => {
  const database = temporaryFile(t)
  const { post, register } = await sqliteBuild(t, { options: { database } })
  const { access, refresh } = await register()
  const db = await openDatabase(database, [], () => {})
  await db.execute(db, 'ALTER TABLE sessions RENAME TO gone')
  await db.close()
  for (const token of [access, refresh]) {
    t.equal((await post('/token/verify', { token }, { fault: true })).statusCode, 500)
  }
  t.equal((await post('/token/refresh', { refresh }, { fault: true })).statusCode, 500)
})

story('a spent refresh token stays spent when the clock is set back', async (t, build) => {
  for (const seconds of [1, 9, 60, 3600]) {
    const { post, register, clock } = await build(t)
    const { refresh } = await register()
    t.equal((await post('/token/refresh', { refresh })).statusCode, 200)
    clock.advance(-seconds)
    t.equal((await post('/token/verify', { token: refresh })).statusCode, 401, `${seconds} seconds back`)
    t.equal((await post('/token/refresh', { refresh })).json().code, 'token_not_valid', `${seconds} seconds back`)
  }
})
