import { keyIn, linkIn, uidAndTokenIn } from './support/answers.js'
import { alice, fieldCodes, password, story, type BuiltApp } from './support/build.js'

const fresh = 'Brand-new-pw-1'

type Link = ReturnType<typeof uidAndTokenIn>

const lastLink = async ({ mails }: BuiltApp): Promise<Link> =>
  uidAndTokenIn((await mails()).filter(({ subject }) => subject.includes('Reset')).at(-1))

async function requestReset (app: BuiltApp, email: string = alice.email): Promise<Link> {
  await app.post('/password/reset', { email })
  return await lastLink(app)
}

story('the mailed link sets a new password, ends every session, and the owner is notified', async (t, build) => {
  const app = await build(t)
  const { post, get, register, mails } = app
  const { access } = await register()
  t.same((await post('/password/reset', { email: ' ALICE@example.com' })).json(), {
    detail: 'Password reset e-mail has been sent.'
  })
  t.match(await mails(), { length: 1, 0: { to: alice.email, subject: '[localhost:3000] Reset your password' } })
  const link = await lastLink(app)
  const answer = await post('/password/reset/confirm', { ...link, new_password1: fresh, new_password2: fresh })
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { detail: 'Password has been reset with the new password.' })
  t.equal((await get('/user', { token: access })).statusCode, 401)
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 400)
  t.equal((await post('/login', { email: alice.email, password: fresh })).statusCode, 200)
  const [, notice] = await mails()
  t.match(notice, {
    to: alice.email,
    subject: '[localhost:3000] Your password was changed',
    text: /23 November 2026, 12:00 UTC/
  })
  t.notMatch(notice?.raw, new RegExp(`${link.token}|${fresh}`))
})

story('every address gets the same answer, and only active accounts get a mail', async (t, build) => {
  const app = await build(t, { options: { account: { emailVerification: 'mandatory' } } })
  const { post, mails, app: { restAuth } } = app
  for (const name of ['known', 'idle']) await post('/registration', { ...alice, email: `${name}@example.com` })
  await restAuth.users.deactivate((await restAuth.users.find({ email: 'idle@example.com' }))?.pk ?? '')
  await restAuth.users.create({ email: 'passwordless@example.com', gender: 'F', phone_number: '1' } as never)
  await mails()
  const bodies = new Set<string>()
  for (const name of ['known', 'idle', 'nobody', 'passwordless']) {
    const answer = await post('/password/reset', { email: `${name}@example.com` })
    bodies.add(`${answer.statusCode} ${answer.body}`)
  }
  t.equal(bodies.size, 1)
  const resets = (await mails()).filter(({ subject }) => subject.includes('Reset'))
  t.same(resets.map(({ to }) => to).sort(), ['known@example.com', 'passwordless@example.com'])
})

story('all errors are reported at once, and a weak password does not use up the token', async (t, build) => {
  const app = await build(t)
  await app.register()
  const link = await requestReset(app)
  const weak = await app.post('/password/reset/confirm', { ...link, new_password1: '123', new_password2: '456' })
  t.equal(weak.statusCode, 400)
  t.same(fieldCodes(weak), {
    new_password1: ['password_too_short', 'password_entirely_numeric'],
    new_password2: ['password_mismatch']
  })
  t.same(fieldCodes(await app.post('/password/reset/confirm', { ...link, new_password1: 'alice@example.com' })), {
    new_password1: ['password_too_similar']
  })
  t.same(fieldCodes(await app.post('/password/reset/confirm', {})), {
    new_password1: ['required'],
    uid: ['required'],
    token: ['required']
  })
  t.equal((await app.post('/password/reset/confirm', { ...link, new_password1: fresh })).statusCode, 200)
})

story("a token that is used, expired, unknown or another user's returns the same error", async (t, build) => {
  const app = await build(t)
  const { clock, register, app: { restAuth } } = app
  const { user } = await register()
  const other = await register({ email: 'bob@example.com' })
  const isRefused = async (link: Partial<Link>, what: string) => {
    const answer = await app.post('/password/reset/confirm', { ...link, new_password1: fresh })
    t.equal(answer.statusCode, 400, what)
    t.same(fieldCodes(answer), { token: ['token_invalid'] }, what)
  }
  const link = await requestReset(app)
  const { uid, token } = link
  for (const near of [
    token.slice(1), `${token}A`, token.toLowerCase(), `${token}=`, encodeURIComponent(encodeURIComponent(`${token}%`))
  ]) {
    await isRefused({ uid, token: near }, near)
  }
  for (const wrong of [other.user.pk, 'unknown', '__proto__', '9'.repeat(150)]) {
    await isRefused({ uid: wrong, token }, wrong)
  }
  clock.advance(1800)
  await isRefused(link, 'half an hour later')
  clock.advance(-1)

  await restAuth.users.update(user.pk, { email: 'new@example.com' })
  await isRefused(link, 'the address has changed')
  await restAuth.users.update(user.pk, { email: alice.email })
  const { access } = (await app.post('/login', { email: alice.email, password })).json()
  const change = { old_password: password, new_password1: 'Changed-meanwhile-1' }
  await app.post('/password/change', change, { token: access })
  await isRefused(link, 'the password has changed')

  const next = await requestReset(app)
  await restAuth.users.deactivate(user.pk)
  await isRefused(next, 'deactivated')
  await restAuth.users.activate(user.pk)
  await isRefused(next, 'reactivating the user does not revive the link')

  const last = await requestReset(app)
  t.equal((await app.post('/password/reset/confirm', { ...last, new_password1: fresh })).statusCode, 200)
  await isRefused(last, 'used')
})

