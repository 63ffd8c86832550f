/** E-mail verification: its mails, links and pages, and what strangers can learn from them. */
import { setImmediate } from 'node:timers/promises'
import type { Tx } from '../src/types.js'
import { keyIn, uidAndTokenIn } from './support/answers.js'
import { alice, password, story, type BuiltApp } from './support/build.js'
import { otherPk, usersOf } from './support/users-table.js'

const mandatory = { account: { emailVerification: 'mandatory' } }
const credentials = { email: alice.email, password }

/** The key in the link of the last mail. */
async function lastKey ({ mails }: BuiltApp): Promise<string> {
  return keyIn((await mails()).at(-1))
}

story('with mandatory verification, users cannot log in before they follow the mailed link', async (t, build) => {
  const app = await build(t, { options: mandatory })
  const { post, mails } = app
  const registered = await post('/registration', alice)
  t.equal(registered.statusCode, 201)
  t.same(registered.json(), { detail: 'Verification e-mail sent.' })
  t.match(await mails(), {
    length: 1,
    0: { to: alice.email, subject: '[localhost:3000] Please confirm your e-mail address' }
  })
  const refused = await post('/login', credentials)
  t.equal(refused.statusCode, 400)
  t.match(refused.json(), { code: 'email_not_verified', detail: 'E-mail is not verified.' })
  t.equal(
    (await post('/login', { ...credentials, password: 'not it at all' })).json().code, 'invalid_credentials',
    'without the password there is no hint'
  )

  const key = await lastKey(app)
  t.same((await post('/registration/verify-email', { key })).json(), { detail: 'ok' })
  t.equal((await post('/login', credentials)).statusCode, 200)
  t.match(await app.app.restAuth.users.find({ email: alice.email }), { email_verified: true })
})

story('with optional verification, the mail is sent and the account works at once', async (t, build) => {
  const app = await build(t, { options: { account: {} } })
  const { user, access } = await app.register()
  t.ok(access)
  t.match(await app.app.restAuth.users.find({ pk: user.pk }), { email_verified: false })
  t.equal((await app.post('/registration/verify-email', { key: await lastKey(app) })).statusCode, 200)
  t.match(await app.app.restAuth.users.find({ pk: user.pk }), { email_verified: true })
})

story('without verification there are no mails and no routes', async (t, build) => {
  const { register, mails, post } = await build(t)
  await register()
  t.same(await mails(), [])
  t.equal((await post('/registration/verify-email', { key: 'x' })).statusCode, 404)
  t.equal((await post('/registration/resend-email', { email: alice.email })).statusCode, 404)
})

story('used, expired, unknown and superseded keys all get the same 404', async (t, build) => {
  const app = await build(t, { options: mandatory })
  const { post, clock, app: { restAuth } } = app
  await post('/registration', alice)
  const key = await lastKey(app)
  const isRefused = async (key: string, what: string) => {
    const answer = await post('/registration/verify-email', { key })
    t.equal(answer.statusCode, 404, what)
    t.match(answer.json(), { code: 'verification_key_invalid', detail: 'Not found.' }, what)
  }
  for (const near of [
    key.slice(1), `${key}A`, key.toLowerCase(), ` ${key.slice(0, -1)}`, encodeURIComponent(`${key}=`)
  ]) { await isRefused(near, near) }
  const { pk } = await restAuth.users.find({ email: alice.email }) ?? { pk: '' }
  await restAuth.users.update(pk, { email: 'new@example.com' })
  await isRefused(key, 'the address is another now')
  await restAuth.users.update(pk, { email: alice.email })
  await restAuth.users.deactivate(pk)
  await restAuth.users.activate(pk)
  await isRefused(key, 'the user was deactivated meanwhile')

  await post('/registration', { ...alice, email: 'bob@example.com' })
  const bobs = await lastKey(app)
  clock.advance(86400)
  await isRefused(bobs, 'a day later')
  clock.advance(-1)
  t.equal((await post('/registration/verify-email', { key: bobs })).statusCode, 200, 'a second before')
  await isRefused(bobs, 'used')
})

