import { alice, fieldCodes, password, story, type BuiltApp } from './support/build.js'

const fresh = 'Brand-new-pw-1'

interface Link { uid: string, token: string }

/** Of the last mail. */
async function lastLink ({ mails }: BuiltApp): Promise<Link> {
  const text = (await mails()).filter(({ subject }) => subject.includes('Reset')).at(-1)?.text ?? ''
  const [, uid = '', token = ''] = /confirm\/([^/\s]+)\/([\w-]{43})/.exec(text) ?? []
  return { uid, token }
}

async function askFor (app: BuiltApp, email: string = alice.email): Promise<Link> {
  await app.post('/password/reset', { email })
  return await lastLink(app)
}

story('who reads the mail sets a new password, every session ends, and the owner is told', async (t, build) => {
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

story('every address is answered alike, and only an active account is mailed', async (t, build) => {
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
  t.same(
    (await mails())
      .filter(({ subject }) => subject.includes('Reset'))
      .map(({ to }) => to)
      .sort(),
    ['known@example.com', 'passwordless@example.com']
  )
})

story('everything wrong is told at once, and a weak password does not burn the token', async (t, build) => {
  const app = await build(t)
  await app.register()
  const link = await askFor(app)
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

story('a token that is used, expired, unknown or another\'s is one and the same to a stranger', async (t, build) => {
  const app = await build(t)
  const { clock, register, app: { restAuth } } = app
  const { user } = await register()
  const other = await register({ email: 'bob@example.com' })
  const isRefused = async (link: Partial<Link>, what: string) => {
    const answer = await app.post('/password/reset/confirm', { ...link, new_password1: fresh })
    t.equal(answer.statusCode, 400, what)
    t.same(fieldCodes(answer), { token: ['token_invalid'] }, what)
  }
  const link = await askFor(app)
  const { uid, token } = link
  for (const near of [
    token.slice(1),
    `${token}A`,
    token.toLowerCase(),
    `${token}=`,
    encodeURIComponent(encodeURIComponent(`${token}%`))
  ]) { await isRefused({ uid, token: near }, near) }
  for (const wrong of [other.user.pk, 'unknown', '__proto__', '9'.repeat(150)]) { await isRefused({ uid: wrong, token }, wrong) }
  clock.advance(1800)
  await isRefused(link, 'half an hour later')
  clock.advance(-1)

  await restAuth.users.update(user.pk, { email: 'new@example.com' })
  await isRefused(link, 'the address is another')
  await restAuth.users.update(user.pk, { email: alice.email })
  const { access } = (await app.post('/login', { email: alice.email, password })).json()
  await app.post(
    '/password/change',
    { old_password: password, new_password1: 'Changed-meanwhile-1' },
    { token: access }
  )
  await isRefused(link, 'the password is another')

  const next = await askFor(app)
  await restAuth.users.deactivate(user.pk)
  await isRefused(next, 'deactivated')
  await restAuth.users.activate(user.pk)
  await isRefused(next, 'and it does not come back')

  const last = await askFor(app)
  t.equal((await app.post('/password/reset/confirm', { ...last, new_password1: fresh })).statusCode, 200)
  await isRefused(last, 'used')
})

story('a token is good for its own purpose only', async (t, build) => {
  const app = await build(t, { options: { account: { emailVerification: 'optional' } } })
  await app.register()
  const key = /account-confirm-email\/([\w-]{43})/.exec((await app.mails())[0]?.text ?? '')?.[1] ?? ''
  const { uid, token } = await askFor(app)
  t.same(fieldCodes(await app.post('/password/reset/confirm', { uid, token: key, new_password1: fresh })), {
    token: ['token_invalid']
  })
  t.equal((await app.post('/registration/verify-email', { key: token })).statusCode, 404)
  t.equal((await app.get('/user', { token })).statusCode, 401)
})

story('of 50 who use a link at once, one sets the password', async (t, build) => {
  const app = await build(t)
  await app.register()
  const link = await askFor(app)
  const passwords = Array.from({ length: 50 }, (_, index) => `Brand-new-pw-${index}`)
  const answers = await Promise.all(
    passwords.map(password => app.post('/password/reset/confirm', { ...link, new_password1: password }))
  )
  const winners = passwords.filter((_, index) => answers[index]?.statusCode === 200)
  t.equal(winners.length, 1)
  t.equal((await app.post('/login', { email: alice.email, password: winners[0] })).statusCode, 200)
})

story('asking again leaves the earlier links good, and one mailbox gets five mails an hour', async (t, build) => {
  const app = await build(t)
  await app.register()
  const first = await askFor(app)
  for (let time = 0; time < 9; time++) await app.post('/password/reset', { email: alice.email })
  t.equal((await app.mails()).length, 5)
  t.equal((await app.post('/login', { email: alice.email, password })).statusCode, 200, 'and nobody is locked out')
  app.clock.advance(1700)
  t.equal((await app.post('/password/reset/confirm', { ...first, new_password1: fresh })).statusCode, 200)
  const [, ...others] = [
    ...new Set(
      (await app.mails()).flatMap(({ text }) =>
        [...text.matchAll(/confirm\/[^/\s]+\/([\w-]{43})/g)].map(([, token]) => token)
      )
    )
  ]
  t.equal(others.length, 4)
  for (const token of others) {
    t.same(
      fieldCodes(
        await app.post('/password/reset/confirm', { uid: first.uid, token, new_password1: 'Yet-another-pw-1' })
      ),
      { token: ['token_invalid'] },
      'until one is used'
    )
  }
  app.clock.advance(1901)
  const before = (await app.mails()).length
  await app.post('/password/reset', { email: alice.email })
  t.equal((await app.mails()).length, before + 1, 'an hour later')
})

story('reading the mail proves the mailbox', async (t, build) => {
  const verified: unknown[] = []
  const app = await build(t, {
    options: {
      account: { emailVerification: 'mandatory' },
      hooks: {
        emailVerified: ({ email }: { email: string }) => {
          verified.push(email)
        }
      }
    }
  })
  await app.post('/registration', alice)
  const link = await askFor(app)
  await app.post('/password/reset/confirm', { ...link, new_password1: fresh })
  t.equal((await app.post('/login', { email: alice.email, password: fresh })).statusCode, 200)
  t.same(verified, [alice.email])
})

story('the link opens a page that sets the password without JavaScript', async (t, build) => {
  const app = await build(t)
  const { get, call, register } = app
  await register()
  const { uid, token } = await askFor(app)
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

story('urls.passwordReset sends people to the app\'s own page, urls.login ends the built-in one', async (t, build) => {
  const own = await build(t, {
    options: { urls: { passwordReset: 'https://app.example/new-password?uid={uid}&token={token}' } }
  })
  await own.register()
  await own.post('/password/reset', { email: alice.email })
  const [, uid, token] =
    /https:\/\/app\.example\/new-password\?uid=([^&]+)&token=([\w-]{43})/.exec((await own.mails())[0]?.text ?? '') ?? []
  t.equal((await own.post('/password/reset/confirm', { uid, token, new_password1: fresh })).statusCode, 200)
  const ours = await build(t, { options: { urls: { login: '/login' } } })
  await ours.register()
  const link = await askFor(ours)
  const answer = await ours.call('POST', `/password/reset/confirm/${link.uid}/${link.token}`, {
    form: { new_password1: fresh }
  })
  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, '/login')
})

story('what the app throws when a password changes leaves everything as it was', async (t, build) => {
  const app = await build(t, { options: { hooks: { passwordChanged: () => { throw new Error('a bug') } } } })
  await app.register()
  const link = await askFor(app)
  t.equal(
    (await app.post('/password/reset/confirm', { ...link, new_password1: fresh }, { fault: true })).statusCode,
    500
  )
  t.equal((await app.post('/login', { email: alice.email, password })).statusCode, 200)
  t.equal(
    (
      await app.call('POST', `/password/reset/confirm/${link.uid}/${link.token}`, {
        form: { new_password1: fresh },
        fault: true
      })
    ).statusCode,
    500,
    'the link is still good'
  )
})
