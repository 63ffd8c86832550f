import { Type } from '@sinclair/typebox'
import { type Tx, Rejection } from '../src/index.js'
import { alice, fieldCodes, story } from './support/build.js'
import { otherPk, usersOf } from './support/users-table.js'

story('a registration stores the user, logs them in, and returns tokens and declared fields', async (t, build) => {
  const { post, get } = await build(t)
  const answer = await post('/registration', { ...alice, email: '  Alice@Example.COM ' })
  t.equal(answer.statusCode, 201)
  const { access, refresh, access_expiration: accessExpiration, user } = answer.json()
  t.match(user, { email: 'alice@example.com', gender: 'F', phone_number: '+15550100' })
  t.same(Object.keys(user), ['pk', 'email', 'gender', 'phone_number'])
  t.match(refresh, /^[\w-]{43}$/)
  t.equal(accessExpiration, '2026-11-23T12:05:00.000Z')
  t.same((await get('/user', { token: access })).json(), user)
})

story('all errors of a registration are reported at once, in the order of the schema', async (t, build) => {
  const { post, register } = await build(t)
  await register()
  const wrong = { gender: 'X', password2: 'y', password1: '123', email: 'ALICE@example.com' }
  const answer = await post('/registration', wrong)
  t.equal(answer.statusCode, 400)
  t.same(fieldCodes(answer), {
    email: ['email_taken'],
    password1: ['password_too_short', 'password_entirely_numeric'],
    password2: ['password_mismatch'],
    gender: ['invalid_choice'],
    phone_number: ['required']
  })
  t.same(Object.keys(fieldCodes(answer)), ['email', 'password1', 'password2', 'gender', 'phone_number'])
})

story('registration accepts an HTML form as well as JSON', async (t, build) => {
  const { call } = await build(t)
  t.equal((await call('POST', '/registration', { form: alice })).statusCode, 201)
})

story('password2 may be left out, and must match when sent', async (t, build) => {
  const { post } = await build(t)
  t.same(fieldCodes(await post('/registration', { ...alice, password2: 'other' })), {
    password2: ['password_mismatch']
  })
  t.equal((await post('/registration', { ...alice, password2: alice.password1 })).statusCode, 201)
})

story('a username can be required, optional or absent', async (t, build) => {
  const required = await build(t, { options: { userFields: {}, account: { username: 'required' } } })
  t.same(fieldCodes(await required.post('/registration', alice)), { username: ['required'] })
  const optional = await build(t, { options: { userFields: {}, account: { username: 'optional' } } })
  t.match((await optional.post('/registration', alice)).json().user, { username: null })
  t.match((await optional.post('/registration', { ...alice, email: 'b@example.com', username: 'Bob' })).json().user, {
    username: 'Bob'
  })
  t.same(fieldCodes(await optional.post('/registration', { ...alice, email: 'c@example.com', username: '' })), {
    username: ['blank']
  })
  const none = await build(t)
  t.notHas((await none.post('/registration', { ...alice, username: 'Bob' })).json().user, 'username')
})

story('if the address is optional, a username is enough', async (t, build) => {
  const { post } = await build(t, {
    options: { userFields: {}, account: { username: 'required', email: 'optional', loginMethods: ['username'] } }
  })
  t.match((await post('/registration', { username: 'al', password1: alice.password1 })).json().user, {
    username: 'al',
    email: null
  })
  const second = await post('/registration', { username: 'bo', password1: alice.password1 })
  t.equal(second.statusCode, 201, 'and so for any number of users')
})

story('registration is open, closed, or decided by a function of the app', async (t, build) => {
  const closed = await build(t, { options: { account: { registration: 'closed' } } })
  const refused = await closed.post('/registration', alice)
  t.equal(refused.statusCode, 403)
  t.equal(refused.json().code, 'registration_closed')
  const guard = (request: { headers: Record<string, unknown> }) =>
    request.headers['x-invited'] ? true : request.headers['x-spam'] ? false : 'By invitation only.'
  const guarded = await build(t, { options: { account: { registration: guard } } })
  t.equal((await guarded.post('/registration', alice)).json().detail, 'By invitation only.')
  t.equal((await guarded.post('/registration', alice, { headers: { 'x-spam': '1' } })).statusCode, 403)
  t.equal((await guarded.post('/registration', alice, { headers: { 'x-invited': '1' } })).statusCode, 201)
})

