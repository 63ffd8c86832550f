import { Type } from '@sinclair/typebox'
import type { Tx } from '../src/index.js'
import { alice, fieldCodes, password, story } from './support/build.js'
import { longPk, usersOf } from './support/users-table.js'

const named = {
  userFields: {},
  account: {
    username: 'required',
    loginMethods: ['username', 'email'],
    usernameBlocklist: ['root'],
    usernameMinLength: 3
  }
}
const ann = { username: 'Ann', email: alice.email, password1: password }

story('GET returns the declared fields of the user, and nothing else', async (t, build) => {
  const { get, register } = await build(t)
  const { access: token, user } = await register()
  const answer = await get('/user', { token })
  t.same(answer.json(), user)
  t.same(Object.keys(answer.json()), ['pk', 'email', 'gender', 'phone_number'])
})

story('the gender can be changed, the phone number and the email address cannot', async (t, build) => {
  const { get, patch, put, register } = await build(t)
  const { access: token, user } = await register()
  const sent = { gender: 'NS', phone_number: '0', email: 'mallory@example.com', pk: '1', is_active: false }
  for (const write of [patch, put]) {
    const answer = await write('/user', sent, { token })
    t.equal(answer.statusCode, 200)
    t.same(answer.json(), { ...user, gender: 'NS' })
  }
  t.same((await get('/user', { token })).json(), { ...user, gender: 'NS' })
})

story('PATCH changes only the fields sent; an empty one returns the user', async (t, build) => {
  const { patch, register } = await build(t)
  const { access: token, user } = await register()
  t.same((await patch('/user', {}, { token })).json(), user)
  t.same(fieldCodes(await patch('/user', { gender: 'Z' }, { token })), { gender: ['invalid_choice'] })
  t.same(fieldCodes(await patch('/user', { gender: null }, { token })), { gender: ['null'] })
})

story('PUT requires every required field', async (t, build) => {
  const { put, register } = await build(t)
  const { access: token } = await register()
  t.same(fieldCodes(await put('/user', {}, { token })), { gender: ['required'] })
})

story('reading and changing the user require a token', async (t, build) => {
  const { call } = await build(t)
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD'] as const) {
    const answer = await call(method, '/user')
    t.equal(answer.statusCode, 401, method)
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="api"')
  }
})

story('a username can be kept or changed to a free one, compared case-insensitively', async (t, build) => {
  const { post, patch } = await build(t, { options: named })
  await post('/registration', { username: 'Bob', email: 'bob@example.com', password1: password })
  const { access: token } = (await post('/registration', ann)).json()
  const change = async (username: string) => await patch('/user', { username }, { token })
  t.same(fieldCodes(await change('bOB')), { username: ['username_taken'] })
  t.same(fieldCodes(await change('Root')), { username: ['username_not_allowed'] })
  t.same(fieldCodes(await change('ab')), { username: ['min_length'] })
  t.same(fieldCodes(await change('a b c')), { username: ['invalid_username'] })
  t.equal((await change('ANN')).json().username, 'ANN')
  t.equal((await change('Annie')).json().username, 'Annie')
  t.equal((await post('/login', { username: 'annie', password })).statusCode, 200)
})

story('an optional username can be set, sent back unchanged, and removed', async (t, build) => {
  const { patch, put, post } = await build(t, {
    options: { userFields: {}, account: { username: 'optional', loginMethods: ['username', 'email'] } }
  })
  const { access: token, user } = (
    await post('/registration', { email: alice.email, password1: password, username: null })
  ).json()
  t.equal(user.username, null)
  t.same((await put('/user', user, { token })).json(), user)
  t.equal((await patch('/user', { username: 'Ann' }, { token })).json().username, 'Ann')
  t.equal((await patch('/user', { username: null }, { token })).json().username, null)
  t.equal((await post('/login', { username: 'ann', password })).statusCode, 400)
})

