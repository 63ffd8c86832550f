/** The outbox: no mail is lost, no outdated mail is sent, and no answer waits for a mail. */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { eq } from 'drizzle-orm'
import type { Database } from '../src/db/database.js'
import { openDatabase } from '../src/db/open.js'
import type { MailMessage } from '../src/mail/message.js'
import type { RestAuth } from '../src/rest-auth.js'
import { claimMails } from '../src/store/outbox.js'
import type { Tx } from '../src/types.js'
import { keyIn, uidAndTokenIn } from './support/answers.js'
import {
  alice, password, secret, sqliteBuild, story, t, type Build, type BuildOptions, type BuiltApp, type Test
} from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { startMailServer } from './support/mail-server.js'
import { existingTable } from './support/users-table.js'

const mandatory = { account: { emailVerification: 'mandatory' } }
const fresh = 'Brand-new-pw-1'

/** On a database that others can open as well: `:memory:` belongs to one connection. */
const buildShared = async (t: Test, build: Build, dialect: string, options: BuildOptions): Promise<BuiltApp> =>
  await build(t, { ...options, ...(dialect === 'sqlite' && { database: temporaryFile(t) }) })

async function openRows (t: Test, { database }: BuiltApp): Promise<Database> {
  const db = await openDatabase(database, [], () => {}, existingTable)
  t.teardown(() => db.close())
  return db
}