story('the hooks run in the order of the registration, and do not receive the password', async (t, build) => {
  const heard: unknown[] = []
  const hooks = {
    registering: async (input: object) => { heard.push(['registering', input]) },
    registered: async (user: { email: string }) => { heard.push(['registered', user.email]) },
    loggedIn: async (user: { email: string }) => { heard.push(['loggedIn', user.email]) }
  }
  const { register } = await build(t, { options: { hooks } })
  await register()
  const { password1: _password, ...sent } = alice
  t.same(heard, [['registering', sent], ['registered', alice.email], ['loggedIn', alice.email]])
})

story("a throw in a hook rolls everything back, including the hook's own writes", async (t, build, { dialect }) => {
  // As the author of the hook would write it, for the database of the app.
  const users = usersOf(dialect)
  const hooks = {
    registered: async (user: { pk: string, email: string }, tx: Tx) => {
      await tx.insert(users).values({ pk: otherPk(user.pk), isActive: true, createdAt: new Date() })
      if (user.email === alice.email) throw new Rejection('The quota is used up.', 'email')
    }
  }
  const { post, app } = await build(t, { options: { hooks } })
  t.same(fieldCodes(await post('/registration', alice)), { email: ['value_not_allowed'] })
  t.equal(await app.restAuth.users.find({ email: alice.email }), undefined)
  const { user } = (await post('/registration', { ...alice, email: 'bob@example.com' })).json()
  t.ok(await app.restAuth.users.find({ pk: otherPk(user.pk) }), "without a throw, the hook's writes are kept")
  t.equal((await post('/registration', { ...alice, email: 'carol@example.com' })).statusCode, 201)
})

story('an unexpected error in a hook is a 500 that stores nothing and reveals nothing', async (t, build) => {
  const hooks = { registered: () => { throw new Error('secret detail') } }
  const { post, app } = await build(t, { options: { hooks } })
  const answer = await post('/registration', alice, { fault: true })
  t.equal(answer.statusCode, 500)
  t.notMatch(answer.body, /secret detail/)
  t.equal(await app.restAuth.users.find({ email: alice.email }), undefined)
})

story('a throw in the loggedIn hook ends the session, and keeps the account', async (t, build) => {
  const hooks = { loggedIn: () => { throw new Rejection('Wait for our call.') } }
  const { post, app } = await build(t, { options: { hooks } })
  for (const [path, body] of [
    ['/registration', alice],
    ['/login', { email: alice.email, password: alice.password1 }]
  ] as const) {
    t.match((await post(path, body)).json(), { code: 'rejected', detail: 'Wait for our call.' }, path)
  }
  const { pk } = await app.restAuth.users.find({ email: alice.email }) ?? { pk: '' }
  t.ok(pk)
  t.same(await app.restAuth.sessions.list(pk), [])
})

story('a form sends a list by repeating a field, and an unticked box by leaving it out', async (t, build) => {
  const userFields = {
    newsletter: { schema: Type.Boolean() },
    tags: { schema: Type.Optional(Type.Array(Type.String({ maxLength: 9 }))) }
  }
  const { call } = await build(t, { options: { userFields } })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const send = async (email: string, rest: string) => {
    const payload = `email=${email}&password1=${alice.password1}${rest}`
    return (await call('POST', '/registration', { payload, headers })).json().user
  }
  t.match(await send('a@example.com', '&newsletter=on&tags=x&tags=y'), { newsletter: true, tags: ['x', 'y'] })
  t.match(await send('b@example.com', '&tags=x'), { newsletter: false, tags: ['x'] })
  t.match(await send('c@example.com', ''), { newsletter: false, tags: null })
})