story('if a link is followed 16 times at once, one request confirms', async (t, build) => {
  const confirmed: unknown[] = []
  const app = await build(t, {
    options: { ...mandatory, hooks: { emailVerified: ({ email }: { email: string }) => { confirmed.push(email) } } }
  })
  await app.post('/registration', alice)
  const key = await lastKey(app)
  const answers = await Promise.all(Array.from({ length: 16 }, () => app.post('/registration/verify-email', { key })))
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1)
  t.same(confirmed, [alice.email])
})

story('registering a taken address gets the usual answer, and a mail tells the owner', async (t, build) => {
  const app = await build(t, { options: mandatory })
  const { post, mails } = app
  const first = await post('/registration', alice)
  const again = await post('/registration', { ...alice, email: 'ALICE@Example.com', password1: 'another-Passw0rd' })
  t.equal(again.statusCode, first.statusCode)
  t.equal(again.body, first.body)
  // Two mails that are due at once may arrive in either order.
  const told = (await mails()).find(({ subject }) => subject.includes('already'))
  t.match(told, { to: alice.email, subject: '[localhost:3000] You already have an account' })
  t.equal(
    (await post('/login', { email: alice.email, password: 'another-Passw0rd' })).json().code, 'invalid_credentials',
    'nothing of it is stored'
  )

  const fresh = 'Brand-new-pw-1'
  t.equal(
    (await post('/password/reset/confirm', { ...uidAndTokenIn(told), new_password1: fresh })).statusCode, 200,
    'the owner resets the password with the mailed link'
  )
  t.equal(
    (await post('/login', { email: alice.email, password: fresh })).statusCode, 200,
    'and can log in: following the link has verified the address'
  )
})

story('rows that the app\'s hook wrote for a taken address are rolled back', async (t, build, { dialect }) => {
  const users = usersOf(dialect)
  let count = 0
  const registering = async (_input: object, tx: Tx) => {
    await tx.insert(users).values({ pk: otherPk(`${++count}`), isActive: true, createdAt: new Date() })
  }
  const app = await build(t, { options: { ...mandatory, hooks: { registering } } })
  await app.post('/registration', alice)
  t.equal((await app.post('/registration', alice)).statusCode, 201)
  t.equal(count, 2)
  t.ok(await app.app.restAuth.users.find({ pk: otherPk('1') }))
  t.equal(await app.app.restAuth.users.find({ pk: otherPk('2') }), undefined)
  t.equal((await app.mails()).length, 2, 'and the owner gets a mail all the same')
})

story('other field errors are reported even when the address is taken', async (t, build) => {
  const options = {
    account: { emailVerification: 'mandatory', username: 'required', loginMethods: ['email', 'username'] },
    userFields: {}
  }
  const { post, mails } = await build(t, { options })
  const ann = { email: alice.email, username: 'ann', password1: password }
  await post('/registration', ann)
  t.match((await post('/registration', { ...ann, email: 'other@example.com' })).json(), {
    errors: [{ field: 'username', code: 'username_taken' }]
  })
  t.match((await post('/registration', ann)).json(), { errors: [{ field: 'username', code: 'username_taken' }] })
  t.equal((await mails()).length, 1)
})

story('the mail is resent at most every three minutes, and only to active, unverified users', async (t, build) => {
  const app = await build(t, { options: { account: {} } })
  const { post, mails, clock, register, app: { restAuth } } = app
  await register()
  await register({ email: 'idle@example.com' })
  await mails()
  const { pk } = await restAuth.users.find({ email: 'idle@example.com' }) ?? { pk: '' }
  await restAuth.users.deactivate(pk)
  const resend = async (email: string) => {
    const answer = await post('/registration/resend-email', { email })
    t.equal(answer.statusCode, 200)
    t.equal(answer.body, '{"detail":"ok"}', email)
    return (await mails()).length
  }
  t.equal(await resend(alice.email), 2, 'just mailed')
  clock.advance(181)
  t.equal(await resend('ALICE@example.com '), 3)
  t.equal(await resend('nobody@example.com'), 3, 'nobody')
  t.equal(await resend('idle@example.com'), 3, 'deactivated')
  t.equal((await mails()).at(-1)?.to, alice.email)
  const [first, , last] = await mails()
  t.not(first?.text, last?.text, 'with a link of its own')
  t.equal((await post('/registration/verify-email', { key: await lastKey(app) })).statusCode, 200)
  clock.advance(181)
  t.equal(await resend(alice.email), 3, 'verified')
})