story('another username requires a login or the password within the last five minutes', async (t, build) => {
  const { post, patch, put, get, clock } = await build(t, { options: { ...named, tokens: { access: 3600 } } })
  const { access: token, user } = (await post('/registration', ann)).json()
  clock.advance(300)
  t.equal((await patch('/user', { username: 'Annie' }, { token })).statusCode, 200, 'at the last second')
  clock.advance(1)
  for (const [what, answer] of [
    ['PATCH', await patch('/user', { username: 'Mallory' }, { token })],
    ['PUT', await put('/user', { ...user, username: 'Mallory' }, { token })],
    ['one that is taken or refused', await patch('/user', { username: 'Root' }, { token })]
  ] as const) {
    t.equal(answer.statusCode, 401, what)
    t.equal(answer.json().code, 'reauthentication_required', what)
    t.match(answer.headers['www-authenticate'], /max_age="300"/)
  }
  t.equal((await get('/user', { token })).json().username, 'Annie', 'nothing has changed')
  for (const same of ['Annie', 'ANNIE', 'ａｎｎｉｅ']) {
    t.equal((await put('/user', { ...user, username: same }, { token })).statusCode, 200, same)
  }
  t.same(fieldCodes(await patch('/user', { username: 'ab' }, { token })), { username: ['min_length'] })
  t.equal((await post('/reauthenticate', { password }, { token })).statusCode, 200)
  t.equal((await patch('/user', { username: 'Anna' }, { token })).json().username, 'Anna')
  t.equal((await post('/login', { username: 'anna', password })).statusCode, 200)
})

story('new tokens and other fields are no reason to trust an old login with the username', async (t, build) => {
  const userFields = { nickname: { schema: Type.Optional(Type.String()) } }
  const options = { ...named, userFields, account: { ...named.account, username: 'optional' } }
  const { post, patch, clock } = await build(t, { options })
  const { refresh } = (await post('/registration', ann)).json()
  clock.advance(301)
  const { access: token } = (await post('/token/refresh', { refresh })).json()
  const change = async (body: object) => (await patch('/user', body, { token })).statusCode
  t.equal(await change({ nickname: 'Annie' }), 200)
  t.equal(await change({ username: null }), 401, 'to clear it is a change')
  t.equal(await change({ nickname: 'Mallory', username: 'Mallory' }), 401)
  t.match((await patch('/user', {}, { token })).json(), { username: 'Ann', nickname: 'Annie' })
})

story('a first username needs no recent login', async (t, build) => {
  const options = { userFields: {}, account: { username: 'optional', loginMethods: ['username', 'email'] } }
  const { post, patch, clock } = await build(t, { options })
  const { refresh } = (await post('/registration', { email: alice.email, password1: password })).json()
  clock.advance(3600)
  const { access: token } = (await post('/token/refresh', { refresh })).json()
  t.equal((await patch('/user', { username: null }, { token })).statusCode, 200)
  t.equal((await patch('/user', { username: 'Ann' }, { token })).statusCode, 200)
  t.equal((await patch('/user', { username: 'Mallory' }, { token })).statusCode, 401, 'now there is one')
})

story('a unique violation inside a hook is an internal error and is not retried', async (t, build, { dialect }) => {
  const users = usersOf(dialect)
  let runs = 0
  const userUpdated = async (user: { pk: string }, tx: Tx) => {
    runs++
    await tx.insert(users).values({ pk: user.pk, isActive: true, createdAt: new Date() })
  }
  const { patch, register, logs } = await build(t, { options: { hooks: { userUpdated } } })
  const { access: token, user } = await register()
  const answer = await patch('/user', { gender: 'M' }, { token, fault: true })
  t.equal(answer.json().code, 'internal_error')
  t.equal(runs, 1)
  const told = logs.filter(line => line.includes('request failed')).join('')
  t.match(told, /database query failed/)
  for (const value of ['params: ', 'already exists', ...longPk(user.pk)]) {
    t.notMatch(told, value, 'the log has the query, not its values')
  }
})

story('userUpdated runs inside the transaction, and a throw rolls it back', async (t, build) => {
  const heard: string[] = []
  const userUpdated = async (user: { gender: string }) => {
    heard.push(user.gender)
    if (user.gender === 'M') throw new Error('not today')
  }
  const { get, patch, register } = await build(t, { options: { hooks: { userUpdated } } })
  const { access: token } = await register()
  t.equal((await patch('/user', { gender: 'NS' }, { token })).statusCode, 200)
  const answer = await patch('/user', { gender: 'M' }, { token, fault: true })
  t.equal(answer.statusCode, 500)
  t.equal(answer.json().code, 'internal_error')
  t.notMatch(answer.body, /not today/, 'the answer does not contain the reason')
  t.equal((await get('/user', { token })).json().gender, 'NS')
  t.same(heard, ['NS', 'M'])
})
