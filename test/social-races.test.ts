/** Parallel social logins: they end with one account and one owner, and an attacker never wins a race. */
import { Type } from '@sinclair/typebox'
import type { LightMyRequestResponse } from 'fastify'
import { sharedDatabase, withBadProvider, type BadSetup } from './support/hostile-provider-app.js'
import { alice, articleOptions, password, story, type Build, type Test } from './support/build.js'

const other = 'Another-Passw0rd'

const times = async <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  await Promise.all(Array.from({ length: count }, async (_, index) => await work(index)))

function outcomes (answers: LightMyRequestResponse[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const answer of answers) {
    const outcome = answer.statusCode < 300 ? String(answer.statusCode) : answer.json().code
    found[outcome] = (found[outcome] ?? 0) + 1
  }
  return found
}

/** An app whose rows the test can read, and fifty people of the provider. */
async function withCrowd (
  t: Test, build: Build, dialect: 'sqlite' | 'postgres', { options, ...setup }: BadSetup = {}, claims: object = {}
) {
  const { given, open } = sharedDatabase(t, dialect)
  const people = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [
      `p${index}`,
      { email: `alexander@p${index}.example`, email_verified: true, ...claims }
    ])
  )
  const built = await withBadProvider(t, build, {
    ...setup,
    options: { ...given, ...options },
    people: {
      ...people,
      alice: { email: alice.email, email_verified: true },
      mallory: { email: alice.email, email_verified: true }
    }
  })
  const db = await open(built)
  return {
    ...built,
    users: async () => await db.orm.select().from(db.users),
    sessions: async () => await db.orm.select().from(db.sessions),
    accounts: async () => await db.orm.select().from(db.socialAccounts)
  }
}

story('fifty parallel first logins of one identity create one user', async (t, build, { dialect }) => {
  const { enter, users, accounts, sessions, mails } = await withCrowd(t, build, dialect)
  const answers = await times(50, async () => await enter('alice'))
  t.same(outcomes(answers), { 200: 50 })
  t.equal((await users()).length, 1)
  t.match(await accounts(), [{ subject: 'alice' }])
  t.equal((await accounts()).length, 1)
  t.equal((await sessions()).length, 50)
  t.equal(new Set(answers.map(answer => answer.json().access)).size, 50)
  t.equal((await mails()).length, 0)
})

story('fifty parallel new users of the same name get fifty usernames', async (t, build, { dialect }) => {
  const { enter, users, accounts } = await withCrowd(t, build, dialect, {
    options: { account: { username: 'required', loginMethods: ['email', 'username'] }, userFields: {} }
  })
  const answers = await times(50, async index => await enter(`p${index}`))
  t.same(outcomes(answers), { 200: 50 })
  const names = (await users()).map(({ username }) => username)
  t.equal(new Set(names).size, 50)
  t.ok(names.includes('alexander'))
  for (const name of names) t.match(name, /^alexander\d*$/)
  t.equal((await accounts()).length, 50)
})

story('of twenty owners who get their accounts at once, one gets the value that must be unique', async (
  t, build, { dialect }
) => {
  const { enter, post, users } = await withCrowd(t, build, dialect, {
    options: {
      account: { username: 'none', emailVerification: 'optional' },
      userFields: { first_name: { schema: Type.Optional(Type.String()), registration: 'hidden', unique: true } }
    }
  }, { given_name: 'Alexander' })
  await times(20, async index =>
    await post('/registration', { email: `alexander@p${index}.example`, password1: password }))
  const answers = await times(20, async index => await enter(`p${index}`))
  t.same(outcomes(answers), { 200: 20 })
  t.equal(answers.filter(answer => answer.json().user.first_name === 'Alexander').length, 1)
  t.ok((await users()).every(({ emailVerified, passwordHash }) => emailVerified && passwordHash === null))
})

story('in a race of social login and registration, only one owns the address', async (t, build, { dialect }) => {
  for (const trustEmail of [true, false]) {
    await t.test(`trustEmail: ${trustEmail}`, async t => {
      const { enter, post, get, users, accounts } = await withCrowd(t, build, dialect, { provider: { trustEmail } })
      const answers = await times(20, async index =>
        index % 2 ? await enter('alice') : await post('/registration', { ...alice, password1: other })
      )
      const came = answers.filter((_, index) => index % 2)
      const registered = answers.filter((_, index) => index % 2 === 0)
      t.equal((await users()).length, 1)
      const [user] = await users()
      const mayLogIn = (await post('/login', { email: alice.email, password: other })).statusCode === 200
      if (trustEmail) {
        t.same(outcomes(came), { 200: 10 })
        t.match(
          [user?.emailVerified, mayLogIn],
          [true, false],
          'the proven identity wins over the unverified registration'
        )
        for (const answer of registered.filter(({ statusCode }) => statusCode === 201)) {
          t.equal((await get('/user', { token: answer.json().access })).statusCode, 401)
        }
      } else {
        const isRegistered = registered.some(({ statusCode }) => statusCode === 201)
        t.same(outcomes(came), isRegistered ? { account_exists: 10 } : { 200: 10 })
        t.equal(mayLogIn, isRegistered, 'the first one wins')
        t.equal((await accounts()).length, isRegistered ? 0 : 1)
      }
    })
  }
})