story('50 concurrent requests to resend cause one mail', async (t, build) => {
  const { post, mails, clock, register } = await build(t, { options: { account: {} } })
  await register()
  await mails()
  clock.advance(181)
  await Promise.all(Array.from({ length: 50 }, () => post('/registration/resend-email', { email: alice.email })))
  t.equal((await mails()).length, 2)
})

story('the key of a link never appears in the log, whatever the method', async (t, build) => {
  const app = await build(t, { options: mandatory })
  await app.post('/registration', alice)
  const key = await lastKey(app)
  for (const slash of ['', '/']) {
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      await app.call(method, `/registration/account-confirm-email/${key}${slash}`)
    }
  }
  t.notMatch(app.logs.join(''), key)
})

story('requests to resend while mails are queued do not add mails to the queue', async (t, build) => {
  const sent: string[] = []
  const begun: string[] = []
  let open = () => {}
  const gate = new Promise<void>(resolve => { open = resolve })
  const transport = async ({ to }: { to: string }) => {
    begun.push(to)
    await gate
    sent.push(to)
  }
  const options = { account: {}, mail: { transport } }
  // When the clock moves, other apps would send the mails that this one holds back.
  const { post, clock, register, app: { restAuth } } = await build(t, { options, instances: 1 })
  await register()
  await register({ email: 'bob@example.com' })
  const flushed = restAuth.mail.flush()
  while (begun.length < 2) await setImmediate()
  for (let asked = 0; asked < 5; asked++) await post('/registration/resend-email', { email: alice.email })
  clock.advance(200)
  open()
  await flushed
  await restAuth.mail.flush()
  t.equal(sent.filter(to => to === alice.email).length, 2, 'the first, and another three minutes later')
})

story('a mailbox that refuses mails is not mailed more often than others', async (t, build) => {
  let tried = 0
  const transport = async () => {
    tried++
    throw Object.assign(new Error('no such user'), { permanent: true })
  }
  const { post, clock, register, app: { restAuth } } = await build(t, { options: { account: {}, mail: { transport } } })
  await register()
  const resend = async () => {
    await post('/registration/resend-email', { email: alice.email })
    await restAuth.mail.flush()
    return tried
  }
  t.equal(await resend(), 1)
  t.equal(await resend(), 1)
  clock.advance(181)
  t.equal(await resend(), 2)
})

story('the link opens a page whose button confirms; opening the page changes nothing', async (t, build) => {
  const app = await build(t, { options: mandatory })
  const { get, call, post } = app
  await post('/registration', alice)
  const path = `/registration/account-confirm-email/${await lastKey(app)}`
  for (const method of ['GET', 'HEAD', 'GET'] as const) {
    t.equal((await call(method, path)).statusCode, 200, 'a mail scanner')
  }
  t.match((await get(path)).body, /<form method="post">/)
  t.equal((await post('/login', credentials)).json().code, 'email_not_verified')
  const done = await call('POST', path, { form: {} })
  t.equal(done.statusCode, 200)
  t.match(done.body, /confirmed/)
  t.equal((await post('/login', credentials)).statusCode, 200)
  for (const method of ['GET', 'POST'] as const) t.equal((await call(method, path)).statusCode, 404, 'used')
  t.match((await get('/registration/account-confirm-email/nonsense')).body, /does not work/)
})

story('with `urls.login`, the button redirects to the login page', async (t, build) => {
  const app = await build(t, { options: { ...mandatory, urls: { login: 'https://app.example/login' } } })
  await app.post('/registration', alice)
  const answer = await app.call('POST', `/registration/account-confirm-email/${await lastKey(app)}/`, { form: {} })
  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, 'https://app.example/login')
})

