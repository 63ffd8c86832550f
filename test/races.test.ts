/** Races: of simultaneous requests one wins, the others get the right error, and the data stays consistent. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Type } from '@sinclair/typebox'
import type { LightMyRequestResponse } from 'fastify'
import { openDatabase } from '../src/db/open.js'
import { alice, articleOptions, fieldCodes, password, story, type Build, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { existingTable } from './support/users-table.js'

const named = {
  ...articleOptions,
  account: { username: 'optional', loginMethods: ['email', 'username'] },
  userFields: {
    ...articleOptions.userFields,
    badge: { schema: Type.Optional(Type.String({ maxLength: 20 })), unique: true }
  }
} as const

/** An app, and the rows in its database. */
async function buildWithRows (t: Test, build: Build, dialect: string) {
  const file = dialect === 'sqlite' ? temporaryFile(t) : undefined
  const built = await build(t, { options: { ...named, ...(file && { database: file }) } })
  const db = await openDatabase(file ?? built.database, [], () => {}, existingTable)
  t.teardown(() => db.close())
  return {
    ...built,
    users: async () => await db.orm.select().from(db.users),
    sessions: async () => await db.orm.select().from(db.sessions),
    refreshTokens: async () => await db.orm.select().from(db.refreshTokens)
  }
}

const times = async <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  await Promise.all(Array.from({ length: count }, async (_, index) => await work(index)))

function statuses (answers: LightMyRequestResponse[]): Record<number, number> {
  const found: Record<number, number> = {}
  for (const { statusCode } of answers) found[statusCode] = (found[statusCode] ?? 0) + 1
  return found
}

story('of 50 registrations of one address at once, in any spelling, one succeeds', async (t, build, { dialect }) => {
  const { post, users, sessions, refreshTokens } = await buildWithRows(t, build, dialect)
  const spellings = [
    'alice@example.com', 'Alice@Example.COM', ' alice@example.com', 'ALICE@EXAMPLE.COM ', 'alice@example。com'
  ]
  const answers = await times(50, async index =>
    await post('/registration', { ...alice, email: spellings[index % spellings.length] }))
  t.same(statuses(answers), { 201: 1, 400: 49 })
  for (const answer of answers.filter(({ statusCode }) => statusCode === 400)) {
    t.same(fieldCodes(answer), { email: ['email_taken'] })
  }
  const [winner] = answers.filter(({ statusCode }) => statusCode === 201)
  t.match(await users(), [{ pk: winner?.json().user.pk, email: 'alice@example.com' }])
  t.equal((await users()).length, 1)
  t.equal((await sessions()).length, 1, 'the losers leave no session behind')
  t.equal((await refreshTokens()).length, 1)
})

story('of 50 registrations of one username at once, in any case, one succeeds', async (t, build, { dialect }) => {
  const { post, users, sessions } = await buildWithRows(t, build, dialect)
  const spellings = ['Mallory', 'MALLORY', 'mallory ', 'ｍallory']
  const answers = await times(50, async index => {
    const username = spellings[index % spellings.length]
    return await post('/registration', { ...alice, email: `u${index}@example.com`, username })
  })
  t.same(statuses(answers), { 201: 1, 400: 49 })
  for (const answer of answers.filter(({ statusCode }) => statusCode === 400)) {
    t.same(fieldCodes(answer), { username: ['username_taken'] })
  }
  t.equal((await users()).length, 1)
  t.equal((await sessions()).length, 1)
})

story('of 16 changes of one password at once, one wins and logs out the others', async (t, build, { dialect }) => {
  const { get, post, register, users, sessions } = await buildWithRows(t, build, dialect)
  await register()
  const tokens = await times(16, async () =>
    String((await post('/login', { email: alice.email, password })).json().access))
  const answers = await times(16, async index => {
    const change = { old_password: password, new_password1: `Sup3r-secret-${index}` }
    return await post('/password/change', change, { token: tokens[index] })
  })
  const winner = answers.findIndex(({ statusCode }) => statusCode === 200)
  t.equal(statuses(answers)[200], 1)
  for (const answer of answers.filter(({ statusCode }) => statusCode !== 200)) {
    t.ok(answer.statusCode === 401 || fieldCodes(answer).old_password?.join() === 'wrong_password', answer.body)
  }
  for (const [index, token] of tokens.entries()) {
    t.equal((await get('/user', { token })).statusCode, index === winner ? 200 : 401)
  }
  t.equal((await sessions()).length, 1)
  t.match((await users())[0]?.passwordHash, /^\$argon2id\$/)
  for (const index of tokens.keys()) {
    const login = await post('/login', { email: alice.email, password: `Sup3r-secret-${index}` })
    t.equal(login.statusCode, index === winner ? 200 : 400)
  }
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 400)
})

story('a login during a password change leaves no session by the old password', async (t, build, { dialect }) => {
  const { get, post, register } = await buildWithRows(t, build, dialect)
  await register()
  let current = password
  for (let round = 0; round < 15; round++) {
    const { access: token } = (await post('/login', { email: alice.email, password: current })).json()
    const next = `Sup3r-secret-${round}`
    const [change, ...logins] = await Promise.all([
      post('/password/change', { old_password: current, new_password1: next }, { token }),
      ...Array.from({ length: 4 }, async (_, index) => {
        await sleep(index)
        return await post('/login', { email: alice.email, password: current })
      })
    ])
    t.equal(change?.statusCode, 200)
    for (const login of logins) {
      if (login.statusCode === 200) {
        t.equal((await get('/user', { token: login.json().access })).statusCode, 401, `round ${round}`)
      }
    }
    current = next
  }
})

