import { alice, password, sqliteBuild, story, t } from './support/build.js'
import { processorMs } from './support/processor-time.js'

const byName = { account: { username: 'required', email: 'optional', loginMethods: ['username', 'email'] } }

story('the right password logs in, regardless of the case of the address and spaces around it', async (t, build) => {
  const { post, get, register, clock } = await build(t)
  const { user } = await register()
  clock.advance(60)
  for (const email of ['alice@example.com', ' ALICE@Example.com ']) {
    const answer = await post('/login', { email, password })
    t.equal(answer.statusCode, 200)
    t.same(answer.json().user, user)
    t.equal((await get('/user', { token: answer.json().access })).statusCode, 200)
  }
})

story('login accepts an HTML form as well as JSON', async (t, build) => {
  const { call, register } = await build(t)
  await register()
  t.equal((await call('POST', '/login', { form: { email: alice.email, password } })).statusCode, 200)
})

story('an unknown address, a wrong password, an inactive and a passwordless user look the same', async (t, build) => {
  const { post, app, register } = await build(t)
  await register()
  const bob = await register({ email: 'bob@example.com' })
  await app.restAuth.users.deactivate(bob.user.pk)
  await app.restAuth.users.create({ email: 'carol@example.com', gender: 'F', phone_number: '1' } as never)
  const answers = await Promise.all([
    post('/login', { email: 'nobody@example.com', password }),
    post('/login', { email: alice.email, password: 'wrong' }),
    post('/login', { email: 'bob@example.com', password }),
    post('/login', { email: 'carol@example.com', password })
  ])
  for (const answer of answers) {
    t.equal(answer.statusCode, 400)
    t.equal(answer.json().code, 'invalid_credentials')
    t.equal(answer.body, answers[0]?.body)
    t.same(Object.keys(answer.headers).sort(), Object.keys(answers[0]?.headers ?? {}).sort())
  }
})

story('with both login methods, either identifier logs in, and the address wins if both are sent', async (t, build) => {
  const { post } = await build(t, { options: { userFields: {}, ...byName } })
  await post('/registration', { username: 'Alice', password1: password, email: alice.email })
  await post('/registration', { username: 'bob', password1: password })
  const names = async (body: object) => (await post('/login', { password, ...body })).json().user?.username
  t.equal(await names({ username: 'aLICE' }), 'Alice')
  t.equal(await names({ email: alice.email, username: '' }), 'Alice')
  t.equal(await names({ email: '', username: 'bob' }), 'bob')
  t.equal(await names({ email: alice.email, username: 'bob' }), 'Alice')
})

story('an address in `username` names its owner or the user of that name, as the password says', async (t, build) => {
  const { post } = await build(t, { options: { userFields: {}, ...byName } })
  const mallory = 'Mallory-own-pw-1'
  await post('/registration', { username: 'alice', password1: password, email: alice.email })
  await post('/registration', { username: alice.email, password1: mallory, email: 'mallory@example.com' })
  await post('/registration', { username: 'carol@example.com', password1: password })
  const login = async (username: string, password: string) =>
    (await post('/login', { username, password })).json().user?.username
  t.equal(await login(alice.email, password), 'alice')
  t.equal(await login(' ALICE@example.COM', password), 'alice')
  t.equal(await login(alice.email, mallory), alice.email, 'her own account')
  t.equal(await login('carol@example.com', password), 'carol@example.com')
  t.equal(await login('nobody@example.com', password), undefined)
  const long = `${'a'.repeat(60)}@${'b'.repeat(60)}.${'c'.repeat(60)}.example`
  await post('/registration', { username: 'long', password1: password, email: long })
  t.equal(await login(long, password), 'long', 'an address may be longer than a username')
})