/** A folder with the app's own templates. */
function templates (t: Test, files: Record<string, string>): string {
  const folder = dirname(temporaryFile(t))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const hello = {
  'hello.txt': 'Hello {{ user_display }}, {{ greeting }}\n',
  'hello.html': '<title>Greetings</title><p>{{ greeting }}</p>',
  'hello.subject.txt': 'Hello {{ greeting }}'
}

const hasLogged = ({ logs }: BuiltApp, level: number, message: string): boolean =>
  logs.some(line => line.includes(`"level":${level}`) && line.includes(`"msg":"${message}"`))

story('while the mail server is down, answers are as usual; the mails go out once it is back', async (t, build) => {
  const app = await build(t, { options: mandatory })
  const { post, mails, mailServer, clock, app: { restAuth } } = app
  const bob = { email: 'bob@example.com', password, email_verified: true, gender: 'M', phone_number: '1' }
  await restAuth.users.create(bob as never)
  mailServer.mode = 'refuse-connection'
  const registered = await post('/registration', alice)
  t.equal(registered.statusCode, 201)
  t.same(registered.json(), { detail: 'Verification e-mail sent.' })
  t.equal((await post('/password/reset', { email: 'bob@example.com' })).statusCode, 200)
  t.same(await mails(), [])
  t.match(await restAuth.mail.list({ state: 'waiting' }), {
    length: 2,
    0: { attempts: 1, lastError: /ECONN/ },
    1: { attempts: 1, lastError: /ECONN/ }
  })
  t.ok(hasLogged(app, 40, 'mail not sent yet'))

  mailServer.mode = 'ok'
  t.same(await mails(), [], 'not before the retry is due')
  clock.advance(31)
  t.same((await mails()).map(({ to }) => to).sort(), [alice.email, 'bob@example.com'])
  const [verification, reset] = [alice.email, 'bob@example.com'].map(to =>
    mailServer.mails.find(mail => mail.to === to)
  )
  t.equal((await post('/registration/verify-email', { key: keyIn(verification) })).statusCode, 200)
  t.equal((await post('/password/reset/confirm', { ...uidAndTokenIn(reset), new_password1: fresh })).statusCode, 200)
})

story('an SMTP port that refuses connections does not delay an answer', async (t, build) => {
  const { post, mailServer, app: { restAuth } } = await build(t, { options: mandatory })
  await mailServer.close()
  t.equal((await post('/registration', alice)).statusCode, 201)
  await restAuth.mail.flush()
  t.match(await restAuth.mail.list(), { length: 1, 0: { state: 'waiting', lastError: /ECONNREFUSED/ } })
})

story('a retry sends the same mail with the same link, which works once', async (t, build) => {
  const app = await build(t, { options: mandatory })
  const { post, mails, mailServer, clock } = app
  mailServer.mode = 'lose-answer'
  await post('/registration', alice)
  t.equal((await mails()).length, 1, 'it arrived, but the server could not confirm it')
  mailServer.mode = 'ok'
  clock.advance(31)
  const [first, second, ...others] = await mails()
  t.same(others, [])
  t.ok(first?.messageId)
  for (const part of ['messageId', 'subject', 'text', 'html', 'to'] as const) {
    t.equal(second?.[part], first?.[part], part)
  }
  t.same(second?.headers.get('date'), first?.headers.get('date'))
  t.equal((await post('/registration/verify-email', { key: keyIn(first) })).statusCode, 200)
  t.equal((await post('/registration/verify-email', { key: keyIn(second) })).statusCode, 404)
})

story('a mail is tried eight times, at intervals that double, and then kept as failed', async (t, build) => {
  const app = await build(t, { options: mandatory })
  const { post, mails, mailServer, clock, app: { restAuth } } = app
  mailServer.mode = 'refuse-connection'
  await post('/registration', alice)
  const attempts = async () => {
    await mails()
    return (await restAuth.mail.list())[0]?.attempts
  }
  for (const [tried, wait] of [30, 60, 120, 240, 480, 960, 1920].entries()) {
    t.equal(await attempts(), tried + 1)
    clock.advance(wait - 1)
    t.equal(await attempts(), tried + 1, `not before ${wait} s`)
    t.notOk(hasLogged(app, 50, 'mail given up'))
    clock.advance(1)
  }
  t.equal(await attempts(), 8)
  t.ok(hasLogged(app, 50, 'mail given up'))
  clock.advance(7200)
  t.equal(await attempts(), 8, 'not a ninth time')
  const [dead, ...others] = await restAuth.mail.list({ state: 'failed' })
  t.same(others, [])
  t.match(dead, { template: 'email-verification', state: 'failed', attempts: 8, dueAt: null, sentAt: null })
  t.match(dead, { failedAt: Date, lastError: /ECONN/ })
  t.match(
    await restAuth.users.find({ email: alice.email }), { is_active: true, email_verified: false },
    'the account is not affected'
  )
  t.equal((await post('/login', { email: alice.email, password })).json().code, 'email_not_verified')

  mailServer.mode = 'ok'
  t.equal(await restAuth.mail.retry('no such mail'), 0)
  t.equal(await restAuth.mail.retry(dead?.id), 1)
  t.equal((await mails()).length, 1)
  t.match(await restAuth.mail.list(), { length: 1, 0: { id: dead?.id, state: 'sent', failedAt: null } })
  t.equal(await restAuth.mail.retry(), 0, 'a sent mail is not sent again')
  t.equal((await post('/registration/verify-email', { key: keyIn(mailServer.mails[0]) })).statusCode, 200)
})

story('a permanently rejected recipient is given up at once, and the others get their mail', async (t, build) => {
  const app = await build(t, { options: mandatory })
  const { post, mails, mailServer, clock, app: { restAuth } } = app
  Object.assign(mailServer, { mode: 'reject-recipient', rejected: 'b@example.com' })
  for (const name of ['a', 'b', 'c']) await post('/registration', { ...alice, email: `${name}@example.com` })
  t.same((await mails()).map(({ to }) => to).sort(), ['a@example.com', 'c@example.com'])
  const [dead, ...others] = await restAuth.mail.list({ state: 'failed' })
  t.same(others, [])
  t.match(dead, { attempts: 1, lastError: /550/, userPk: (await restAuth.users.find({ email: 'b@example.com' }))?.pk })
  t.ok(hasLogged(app, 50, 'mail given up'))
  clock.advance(86000)
  t.equal((await mails()).length, 2)
  mailServer.mode = 'ok'
  t.equal(await restAuth.mail.retry(), 1)
  t.equal((await mails()).at(-1)?.to, 'b@example.com')
})

story('after a temporary rejection or a lost connection, the mail is sent later', async (t, build) => {
  const { post, mails, mailServer, clock, app: { restAuth } } = await build(t, { options: mandatory })
  mailServer.mode = 'temporary'
  await post('/registration', alice)
  await mails()
  t.match(await restAuth.mail.list(), { length: 1, 0: { state: 'waiting', lastError: /451/ } })
  mailServer.mode = 'drop-after-data'
  clock.advance(31)
  await mails()
  t.match(await restAuth.mail.list(), { length: 1, 0: { state: 'waiting', attempts: 2, lastError: /ECONN/ } })
  mailServer.mode = 'ok'
  clock.advance(61)
  t.equal((await mails()).length, 1)
  t.match(await restAuth.mail.list(), { length: 1, 0: { state: 'sent', attempts: 3, dueAt: null, sentAt: clock.now } })
})

story('while a mail hangs at a silent server, every request is answered', async (t, build) => {
  const options = { account: { emailVerification: 'optional' } }
  const { post, get, mailServer, clock, app: { restAuth } } = await build(t, { options })
  mailServer.mode = 'silent'
  const { access: token } = (await post('/registration', alice)).json()
  let hangs = true
  const flushed = restAuth.mail.flush().then(() => { hangs = false })
  while (mailServer.connections === 0) await setImmediate()
  t.equal((await post('/registration', { ...alice, email: 'bob@example.com' })).statusCode, 201)
  t.equal((await post('/registration/resend-email', { email: alice.email })).statusCode, 200)
  t.equal((await post('/password/reset', { email: alice.email })).statusCode, 200)
  t.equal((await get('/user', { token })).statusCode, 200)
  t.equal((await post('/password/change', { old_password: password, new_password1: fresh }, { token })).statusCode, 200)
  t.equal((await post('/login', { email: alice.email, password: fresh })).statusCode, 200)
  t.ok(hangs)
  // Closing the server ends the wait; a test has no time for the timeout.
  await mailServer.close()
  await flushed
  t.equal(
    (await restAuth.mail.list({ state: 'waiting' })).filter(({ attempts }) => attempts === 1).length, 4,
    'the other mails were tried too'
  )
  t.equal(clock.now.toISOString(), '2026-11-23T12:00:00.000Z')
})

story("the app's own timeouts end the wait for a silent server", async (t, build) => {
  const mailServer = await startMailServer()
  t.teardown(() => mailServer.close())
  mailServer.mode = 'silent'
  const { host, port } = mailServer
  const options = { ...mandatory, mail: { transport: { host, port, greetingTimeout: 100 } } }
  const { post, app: { restAuth } } = await build(t, { options })
  await post('/registration', alice)
  await restAuth.mail.flush()
  t.match(await restAuth.mail.list(), { length: 1, 0: { state: 'waiting', lastError: /ETIMEDOUT/ } })
})

story('a mail whose link has expired is not sent', async (t, build) => {
  const app = await build(t, { options: { tokens: { passwordReset: 300 } } })
  const { post, register, mails, mailServer, clock, app: { restAuth } } = app
  await register()
  await register({ email: 'bob@example.com' })
  mailServer.mode = 'refuse-connection'
  await post('/password/reset', { email: alice.email })
  await mails()
  clock.advance(300)
  mailServer.mode = 'ok'
  await post('/password/reset', { email: 'bob@example.com' })
  t.same((await mails()).map(({ to }) => to), ['bob@example.com'])
  t.match(await restAuth.mail.list(), { length: 1, 0: { state: 'sent' } })
})

story('of two waiting mails with a link, only the newer is sent', async (t, build) => {
  const { post, mails, mailServer, clock, app: { restAuth } } = await build(t, { options: mandatory })
  mailServer.mode = 'refuse-connection'
  await post('/registration', alice)
  await mails()
  clock.advance(181)
  await post('/registration/resend-email', { email: alice.email })
  await mails()
  clock.advance(600)
  mailServer.mode = 'ok'
  const [mail, ...others] = await mails()
  t.same(others, [])
  t.match(await restAuth.mail.list(), {
    length: 1,
    0: { state: 'sent', createdAt: new Date('2026-11-23T12:03:01.000Z') }
  })
  t.equal((await post('/registration/verify-email', { key: keyIn(mail) })).statusCode, 200)
})

story('a waiting mail is dropped if its user is verified, deactivated, deleted or has moved', async (t, build) => {
  const { post, mails, mailServer, clock, app: { restAuth: { users, mail } } } = await build(t, { options: mandatory })
  const names = ['confirmed', 'idle', 'back', 'gone', 'moved']
  mailServer.mode = 'refuse-connection'
  const pks = new Map<string, string>()
  for (const name of names) {
    await post('/registration', { ...alice, email: `${name}@example.com` })
    pks.set(name, (await users.find({ email: `${name}@example.com` }))?.pk ?? '')
  }
  const pk = (name: string) => pks.get(name) ?? ''
  await mails()
  t.equal((await mail.list({ state: 'waiting' })).length, names.length)
  await users.update(pk('confirmed'), { email_verified: true })
  for (const name of ['idle', 'back']) await users.deactivate(pk(name))
  await users.activate(pk('back'))
  await users.delete(pk('gone'))
  await users.update(pk('moved'), { email: 'elsewhere@example.com' })
  mailServer.mode = 'ok'
  clock.advance(31)
  t.same(await mails(), [])
  t.same(await mail.list(), [])
  await post('/registration/resend-email', { email: 'back@example.com' })
  t.same((await mails()).map(({ to }) => to), ['back@example.com'], 'a reactivated user can request another mail')
})

story('a mail whose link was used while it waited is not sent again', async (t, build) => {
  const { post, register, mails, mailServer, clock, app: { restAuth } } = await build(t)
  await register()
  mailServer.mode = 'lose-answer'
  await post('/password/reset', { email: alice.email })
  const link = uidAndTokenIn((await mails())[0])
  t.match(await restAuth.mail.list(), { length: 1, 0: { state: 'waiting' } })
  t.equal((await post('/password/reset/confirm', { ...link, new_password1: fresh })).statusCode, 200)
  mailServer.mode = 'ok'
  clock.advance(31)
  t.same(
    (await mails()).map(({ subject }) => subject.replace('[localhost:3000] ', '')),
    ['Reset your password', 'Your password was changed']
  )
  t.equal((await post('/password/reset/confirm', { ...link, new_password1: 'Yet-another-pw-1' })).statusCode, 400)
  t.same((await restAuth.mail.list()).map(({ template, state }) => `${template} ${state}`), ['password-changed sent'])
})

story('rotating the secret between two tries keeps the link valid', async (t, build, { dialect }) => {
  const before = await buildShared(t, build, dialect, { options: mandatory })
  before.mailServer.mode = 'refuse-connection'
  await before.post('/registration', alice)
  await before.mails()
  await before.app.close()
  const after = await build(t, {
    database: before.database,
    options: { ...mandatory, secret: ['Zr7TqK2wXe9LbVn4MuCy5PaJdGs8HfQt', secret] }
  })
  after.clock.advance(31)
  const [mail] = await after.mails()
  t.equal((await after.post('/registration/verify-email', { key: keyIn(mail) })).statusCode, 200)
})

story('two processes that share an outbox send each of fifty mails once', async (t, build, { dialect }) => {
  const one = await buildShared(t, build, dialect, { options: { ...mandatory, mail: { from: 'one@example.com' } } })
  const two = await build(t, {
    database: one.database,
    options: { ...mandatory, mail: { from: 'two@example.com', transport: one.mailServer.url } }
  })
  one.mailServer.mode = 'refuse-connection'
  const addresses = Array.from({ length: 50 }, (_, index) => `u${index}@example.com`)
  for (const [index, email] of addresses.entries()) {
    await (index % 2 ? one : two).post('/registration', { ...alice, email })
  }
  await Promise.all([one.mails(), two.mails()])
  t.equal((await one.app.restAuth.mail.list({ state: 'waiting' })).length, 50)
  one.mailServer.mode = 'ok'
  for (const { clock } of [one, two]) clock.advance(31)
  await Promise.all([one.mails(), two.mails(), one.mails()])
  t.same(one.mailServer.mails.map(({ to }) => to).sort(), addresses.sort())
  t.same(
    [...new Set(one.mailServer.mails.map(({ from }) => from))].sort(), ['one@example.com', 'two@example.com'],
    'both processes sent some of them'
  )
  t.equal((await two.app.restAuth.mail.list({ state: 'sent' })).length, 50)
})

story('a mail that a killed process had claimed is sent by another a minute later', async (t, build, { dialect }) => {
  const dying = await buildShared(t, build, dialect, { options: mandatory })
  const db = await openRows(t, dying)
  dying.mailServer.mode = 'refuse-connection'
  await dying.post('/registration', alice)
  await dying.app.close()
  // The process that claims the mail here never sends it.
  const later = (seconds: number) => new Date(dying.clock.now.getTime() + seconds * 1000)
  const claim = { origin: '/auth', now: later(31), abandoned: later(-3600), leaseEnd: later(91), limit: 10 }
  t.equal((await claimMails(db, claim)).length, 1)
  const { clock, mails, app: { restAuth } } = await build(t, { database: dying.database, options: mandatory })
  clock.advance(90)
  t.same(await mails(), [])
  clock.advance(1)
  t.equal((await mails()).length, 1)
  t.match(await restAuth.mail.list(), { length: 1, 0: { state: 'sent', attempts: 3 } })
})

story('mails of a prefix that no longer exists are sent by another after an hour', async (t, build, { dialect }) => {
  const old = await buildShared(t, build, dialect, { options: { ...mandatory, prefix: '/old' } })
  old.mailServer.mode = 'refuse-connection'
  t.equal((await old.app.inject({ method: 'POST', url: '/old/registration', payload: alice })).statusCode, 201)
  await old.app.close()
  const { clock, mails } = await build(t, { database: old.database, options: mandatory })
  clock.advance(3600)
  t.same(await mails(), [])
  clock.advance(31)
  t.match(await mails(), { length: 1, 0: { text: /\/auth\/registration\/account-confirm-email\// } })
})

story('a mail is sent by itself, without a call of flush()', async (t, build) => {
  const [arrived, arrive] = promise<MailMessage>()
  const { post } = await build(t, { options: { ...mandatory, mail: { transport: arrive } } })
  await post('/registration', alice)
  t.match(await arrived, { to: alice.email })
})

function promise<T> (): [promise: Promise<T>, resolve: (value: T) => void] {
  let resolve: (value: T) => void = () => {}
  return [new Promise<T>(_resolve => { resolve = _resolve }), value => { resolve(value) }]
}

story('mails that are due when the app closes are sent first', async (t, build) => {
  const { app, post, mailServer } = await build(t, { options: mandatory })
  for (let index = 0; index < 12; index++) await post('/registration', { ...alice, email: `u${index}@example.com` })
  await app.close()
  t.equal(new Set(mailServer.mails.map(({ to }) => to)).size, 12)
  t.equal(mailServer.mails.length, 12)
})

story('closing waits 5 seconds for a silent server; the next start sends the rest', async (t, build, { dialect }) => {
  const closing = await buildShared(t, build, dialect, { options: mandatory })
  closing.mailServer.mode = 'silent'
  for (let index = 0; index < 25; index++) {
    await closing.post('/registration', { ...alice, email: `u${index}@example.com` })
  }
  const start = performance.now()
  await closing.app.close()
  const seconds = (performance.now() - start) / 1000
  // A mail may take 30 seconds, and they go out ten at a time: without the limit it would be 90.
  t.ok(seconds < 60, `${seconds.toFixed(1)} s`)
  const next = await build(t, { database: closing.database, options: mandatory })
  next.clock.advance(61)
  t.equal(new Set((await next.mails()).map(({ to }) => to)).size, 25)
  t.equal(next.mailServer.mails.length, 25)
  // The second batch of ten may have begun when the first gave up.
  t.ok(closing.mailServer.connections <= 20, 'a closed app starts no new mail')
  t.notOk(closing.logs.some(line => line.includes('could not be read')), 'and does not use the database')
})

story('sent mails are deleted after an hour, failed mails are kept', async (t, build) => {
  const { post, mails, mailServer, clock, app: { restAuth } } = await build(t, { options: mandatory })
  Object.assign(mailServer, { mode: 'reject-recipient', rejected: 'b@example.com' })
  const states = async () => {
    await mails()
    return (await restAuth.mail.list()).map(({ state }) => state)
  }
  for (const name of ['a', 'b']) await post('/registration', { ...alice, email: `${name}@example.com` })
  t.same((await states()).sort(), ['failed', 'sent'])
  clock.advance(3599)
  await post('/registration', { ...alice, email: 'c@example.com' })
  t.same((await states()).sort(), ['failed', 'sent', 'sent'])
  clock.advance(2)
  await post('/registration', { ...alice, email: 'd@example.com' })
  t.same((await states()).sort(), ['failed', 'sent', 'sent'], 'the first is gone')
})

story('an app can send its own mails', async (t, build) => {
  const app = await build(t, { options: { mail: { templates: templates(t, hello) } } })
  const { register, mails, clock, app: { restAuth } } = app
  const { user } = await register()
  const id = await restAuth.mail.send('hello', user, { greeting: 'a <b>{{ 7 | times: 6 }}</b>' })
  t.match(await mails(), {
    length: 1,
    0: {
      to: alice.email,
      subject: '[localhost:3000] Hello a <b>{{ 7 | times: 6 }}</b>',
      text: `Hello ${alice.email}, a <b>{{ 7 | times: 6 }}</b>`,
      html: /<p>a &lt;b&gt;\{\{ 7 \| times: 6 }}&lt;\/b&gt;<\/p>/,
      messageId: `<${id}@localhost>`
    }
  }, 'a value is neither Liquid nor HTML')
  t.same(await restAuth.mail.list(), [{
    id,
    template: 'hello',
    state: 'sent',
    userPk: user.pk,
    address: null,
    attempts: 1,
    createdAt: clock.now,
    dueAt: null,
    sentAt: clock.now,
    failedAt: null,
    lastError: null
  }])
  t.equal(await restAuth.mail.flush(), undefined)
  t.same(await restAuth.mail.list({ state: 'waiting' }), [])

  await restAuth.mail.send('hello', user)
  t.equal((await mails())[1]?.text.trim(), `Hello ${alice.email},`)
  await restAuth.mail.send('password-changed', user)
  t.match((await mails())[2]?.subject, 'Your password was changed')
  await t.rejects(restAuth.mail.send('nonsense', user), {
    name: 'TypeError',
    message: /no template nonsense; there is .*hello/
  })
  await t.rejects(restAuth.mail.send('hello', { pk: 'nobody' }), { name: 'TypeError', message: /no address/ })
  t.equal((await mails()).length, 3)
})

story('only a verified address is notified that a provider was linked', async (t, build) => {
  const { register, mails, app: { restAuth } } = await build(t)
  const { user } = await register()
  const connect = async () =>
    await restAuth.mail.send('social-account-connected', user, {
      provider: 'Tom & Jerry',
      site_name: 'Evil',
      connected_at: 'never'
    })
  await connect()
  t.same(await mails(), [])
  t.same(await restAuth.mail.list(), [], 'the mail is dropped')

  await restAuth.users.update(user.pk, { email_verified: true })
  await connect()
  const [mail] = await mails()
  t.equal(mail?.subject, '[localhost:3000] You can now log in with Tom & Jerry')
  t.match(
    mail?.text, /^Tom & Jerry was connected to your account on localhost:3000\non \d+ \w+ \d{4}, \d\d:\d\d UTC\.$/m
  )
  t.match(mail?.html, /<h1>You can now log in with Tom &amp; Jerry<\/h1>/)
  t.equal(mail?.to, alice.email)

  await connect()
  await restAuth.users.deactivate(user.pk)
  t.equal((await mails()).length, 1)
})

story('sending a mail to a user without an address fails', async (t, build) => {
  const options = {
    account: { email: 'optional', username: 'required', loginMethods: ['username'], emailVerification: 'optional' },
    userFields: {}
  }
  const { post, mails, app: { restAuth } } = await build(t, { options })
  const { user } = (await post('/registration', { username: 'ann', password1: password })).json()
  await t.rejects(restAuth.mail.send('password-changed', user), { name: 'TypeError', message: /no address/ })
  t.same(await restAuth.mail.list(), [], 'the registration sent none either')
  t.same(await mails(), [])
})

story("a mail sent from a hook is part of the hook's transaction", async (t, build) => {
  let mail: RestAuth['mail'] | undefined
  let shouldFail = true
  const hooks = {
    registered: async (user: { pk: string }, tx: Tx) => {
      await mail?.send('hello', user, { greeting: 'welcome' }, { tx })
      if (shouldFail) throw new Error('changed my mind')
    }
  }
  const { post, mails } = await build(t, {
    options: { mail: { templates: templates(t, hello) }, hooks },
    after: app => { mail = app.restAuth.mail }
  })
  t.equal((await post('/registration', alice, { fault: true })).statusCode, 500)
  t.same(await mails(), [])
  shouldFail = false
  t.equal((await post('/registration', alice)).statusCode, 201)
  t.match(await mails(), { length: 1, 0: { to: alice.email, subject: '[localhost:3000] Hello welcome' } })
})

story('a template that fails for one user does not hold up other mails', async (t, build) => {
  const shout = (greeting: unknown) => {
    if (greeting === 'poison') throw new Error('no antidote')
    return String(greeting).toUpperCase()
  }
  const folder = templates(t, { ...hello, 'hello.txt': 'Hello {{ greeting | shout }}' })
  const app = await build(t, { options: { mail: { templates: folder, filters: { shout } } } })
  const { register, mails, clock, app: { restAuth } } = app
  const { user } = await register()
  const id = await restAuth.mail.send('hello', user, { greeting: 'poison' })
  for (let index = 0; index < 15; index++) await restAuth.mail.send('hello', user, { greeting: `number ${index}` })
  t.equal((await mails()).length, 15)
  for (let time = 0; time < 8; time++) {
    clock.advance(3600)
    await mails()
  }
  t.match(await restAuth.mail.list({ state: 'failed' }), {
    length: 1,
    0: { id, attempts: 8, lastError: /no antidote/ }
  })
  t.ok(hasLogged(app, 50, 'mail given up'))
})

t.test('a function in mail.variables that never settles does not hold up other mails', async t => {
  const slow = async ({ email }: { email: string }) => email === alice.email ? await new Promise(() => {}) : email
  const options = { ...mandatory, mail: { variables: { slow } } }
  const { post, mailServer, app: { restAuth } } = await sqliteBuild(t, { options })
  await post('/registration', alice)
  await post('/registration', { ...alice, email: 'bob@example.com' })
  await restAuth.mail.flush()
  await post('/registration', { ...alice, email: 'carol@example.com' })
  await restAuth.mail.flush()
  t.same(mailServer.mails.map(({ to }) => to), ['bob@example.com', 'carol@example.com'])
  t.match(await restAuth.mail.list({ state: 'waiting' }), { length: 1, 0: { lastError: /not written within 5 s/ } })
})

story('a template named like a member of Object works like any other', async (t, build) => {
  const folder = templates(t, { 'constructor.txt': 'Hello', 'constructor.subject.txt': 'Hello' })
  const { register, mails, app: { restAuth } } = await build(t, { options: { mail: { templates: folder } } })
  const { user } = await register()
  await restAuth.mail.send('constructor', user)
  t.match(await mails(), { length: 1, 0: { to: alice.email } })
})

story('input of strangers reaches no mail header and no other mailbox', async (t, build, { dialect }) => {
  const hostile = 'a@b.co\r\nBcc: evil@x.y'
  const markup = '<img src=x>{{ secret }}'
  const folder = templates(t, {
    ...hello,
    'hello.subject.txt': '{{ user.phone_number }} {{ greeting }}',
    'hello.html': '<title>x</title>{{ user.phone_number }} {{ greeting }}'
  })
  const options = {
    ...mandatory,
    account: { ...mandatory.account, username: 'optional', loginMethods: ['email', 'username'] },
    mail: { templates: folder }
  }
  const app = await buildShared(t, build, dialect, { options })
  const { post, mails, mailServer, app: { restAuth } } = app
  for (const email of [hostile, 'a@b.co,evil@x.y', '"a"@b.co', 'a@b.co ', '<evil@x.y>', 'a@b.co%0d%0aBcc:evil@x.y']) {
    await post('/registration', { ...alice, email })
  }
  for (const username of [hostile, markup]) await post('/registration', { ...alice, username })
  t.equal((await post('/registration', { ...alice, phone_number: markup })).statusCode, 201)
  const user = await restAuth.users.find({ email: alice.email }) ?? { pk: '' }
  await restAuth.mail.send('hello', user, { greeting: hostile })
  const sent = await mails()
  t.same(new Set(sent.flatMap(({ envelope }) => envelope.to)), new Set(['a@b.co', alice.email]))
  t.same(
    new Set(mailServer.commands.filter(line => line.startsWith('RCPT'))),
    new Set(['RCPT TO:<a@b.co>', `RCPT TO:<${alice.email}>`])
  )
  for (const { headers, envelope, to } of sent) {
    t.notOk(headers.has('bcc'))
    t.same(envelope.to, [to])
  }
  t.match(
    sent.find(({ subject }) => subject.includes('Bcc')),
    {
      subject: '[localhost:3000] <img src=x>{{ secret }} a@b.co Bcc: evil@x.y',
      html: /&lt;img src=x&gt;\{\{ secret }}/
    }
  )

  const db = await openRows(t, app)
  const before = sent.length
  for (const email of [hostile, 'a@b.co,evil@x.y', 'a@b.co <evil@x.y>']) {
    await db.orm.update(db.users).set({ email }).where(eq(db.users.pk, user.pk))
    await restAuth.mail.send('hello', user)
  }
  t.equal((await mails()).length, before, 'not even if such an address was imported')
  t.match(await restAuth.mail.list({ state: 'failed' }), {
    length: 3,
    0: { attempts: 1, lastError: /not one address/ }
  })
})

story('the owner is notified of a new password, without the password in the mail', async (t, build) => {
  const { post, register, mails } = await build(t)
  const { access: token } = await register()
  t.equal((await post('/password/change', { old_password: password, new_password1: fresh }, { token })).statusCode, 200)
  const [changed] = await mails()
  t.match(changed, { to: alice.email, subject: '[localhost:3000] Your password was changed' })
  await post('/password/reset', { email: alice.email })
  const link = uidAndTokenIn((await mails()).at(-1))
  t.equal((await post('/password/reset/confirm', { ...link, new_password1: 'Yet-another-pw-1' })).statusCode, 200)
  const notice = (await mails()).at(-1)
  t.match(notice, { to: alice.email, subject: changed?.subject })
  for (const { raw = '' } of [changed, notice].map(mail => mail ?? { raw: 'none came' })) {
    t.notMatch(raw, new RegExp(`${password}|${fresh}|Yet-another|${link.token}|none came|[\\w-]{43}`))
  }
})

story('if the password was not changed, no mail is sent', async (t, build) => {
  const hooks = { passwordChanged: () => { throw new Error('a bug') } }
  const { post, register, mails } = await build(t, { options: { hooks } })
  const { access: token } = await register()
  t.equal(
    (await post('/password/change', { old_password: 'not it at all', new_password1: fresh }, { token })).statusCode, 400
  )
  const change = { old_password: password, new_password1: fresh }
  t.equal((await post('/password/change', change, { token, fault: true })).statusCode, 500)
  t.same(await mails(), [])
})