story('a reset token works only for a reset, and no other token does', async (t, build) => {
  const app = await build(t, { options: { account: { emailVerification: 'optional' } } })
  await app.register()
  const key = keyIn((await app.mails())[0])
  const { uid, token } = await requestReset(app)
  t.same(fieldCodes(await app.post('/password/reset/confirm', { uid, token: key, new_password1: fresh })), {
    token: ['token_invalid']
  })
  t.equal((await app.post('/registration/verify-email', { key: token })).statusCode, 404)
  t.equal((await app.get('/user', { token })).statusCode, 401)
})

story('of 50 uses of one link at once, one sets the password', async (t, build) => {
  const app = await build(t)
  await app.register()
  const link = await requestReset(app)
  const passwords = Array.from({ length: 50 }, (_, index) => `Brand-new-pw-${index}`)
  const answers = await Promise.all(
    passwords.map(password => app.post('/password/reset/confirm', { ...link, new_password1: password }))
  )
  const winners = passwords.filter((_, index) => answers[index]?.statusCode === 200)
  t.equal(winners.length, 1)
  t.equal((await app.post('/login', { email: alice.email, password: winners[0] })).statusCode, 200)
})

story('earlier links stay valid after another request, and a mailbox gets five mails an hour', async (t, build) => {
  const app = await build(t)
  await app.register()
  const first = await requestReset(app)
  for (let time = 0; time < 9; time++) await app.post('/password/reset', { email: alice.email })
  t.equal((await app.mails()).length, 5)
  t.equal((await app.post('/login', { email: alice.email, password })).statusCode, 200, 'the requests lock nobody out')
  app.clock.advance(1700)
  t.equal((await app.post('/password/reset/confirm', { ...first, new_password1: fresh })).statusCode, 200)
  const tokens = (await app.mails()).map(mail => uidAndTokenIn(mail).token).filter(token => token !== '')
  const [, ...others] = new Set(tokens)
  t.equal(others.length, 4)
  for (const token of others) {
    const reset = { uid: first.uid, token, new_password1: 'Yet-another-pw-1' }
    const answer = await app.post('/password/reset/confirm', reset)
    t.same(fieldCodes(answer), { token: ['token_invalid'] }, 'using one link ends the others')
  }
  app.clock.advance(1901)
  const before = (await app.mails()).length
  await app.post('/password/reset', { email: alice.email })
  t.equal((await app.mails()).length, before + 1, 'an hour later')
})

story('a reset verifies the address of the user', async (t, build) => {
  const verified: unknown[] = []
  const hooks = { emailVerified: ({ email }: { email: string }) => { verified.push(email) } }
  const app = await build(t, { options: { account: { emailVerification: 'mandatory' }, hooks } })
  await app.post('/registration', alice)
  const link = await requestReset(app)
  await app.post('/password/reset/confirm', { ...link, new_password1: fresh })
  t.equal((await app.post('/login', { email: alice.email, password: fresh })).statusCode, 200)
  t.same(verified, [alice.email])
})

story('the link opens a page that sets the password without JavaScript', async (t, build) => {
  const app = await build(t)
  const { get, call, register } = app
  await register()
  const { uid, token } = await requestReset(app)
  const path = `/password/reset/confirm/${uid}/${token}`
  for (const method of ['GET', 'HEAD'] as const) t.equal((await call(method, path)).statusCode, 200)
  t.match((await get(path)).body, /name="new_password1"/)
  const weak = await call('POST', path, { form: { new_password1: '123', new_password2: '456', username: alice.email } })
  t.equal(weak.statusCode, 400)
  t.match(weak.body, /role="alert"[^]*This password is too short/)
  t.match((await call('POST', path, { form: {} })).body, /This field is required/)
  const done = await call('POST', path, { form: { new_password1: fresh, new_password2: fresh } })
  t.equal(done.statusCode, 200)
  t.match(done.body, /password has been changed/)
  t.equal((await app.post('/login', { email: alice.email, password: fresh })).statusCode, 200)
  for (const method of ['GET', 'POST'] as const) {
    const used = await call(method, path, method === 'POST' ? { form: { new_password1: fresh } } : {})
    t.equal(used.statusCode, 404)
    t.match(used.body, /does not work/)
  }
})

story("urls.passwordReset links to the app's own page; urls.login follows the built-in one", async (t, build) => {
  const own = await build(t, {
    options: { urls: { passwordReset: 'https://app.example/new-password?uid={uid}&token={token}' } }
  })
  await own.register()
  await own.post('/password/reset', { email: alice.email })
  const { origin, pathname, searchParams } = new URL(linkIn((await own.mails())[0]))
  t.equal(`${origin}${pathname}`, 'https://app.example/new-password')
  const [uid, token] = [searchParams.get('uid'), searchParams.get('token')]
  t.equal((await own.post('/password/reset/confirm', { uid, token, new_password1: fresh })).statusCode, 200)
  const ours = await build(t, { options: { urls: { login: '/login' } } })
  await ours.register()
  const link = await requestReset(ours)
  const answer = await ours.call('POST', `/password/reset/confirm/${link.uid}/${link.token}`, {
    form: { new_password1: fresh }
  })
  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, '/login')
})

story('a throw in the passwordChanged hook leaves the password and the link as they were', async (t, build) => {
  const app = await build(t, { options: { hooks: { passwordChanged: () => { throw new Error('a bug') } } } })
  await app.register()
  const link = await requestReset(app)
  t.equal(
    (await app.post('/password/reset/confirm', { ...link, new_password1: fresh }, { fault: true })).statusCode, 500
  )
  t.equal((await app.post('/login', { email: alice.email, password })).statusCode, 200)
  const form = { new_password1: fresh }
  const page = await app.call('POST', `/password/reset/confirm/${link.uid}/${link.token}`, { form, fault: true })
  t.equal(page.statusCode, 500, 'the link is still valid')
})