story('an account with an address that is another\'s username does not block that user', async (t, build) => {
  const { post, app } = await build(t, { options: { userFields: {}, ...byName } })
  const mallory = 'Mallory-own-pw-1'
  await post('/registration', { username: 'carol@example.com', password1: password })
  await post('/registration', { username: 'mallory', password1: mallory, email: 'carol@example.com' })
  const login = async (body: object) => (await post('/login', body)).json()
  const [carol, other] = ['carol@example.com', 'mallory']
  t.equal((await login({ username: carol, password })).user?.username, carol)
  t.equal((await login({ username: carol, password: mallory })).user?.username, other)
  t.equal((await login({ email: carol, password })).code, 'invalid_credentials', 'there it is no username')
  t.equal((await login({ username: carol, password: 'wrong' })).code, 'invalid_credentials')
  const found = await app.restAuth.users.find({ email: carol })
  await app.restAuth.users.deactivate(found?.pk ?? '')
  t.equal((await login({ username: carol, password })).user?.username, carol)
  t.equal((await login({ username: carol, password: mallory })).code, 'invalid_credentials')
})

t.test('a failed login with an address in `username` takes the same work for any account or none', async t => {
  const internals = { hashCost: { memoryCost: 8192, timeCost: 2, parallelism: 1 } }
  const { post } = await sqliteBuild(t, { internals, options: { userFields: {}, ...byName } })
  const register = async (body: object) => await post('/registration', { password1: password, ...body })
  await register({ username: 'owner', email: 'owner@example.com' })
  await register({ username: 'name@example.com' })
  await register({ username: 'two', email: 'both@example.com' })
  await register({ username: 'both@example.com' })
  const names = ['owner', 'name', 'both', 'nobody']
  const spent: Record<string, number[]> = {}
  for (let round = 0; round < 9; round++) {
    for (const name of names) {
      const attempt = { username: `${name}@example.com`, password: 'wrong' }
      ;(spent[name] ??= []).push(await processorMs(async () => await post('/login', attempt)))
    }
  }
  const median = (name: string) => [...spent[name] ?? []].sort((one, other) => one - other)[4] ?? 0
  for (const name of names) {
    const ratio = median(name) / median('nobody')
    t.ok(ratio > 0.6 && ratio < 1.6, `${name}: ${ratio.toFixed(2)} times the work of nobody`)
  }
})

t.test('without login by address, an address in `username` is only a username', async t => {
  const { post } = await sqliteBuild(t, {
    options: { userFields: {}, account: { ...byName.account, loginMethods: ['username'] } }
  })
  await post('/registration', { username: 'alice', password1: password, email: alice.email })
  t.equal((await post('/login', { username: alice.email, password })).json().code, 'invalid_credentials')
})

story('a login without an identifier returns the names of the accepted ones', async (t, build) => {
  const { post } = await build(t, { options: { userFields: {}, ...byName } })
  t.match((await post('/login', { password })).json(), {
    code: 'identifier_required',
    detail: 'Must include either "username" or "email" and "password".'
  })
  const byEmail = await build(t)
  t.match((await byEmail.post('/login', { email: ' ', password })).json(), {
    detail: 'Must include "email" and "password".'
  })
})

story('a login sets last_login and runs the loggedIn hook', async (t, build) => {
  const heard: unknown[] = []
  const loggedIn = (user: { pk: string }, request: { ip: string }) => { heard.push([user.pk, request.ip]) }
  const { post, register, app, clock } = await build(t, { options: { hooks: { loggedIn } } })
  const { user: { pk } } = await register()
  clock.advance(3600)
  await post('/login', { email: alice.email, password })
  t.same(heard, [[pk, '127.0.0.1'], [pk, '127.0.0.1']])
  t.same((await app.restAuth.users.find({ pk }))?.last_login, clock.now)
})

story("a user's expired sessions are deleted at their next login", async (t, build) => {
  const { post, register, app, clock } = await build(t)
  const { user: { pk } } = await register()
  t.equal((await app.restAuth.sessions.list(pk)).length, 1)
  clock.advance(2592000)
  await post('/login', { email: alice.email, password })
  t.equal((await app.restAuth.sessions.list(pk)).length, 1)
})

t.test('a session records the IP address and the first 512 characters of the user agent', async t => {
  const { post, register, app } = await sqliteBuild(t)
  const { user: { pk } } = await register()
  await post('/login', { email: alice.email, password }, { headers: { 'user-agent': 'Firefox '.repeat(100) } })
  const [session] = await app.restAuth.sessions.list(pk)
  t.match(session, { ip: '127.0.0.1', userAgent: /^Firefox/ })
  t.equal(session?.userAgent?.length, 512)
  t.notHas(session, 'userPk')
})