story('a login during a deactivation leaves no session behind', async (t, build, { dialect }) => {
  const { app, get, post, register, sessions } = await buildWithRows(t, build, dialect)
  const { pk } = (await register()).user
  for (let round = 0; round < 30; round++) {
    await app.restAuth.users.activate(pk)
    const [login] = await Promise.all([
      post('/login', { email: alice.email, password }),
      sleep(round % 6).then(async () => await app.restAuth.users.deactivate(pk))
    ])
    t.ok([200, 400].includes(login.statusCode), `round ${round}: ${login.statusCode}`)
    t.same(await sessions(), [], `round ${round}: no session of an inactive user`)
    if (login.statusCode === 200) {
      t.equal((await get('/user', { token: login.json().access })).json().code, 'user_inactive')
    }
    t.equal((await app.restAuth.users.find({ pk }))?.is_active, false)
  }
})

story('a login during a deletion leaves no rows behind', async (t, build, { dialect }) => {
  const { app, get, post, register, users, sessions, refreshTokens } = await buildWithRows(t, build, dialect)
  for (let round = 0; round < 20; round++) {
    const { access: token, user } = await register()
    const [login, read] = await Promise.all([
      post('/login', { email: alice.email, password }),
      get('/user', { token }),
      sleep(round % 5).then(async () => await app.restAuth.users.delete(user.pk))
    ])
    t.ok([200, 400].includes(login.statusCode), `round ${round}: ${login.statusCode}`)
    t.ok([200, 401].includes(read.statusCode))
    if (login.statusCode === 200) {
      t.equal((await get('/user', { token: login.json().access })).json().code, 'user_not_found')
    }
    t.same([await users(), await sessions(), await refreshTokens()], [[], [], []], `round ${round}`)
  }
})

story('of 20 users who want one unique value at once, one gets it', async (t, build, { dialect }) => {
  const { patch, put, register, users } = await buildWithRows(t, build, dialect)
  const tokens = await times(20, async index =>
    (await register({ email: `u${index}@example.com`, username: `u${index}`, badge: `b${index}` })).access)
  for (const [field, code, change] of [
    ['username', 'username_taken', 'Mallory'],
    ['badge', 'value_taken', 'gold']
  ] as const) {
    const answers = await times(20, async index =>
      await (index % 2 === 0 ? patch : put)('/user', { gender: 'M', [field]: change }, { token: tokens[index] }))
    t.same(statuses(answers), { 200: 1, 400: 19 })
    for (const answer of answers.filter(({ statusCode }) => statusCode === 400)) {
      t.same(fieldCodes(answer), { [field]: [code] })
    }
  }
  t.equal((await users()).filter(user => user.usernameKey === 'mallory').length, 1)
  t.equal(new Set((await users()).map(user => user.usernameKey)).size, 20)
})

story('a username that is taken and released in turns never causes a 500', async (t, build, { dialect }) => {
  const { patch, register, users } = await buildWithRows(t, build, dialect)
  const tokens = await times(8, async index =>
    (await register({ email: `u${index}@example.com`, username: `u${index}` })).access)
  const answers = await times(8, async index => {
    const own: LightMyRequestResponse[] = []
    for (let round = 0; round < 30; round++) {
      const username = round % 2 === 0 ? 'mallory' : `own${index}`
      own.push(await patch('/user', { username }, { token: tokens[index] }))
    }
    return own
  })
  for (const answer of answers.flat()) {
    if (answer.statusCode !== 200) t.same(fieldCodes(answer), { username: ['username_taken'] })
  }
  t.same((await users()).map(user => user.username).sort(), tokens.map((_, index) => `own${index}`))
})

story('swapping usernames or writing to a deleted account never returns a 500', async (t, build, { dialect }) => {
  const { app, patch, register } = await buildWithRows(t, build, dialect)
  const [one, two] = [
    await register({ email: 'one@example.com', username: 'one' }),
    await register({ email: 'two@example.com', username: 'two' })
  ]
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all([
      patch('/user', { username: 'two' }, { token: one.access }),
      patch('/user', { username: 'one' }, { token: two.access }),
      patch('/user', { username: 'three' }, { token: one.access }),
      patch('/user', { username: 'one' }, { token: one.access })
    ])
    for (const answer of answers) t.ok([200, 400].includes(answer.statusCode), answer.body)
  }
  const [answer] = await Promise.all([
    patch('/user', { gender: 'M' }, { token: one.access }), app.restAuth.users.delete(one.user.pk)
  ])
  t.ok([200, 401].includes(answer.statusCode), answer.body)
})

story('logging out twice, or while the token is in use, is not an error', async (t, build, { dialect }) => {
  const { get, post, register, sessions } = await buildWithRows(t, build, dialect)
  const { access: token, refresh } = await register()
  const answers = await times(20, async index => {
    if (index % 3 === 0) return await get('/user', { token })
    return index % 3 === 1 ? await post('/logout', { refresh }) : await post('/logout', {}, { token })
  })
  for (const [index, { statusCode }] of answers.entries()) {
    t.ok(index % 3 === 0 ? [200, 401].includes(statusCode) : statusCode === 200, `${index}: ${statusCode}`)
  }
  t.same(await sessions(), [])
})