story('if fifty users connect one identity at once, one succeeds', async (t, build, { dialect }) => {
  const { enter, connect, get, accounts, sessions } = await withCrowd(t, build, dialect)
  const tokens = await times(50, async index => (await enter(`p${index}`)).json().access)
  const answers = await times(50, async index => await connect('alice', tokens[index] ?? ''))
  t.same(outcomes(answers), { 200: 1, social_account_taken: 49 })
  const [owner, ...others] = (await accounts()).filter(({ subject }) => subject === 'alice')
  t.same(others, [])
  t.equal(answers.find(({ statusCode }) => statusCode === 200)?.json().user.pk, owner?.userPk)
  t.equal((await sessions()).length, 50)
  for (const [index, token] of tokens.entries()) {
    const status = answers[index]?.statusCode === 200 ? 401 : 200
    t.equal((await get('/user', { token })).statusCode, status)
  }
})

story('fifty parallel connects of one identity leave one session', async (t, build, { dialect }) => {
  const { enter, connect, get, accounts, sessions } = await withCrowd(t, build, dialect)
  const token = (await enter('p0')).json().access
  const answers = await times(50, async () => await connect('alice', token))
  t.same(outcomes(answers), { 200: 1, token_not_valid: 49 })
  t.equal((await accounts()).length, 2)
  t.equal((await sessions()).length, 1)
  t.equal(
    (await get('/user', { token: answers.find(({ statusCode }) => statusCode === 200)?.json().access })).statusCode,
    200
  )
})

story('disconnecting the last two identities at once keeps one', async (t, build, { dialect }) => {
  const { enter, connect, post, get, app } = await withCrowd(t, build, dialect, { options: { ...articleOptions } })
  let token = (await enter('p0')).json().access
  const { pk } = (await get('/user', { token })).json()
  for (let round = 0; round < 50; round++) {
    token = (await connect('alice', token)).json().access
    const ids = (await app.restAuth.socialAccounts.list(pk)).map(({ id }) => id)
    const answers = await Promise.all(
      ids.map(async id => await post(`/socialaccounts/${id}/disconnect`, {}, { token }))
    )
    t.same(outcomes(answers), { 200: 1, last_login_method: 1 })
    const [left, ...others] = await app.restAuth.socialAccounts.list(pk)
    t.same(others, [])
    // The next round begins with p0 and a fresh session.
    if (left?.subject === 'alice') token = (await connect('p0', token)).json().access
    else continue
    await post(`/socialaccounts/${left.id}/disconnect`, {}, { token })
  }
})

story('a planted identity that races a password reset has no access afterwards', async (t, build, { dialect }) => {
  for (let round = 0; round < 5; round++) {
    await t.test(`round ${round}`, async t => {
      const { enter, post, get, mails, accounts, users, bad, connect } = await withCrowd(t, build, dialect, {
        provider: { trustEmail: false }
      })
      const planted = (await enter('mallory')).json()
      await post('/password/reset', { email: alice.email })
      const [, uid, token] = /confirm\/([^/\s]+)\/([\w-]{43})/.exec((await mails()).at(-1)?.text ?? '') ?? []
      const [reset, ...came] = await Promise.all([
        post('/password/reset/confirm', { uid, token, new_password1: other }),
        ...Array.from({ length: 8 }, async (_, index) =>
          index % 4 === round % 4 ? await connect(`p${index}`, planted.access) : await enter('mallory')
        )
      ])
      t.equal(reset?.statusCode, 200)
      t.equal((await users()).find(({ email }) => email === alice.email)?.emailVerified, true)
      t.same((await accounts()).filter(({ userPk }) => userPk === planted.user.pk), [], 'no identity is connected')
      for (const answer of [
        planted,
        ...came.filter(({ statusCode }) => statusCode === 200).map(answer => answer.json())
      ]) {
        t.equal((await get('/user', { token: answer.access })).statusCode, 401, 'no earlier session is left')
      }
      t.equal((await enter('mallory')).json().code, 'account_exists')
      t.equal((await post('/login', { email: alice.email, password: other })).statusCode, 200)
      t.ok(bad)
    })
  }
})

story('password logins that race the login that proves the address lose access', async (t, build, { dialect }) => {
  for (let round = 0; round < 5; round++) {
    await t.test(`round ${round}`, async t => {
      const { enter, post, get, sessions } = await withCrowd(t, build, dialect)
      await post('/registration', alice)
      const answers = await times(12, async index =>
        index === round * 2 ? await enter('alice') : await post('/login', { email: alice.email, password })
      )
      const owner = answers[round * 2]
      t.equal(owner?.statusCode, 200)
      for (const answer of answers) {
        if (answer === owner || answer.statusCode !== 200) continue
        t.equal((await get('/user', { token: answer.json().access })).statusCode, 401)
      }
      t.equal((await get('/user', { token: owner?.json().access })).statusCode, 200)
      t.equal((await sessions()).length, 1)
      t.equal((await post('/login', { email: alice.email, password })).json().code, 'invalid_credentials')
    })
  }
})

story('a user who is deactivated during a login has no session', async (t, build, { dialect }) => {
  const { enter, app, sessions } = await withCrowd(t, build, dialect)
  const { user: { pk } } = (await enter('alice')).json()
  const [, ...answers] = await Promise.all([
    app.restAuth.users.deactivate(pk),
    ...Array.from({ length: 10 }, async () => await enter('alice'))
  ])
  for (const answer of answers) t.ok(answer.statusCode === 200 || answer.json().code === 'invalid_credentials')
  t.same(await sessions(), [])
})
