import * as postgresTables from '../src/db/tables-postgres.js'
import * as sqliteTables from '../src/db/tables-sqlite.js'
import type { Tx } from '../src/index.js'
import { alice, fieldCodes, password, story } from './support/build.js'

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

story('the owner reads what is declared of the user, and nothing else', async (t, build) => {
  const { get, register } = await build(t)
  const { access: token, user } = await register()
  const answer = await get('/user', { token })
  t.same(answer.json(), user)
  t.same(Object.keys(answer.json()), ['pk', 'email', 'gender', 'phone_number'])
})

story('gender may be changed, the phone number and the address may not', async (t, build) => {
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

story('PATCH changes what is sent and no more; with nothing it answers the user', async (t, build) => {
  const { patch, register } = await build(t)
  const { access: token, user } = await register()
  t.same((await patch('/user', {}, { token })).json(), user)
  t.same(fieldCodes(await patch('/user', { gender: 'Z' }, { token })), { gender: ['invalid_choice'] })
  t.same(fieldCodes(await patch('/user', { gender: null }, { token })), { gender: ['null'] })
})

story('PUT wants every required field', async (t, build) => {
  const { put, register } = await build(t)
  const { access: token } = await register()
  t.same(fieldCodes(await put('/user', {}, { token })), { gender: ['required'] })
})

story('without a token nobody reads or writes', async (t, build) => {
  const { call } = await build(t)
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD'] as const) {
    const answer = await call(method, '/user')
    t.equal(answer.statusCode, 401, method)
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="api"')
  }
})

story('a username may be changed to one that is free, or kept, in any case', async (t, build) => {
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

story('an optional username is given, sent back as it was answered, and given up', async (t, build) => {
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

story('a hook that meets a unique index of its own is a bug of its own, and runs once', async (t, build, { dialect }) => {
  const users = dialect === 'sqlite' ? sqliteTables.users : postgresTables.users as never
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
  t.notMatch(told, new RegExp(user.pk), 'the log has the query, not its values')
})

story('the app hears of a change inside its transaction, and a throw undoes it', async (t, build) => {
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
  t.notMatch(answer.body, /not today/, 'and the answer does not tell why')
  t.equal((await get('/user', { token })).json().gender, 'NS')
  t.same(heard, ['NS', 'M'])
})
