/** Many wrong passwords in a row close the login with a password, and nothing else. */
import type { LightMyRequestResponse } from 'fastify'
import { alice, password, story, type Build, type BuiltApp, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'

const wrong = { email: alice.email, password: 'A-wr0ng-password' }
const right = { email: alice.email, password }
const max = 100

const start = async (t: Test, build: Build, limits: object = {}) =>
  await build(t, { options: { account: { emailVerification: 'none' }, limits: { login: false, ...limits } } })

async function fail ({ post }: BuiltApp, count: number, body: object = wrong): Promise<void> {
  for (let failed = 0; failed < count; failed++) await post('/login', body)
}

const subjects = async ({ mails }: BuiltApp) => (await mails()).map(({ subject }) => subject)

story('the hundredth wrong password in a row closes the login, and mails the owner', async (t, build) => {
  const app = await start(t, build)
  await app.register()
  await fail(app, max - 1)
  t.equal((await app.post('/login', right)).statusCode, 200, 'the hundredth is right: the next one is the first again')
  await fail(app, max)
  const closed = await app.post('/login', right)
  const { body } = await app.post('/login', wrong)
  t.same([closed.statusCode, closed.body], [400, body], 'nobody learns that the password was right')
  await fail(app, max)
  t.same((await subjects(app)).map(subject => subject?.replace(/^\[.*\] /, '')), ['Your password is locked for a day'])
  const [mail] = await app.mails()
  t.match(mail?.text, '100 times in a row')
  t.match(mail?.text, '24 November 2026, 12:00 UTC')
})

story('while it is closed, sessions, other logins and resets go on; a new password opens it', async (t, build) => {
  const app = await start(t, build)
  const { access, refresh, user } = await app.register()
  await fail(app, max)
  t.equal((await app.get('/user', { token: access })).statusCode, 200)
  t.equal((await app.post('/token/refresh', { refresh })).statusCode, 200)
  t.equal((await app.get('/user', await app.as(user))).statusCode, 200)
  await app.post('/password/reset', { email: alice.email })
  const [, uid, token] = /confirm\/([^/\s]+)\/([\w-]{43})/.exec((await app.mails()).at(-1)?.text ?? '') ?? []
  const chosen = 'An0ther-secret-pw'
  t.equal((await app.post('/password/reset/confirm', { uid, token, new_password1: chosen })).statusCode, 200)
  t.equal((await app.post('/login', { ...right, password: chosen })).statusCode, 200)
})

story('an operator can open it', async (t, build) => {
  const app = await start(t, build)
  const { user } = await app.register()
  await fail(app, max)
  t.equal((await app.post('/login', right)).statusCode, 400)
  t.match(await app.app.restAuth.users.activate(user.pk), { is_active: true })
  t.equal((await app.post('/login', right)).statusCode, 200)
  t.equal(await app.app.restAuth.users.activate('nobody'), undefined)
})

story('after a day it opens again, and the count starts anew', async (t, build) => {
  const app = await start(t, build)
  await app.register()
  await fail(app, max)
  app.clock.advance(86399)
  t.equal((await app.post('/login', right)).statusCode, 400)
  app.clock.advance(1)
  await fail(app, max - 1)
  t.equal((await app.post('/login', right)).statusCode, 200)
})

story('of many wrong passwords at once, one closes the login, and one mail is sent', async (t, build) => {
  const app = await start(t, build, { lockout: 20 })
  await app.register()
  const answers = await Promise.all(Array.from({ length: 50 }, async () => await app.post('/login', wrong)))
  t.same([...new Set(answers.map(({ statusCode }) => statusCode))], [400])
  t.equal((await app.post('/login', right)).statusCode, 400)
  t.equal((await app.mails()).length, 1)
})

story('an unknown user gets the same responses, before and after', async (t, build) => {
  const app = await start(t, build, { lockout: 10 })
  await app.register()
  const nobody = { email: 'nobody@example.com', password }
  for (let failed = 0; failed < 12; failed++) {
    const [known, unknown] = [await app.post('/login', wrong), await app.post('/login', nobody)]
    t.equal(unknown.body, known.body)
  }
})

story('with `lockout: false`, no number of failures closes the login', async (t, build) => {
  const app = await start(t, build, { lockout: false })
  await app.register()
  await fail(app, max + 1)
  t.equal((await app.post('/login', right)).statusCode, 200)
})

story('a new password opens the login at once, also while the limit of the account is reached', async (t, build) => {
  for (const way of ['reset', 'change']) {
    const app = await build(t, { options: { account: { emailVerification: 'none' }, limits: { lockout: 10 } } })
    const { post, clock } = app
    const { user } = await app.register()
    for (let round = 0; round < 2; round++) {
      clock.advance(round * 200)
      await fail(app, 5)
      clock.advance(101)
    }
    const chosen = { new_password1: 'An0ther-secret-pw' }
    if (way === 'reset') {
      await post('/password/reset', { email: alice.email })
      const [, uid, token] = /confirm\/([^/\s]+)\/([\w-]{43})/.exec((await app.mails()).at(-1)?.text ?? '') ?? []
      t.equal((await post('/password/reset/confirm', { uid, token, ...chosen })).statusCode, 200)
    } else {
      const change = { old_password: password, ...chosen }
      t.equal((await post('/password/change', change, await app.as(user))).statusCode, 200)
      clock.advance(300)
    }
    t.equal((await post('/login', { ...right, password: chosen.new_password1 })).statusCode, 200, way)
  }
})

story('a lower `lockout` counts for earlier failures, too', async (t, build, tested) => {
  const database = tested.dialect === 'sqlite' ? temporaryFile(t) : (await build(t)).database
  const built = async (lockout: number) => await build(t, {
    database, options: { account: { emailVerification: 'none' }, limits: { login: false, lockout } }
  })
  const before = await built(100)
  await before.register()
  await fail(before, 30)
  const after = await built(20)
  await fail(after, 2)
  t.equal((await after.post('/login', right)).statusCode, 400)
  t.equal((await subjects(after)).length, 1)
})

story('each account that an identifier may name is locked by its own failures', async (t, build) => {
  const account = { username: 'required', loginMethods: ['email', 'username'], emailVerification: 'none' }
  const app = await build(t, { options: { account, limits: { login: false, lockout: 10 } } })
  const name = 'dave@corp.example'
  await app.register({ username: name, email: 'dave@home.example' })
  await app.register({ username: 'mallory', email: name })
  await fail(app, 10, { username: name, password: 'A-wr0ng-password' })
  t.equal((await app.post('/login', { username: name, password })).statusCode, 400)
  t.equal((await app.post('/login', { email: 'dave@home.example', password })).statusCode, 400)
})

story('a user who is deleted during a login is unknown', async (t, build) => {
  const app = await start(t, build)
  const { user } = await app.register()
  const [answer] = await Promise.all([app.post('/login', wrong), app.app.restAuth.users.delete(user.pk)])
  t.equal(answer.statusCode, 400)
})

const address = (ip: string, headers: Record<string, string> = {}) =>
  ({ headers: { 'x-forwarded-for': ip, ...headers } })

for (const [way, tokens] of Object.entries({ header: {}, cookie: { cookies: {} } })) {
  story(`a device that has logged in before is let in while strangers guess (${way})`, async (t, build) => {
    const app = await build(t, {
      server: { trustProxy: true },
      options: { account: { emailVerification: 'none' }, tokens, limits: { login: ['3/5m/account'], lockout: 10 } }
    })
    const { post, clock } = app
    const json = { 'sec-fetch-site': 'same-origin' }
    await post('/registration', alice, { headers: json })
    const first = await post('/login', right, { headers: json })
    const deviceOf = ({ headers, cookies }: LightMyRequestResponse): Record<string, string> => {
      const cookie = cookies.find(({ name }) => name.endsWith('-device'))
      return cookie ? { cookie: `${cookie.name}=${cookie.value}` } : { 'device-token': String(headers['device-token']) }
    }
    const device = deviceOf(first)
    const strangers = async (count: number) => {
      for (let index = 0; index < count; index++) await post('/login', wrong, address('198.51.100.1', json))
    }
    const at = (more: Record<string, string> = {}) => address('203.0.113.1', { ...json, ...more })
    await strangers(4)
    t.equal((await post('/login', right, at())).statusCode, 429, 'another device')
    const again = await post('/login', right, at(device))
    t.equal(again.statusCode, 200)
    t.equal(deviceOf(again)['device-token'], 'undefined', 'it keeps its own')
    for (let round = 0; round < 4; round++) {
      clock.advance(300)
      await strangers(3)
    }
    clock.advance(300)
    t.equal((await post('/login', right, at())).statusCode, 400, 'locked for others')
    t.equal((await post('/login', right, at(device))).statusCode, 200)
  })
}

story('the token of a device is for one user, and not to be forged', async (t, build) => {
  const { post, clock } = await build(t, {
    options: { account: { emailVerification: 'none' }, limits: { login: ['3/5m/account'] } }
  })
  const mallory = { ...alice, email: 'mallory@example.com' }
  for (const user of [alice, mallory]) await post('/registration', user)
  const tokenOf = async (email: string) => String((await post('/login', { email, password })).headers['device-token'])
  const [own, others] = [await tokenOf(alice.email), await tokenOf(mallory.email)]
  await fail({ post } as BuiltApp, 4)
  const [id, issued, signature = ''] = own.split('.')
  const forged = [
    others, '', 'x', `${id}.${issued}.`, `${id}x.${issued}.${signature}`, `${id}.${Number(issued) + 1}.${signature}`,
    `${id}.${issued}.${signature.slice(1)}x`, `${id}.${issued}.${'é'.repeat(43)}`, '..'
  ]
  for (const token of forged) {
    const { statusCode } = await post('/login', right, { headers: { 'device-token': token } })
    t.equal(statusCode, 429, token)
  }
  t.equal((await post('/login', right, { headers: { 'device-token': own } })).statusCode, 200)
  clock.advance(400 * 86400)
  await fail({ post } as BuiltApp, 4)
  t.equal((await post('/login', right, { headers: { 'device-token': own } })).statusCode, 429, 'it is too old')
})

story('a device of one of two users of a name does not let its owner guess at the other', async (t, build) => {
  const account = { username: 'required', loginMethods: ['email', 'username'], emailVerification: 'none' }
  const { post, register } = await build(t, { options: { account, limits: { login: ['3/5m/account'] } } })
  await register({ username: 'alice' })
  const mallory = { email: 'mallory@example.com', password1: 'Mall0ry-secret-pw', username: alice.email }
  await register(mallory)
  const tokens: string[] = []
  for (let index = 0; index < 4; index++) {
    const { headers } = await post('/login', { email: mallory.email, password: mallory.password1 })
    tokens.push(String(headers['device-token']))
  }
  const statuses: number[] = []
  for (const token of tokens) {
    const guess = { username: alice.email, password: 'A-wr0ng-password' }
    statuses.push((await post('/login', guess, { headers: { 'device-token': token } })).statusCode)
  }
  t.same(statuses, [400, 400, 400, 429])
})

story('a trusted device has limits of its own', async (t, build) => {
  const { post, clock } = await build(t, {
    options: { account: { emailVerification: 'none' }, limits: { login: ['3/5m/account'], lockout: 10 } }
  })
  await post('/registration', alice)
  const token = String((await post('/login', right)).headers['device-token'])
  const device = { headers: { 'device-token': token } }
  const guess = async () => (await post('/login', wrong, device)).statusCode
  t.same([await guess(), await guess(), await guess(), await guess()], [400, 400, 400, 429])
  t.equal((await post('/login', right)).statusCode, 200, 'others are not affected')
  for (let round = 0; round < 3; round++) {
    clock.advance(300)
    for (let index = 0; index < 3; index++) await guess()
  }
  clock.advance(300)
  t.equal((await post('/login', right, device)).statusCode, 400, 'after ten failures it is locked')
  t.equal((await post('/login', right)).statusCode, 200)
})
