/** Many wrong passwords in a row close the login with a password, and nothing else. */
import { alice, password, story, type Build, type BuiltApp, type Test } from './support/build.js'

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