story('with confirmEmailOnGet, opening the link confirms and redirects to the login page', async (t, build) => {
  const options = {
    account: { emailVerification: 'mandatory', confirmEmailOnGet: true },
    urls: { login: 'http://localhost:3000/login' }
  }
  const app = await build(t, { options })
  await app.post('/registration', alice)
  const path = `/registration/account-confirm-email/${await lastKey(app)}`
  t.equal((await app.call('HEAD', path)).statusCode, 200)
  t.equal((await app.post('/login', credentials)).json().code, 'email_not_verified', 'a HEAD confirms nothing')
  const answer = await app.get(path)
  t.equal(answer.statusCode, 302)
  t.equal(answer.headers.location, 'http://localhost:3000/login')
  t.equal((await app.post('/login', credentials)).statusCode, 200)
  t.equal((await app.get(path)).statusCode, 404)
})

story('with loginOnEmailConfirmation, confirming returns tokens of a new session', async (t, build) => {
  const heard: string[] = []
  const app = await build(t, {
    options: {
      account: { emailVerification: 'mandatory', loginOnEmailConfirmation: true },
      hooks: { loggedIn: () => { heard.push('loggedIn') } }
    },
    after: host => {
      host.get('/fresh', { onRequest: host.authenticate({ maxAge: 300 }) }, async () => ({}))
    }
  })
  await app.post('/registration', alice)
  const { access, user } = (await app.post('/registration/verify-email', { key: await lastKey(app) })).json()
  t.equal(user.email, alice.email)
  t.equal((await app.get('/user', { token: access })).statusCode, 200)
  t.same(heard, ['loggedIn'])
  const fresh = async () =>
    (await app.app.inject({ url: '/fresh', headers: { authorization: `Bearer ${access}` } })).statusCode
  t.equal(await fresh(), 401, 'no password was given')
  t.equal((await app.post('/reauthenticate', { password }, { token: access })).statusCode, 200)
  t.equal(await fresh(), 200)
})

story('urls.emailConfirmation links to the app\'s own page', async (t, build) => {
  const app = await build(t, {
    options: { ...mandatory, urls: { emailConfirmation: 'https://app.example/confirm?key={key}#top' } }
  })
  await app.post('/registration', alice)
  const [, key] = /https:\/\/app\.example\/confirm\?key=([\w-]{43})#top/.exec((await app.mails())[0]?.text ?? '') ?? []
  t.equal((await app.post('/registration/verify-email', { key })).statusCode, 200)
})

story('no request header can change a mailed link (host header injection)', async (t, build) => {
  const app = await build(t, { options: mandatory, server: { trustProxy: true } })
  const evil = [
    'host', 'x-forwarded-host', 'x-host', 'x-forwarded-server', 'x-original-url', 'forwarded', 'origin', 'referer'
  ]
  for (const [index, header] of evil.entries()) {
    const value = header === 'forwarded' ? 'host=evil.example;proto=http' : 'evil.example'
    const headers = { [header]: value, 'x-forwarded-proto': 'gopher' }
    await app.post('/registration', { ...alice, email: `u${index}@example.com` }, { headers })
  }
  const mails = await app.mails()
  t.equal(mails.length, evil.length)
  for (const { raw, text } of mails) {
    t.notMatch(raw, /evil|gopher/)
    t.match(text, /http:\/\/localhost:3000\/auth\/registration\/account-confirm-email\//)
  }
})

story('a changed e-mail address is unverified again', async (t, build) => {
  const app = await build(t, { options: mandatory })
  const { users } = app.app.restAuth
  const { pk } = await users.create({
    email: 'a@example.com',
    email_verified: true,
    password,
    gender: 'F',
    phone_number: '+1'
  } as never)
  t.equal((await app.post('/login', { email: 'a@example.com', password })).statusCode, 200)
  t.match(await users.update(pk, { email: 'A@example.com' }), { email_verified: true }, 'the same one')
  t.match(await users.update(pk, { email: 'b@example.com' }), { email_verified: false })
  t.match(
    await users.update(pk, { email: 'c@example.com', email_verified: true }), { email_verified: true },
    'unless the app sets email_verified'
  )
})

story('the app can send the verification mail to a user that it created', async (t, build) => {
  const app = await build(t, { options: mandatory })
  const { users, mail } = app.app.restAuth
  const user = await users.create({ email: 'a@example.com', password, gender: 'F', phone_number: '+1' } as never)
  await mail.send('email-verification', user)
  t.equal((await app.post('/registration/verify-email', { key: await lastKey(app) })).statusCode, 200)
  t.match(await users.find({ pk: user.pk }), { email_verified: true })
})
