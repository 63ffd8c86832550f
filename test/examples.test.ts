import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { Type } from '@sinclair/typebox'
import { drizzle } from 'drizzle-orm/node-postgres'
import { auth, buildApp as buildArticle } from '../examples/article/app.js'
import { buildApp as buildMagicLink } from '../examples/magic-link/app.js'
import { buildApp as buildMinimal } from '../examples/minimal/app.js'
import { buildApp as buildPostgres } from '../examples/postgres/app.js'
import { auth as social, buildApp as buildSocial } from '../examples/social/app.js'
import { spotify } from '../examples/social/spotify.js'
import { SocialProviderOptions } from '../schemas/options/social.js'
import { linkIn } from './support/answers.js'
import { alice, loaders, password, patient, secret, sqliteBuild, t } from './support/build.js'
import { openPool, postgres } from './support/databases.js'
import { json, serve } from './support/providers/server.js'
import { createBrowser } from './support/social-browser.js'

const newcomer = { email: alice.email, password1: password }
// The console transport would print them between the lines of the tests.
const unread = { transport: async () => {} }

t.test('the minimal example greets the logged-in user, and refuses everybody else', async t => {
  const app = await buildMinimal({ database: ':memory:', mail: unread })
  t.teardown(() => app.close())
  const { access } = (await app.inject({ method: 'POST', url: '/auth/registration', payload: newcomer })).json()
  const answer = await app.inject({ url: '/me', headers: { authorization: `Bearer ${access}` } })
  t.same(answer.json(), { hello: alice.email })
  t.equal((await app.inject('/me')).statusCode, 401)
})

t.test("the tests of the article's example pass", async t => {
  const { stdout } = await promisify(execFile)(process.execPath, [...loaders, '--test', 'examples/article/app.test.ts'])
  t.match(stdout, /^# pass 2$/m)
})

t.test("the article's example has users confirm their address, by its own mail, before they can log in", async t => {
  const mails: Array<{ to: string, subject: string, text: string, html: string }> = []
  const transport = async (mail: typeof mails[number]) => { mails.push(mail) }
  const app = await buildArticle({ database: ':memory:', secret, mail: { ...auth.mail, transport } }, patient)
  t.teardown(() => app.close())
  const post = async (path: string, payload: object) =>
    await app.inject({ method: 'POST', url: `/auth${path}`, payload })
  t.same((await post('/registration', alice)).json(), { detail: 'Verification e-mail sent.' })
  t.equal((await post('/login', { email: alice.email, password })).json().code, 'email_not_verified')

  await app.restAuth.mail.flush()
  const [{ text, ...mail } = { text: '' }] = mails
  const link = linkIn({ text })
  t.same(text.trim().split('\n'), [
    'Hello from Example!',
    '',
    `You're receiving this e-mail because user ${alice.email} has given your e-mail address to register an account ` +
    'on localhost:3000.',
    '',
    `To confirm this is correct, go to ${link}`,
    '',
    'Thank you from Example!',
    'localhost:3000'
  ])
  t.match(mail, { to: alice.email, subject: 'Example: Please confirm your e-mail address', html: `href="${link}"` })
  const confirmed = await app.inject(link)
  t.equal(confirmed.statusCode, 302)
  t.equal(confirmed.headers.location, '/docs#/Session/login')

  const { access } = (await post('/login', { email: alice.email, password })).json()
  const answer = await app.inject({ url: '/me', headers: { authorization: `Bearer ${access}` } })
  t.same(answer.json(), { hello: alice.email, gender: 'F' })
  t.equal((await app.inject('/')).headers.location, '/docs')
})

t.test(`the PostgreSQL example writes a profile in the transaction of the registration (${postgres.name})`, async t => {
  const { database, close } = await postgres.open()
  const pool = typeof database === 'string' ? openPool(database) : undefined
  const orm = pool ? drizzle({ client: pool }) : database
  const app = await buildPostgres(orm as Parameters<typeof buildPostgres>[0], {
    secret,
    docs: false,
    mail: unread
  })
  t.teardown(async () => {
    await app.close()
    await pool?.end()
    await close()
  })
  const { access } = (await app.inject({ method: 'POST', url: '/auth/registration', payload: newcomer })).json()
  const answer = await app.inject({ url: '/profile', headers: { authorization: `Bearer ${access}` } })
  t.match(answer.json(), { motto: 'New here' })
})

t.test('the social example starts while its provider is away, and its page lists the providers', async t => {
  const app = await buildSocial({
    database: ':memory:',
    secret,
    docs: false,
    mail: unread,
    social: { example: { ...social.social?.example, issuer: 'http://localhost:1' } }
  }, patient)
  t.teardown(() => app.close())
  const page = await app.inject('/')
  t.match(page.body, '<title>Log in with a provider</title>')
  for (const [, file = ''] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
    t.equal((await app.inject(file)).statusCode, 200, file)
  }
  t.same((await app.inject('/providers')).json(), [{ name: 'example', label: 'the example' }])
  const login = await app.inject({ url: '/auth/example/login', headers: { 'sec-fetch-site': 'same-origin' } })
  t.equal(login.statusCode, 503)
})

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

t.test('the documentation explains each member of a custom provider, and each provider option', async t => {
  const [, members = ''] = /export interface Provider \{\n([^]*?)\n\}/.exec(read('src/providers/provider.ts')) ?? []
  const names = [...members.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name = '']) => name)
  t.ok(names.includes('ownsMailbox'))
  for (const name of names) t.match(read('docs/own-provider.md'), new RegExp(`^\\| .*\`${name}[\`.]`, 'm'), name)
  for (const name of Object.keys(SocialProviderOptions.properties)) {
    t.match(read('docs/social.md'), new RegExp(`^\\| .*\`${name}\``, 'm'), name)
  }
})

t.test('the custom provider in the documentation is the one of the example, and logs users in', async t => {
  t.ok(
    read('docs/own-provider.md').includes(`\`\`\`ts\n${read('examples/social/spotify.ts')}\`\`\`\n`),
    'docs/own-provider.md has examples/social/spotify.ts as it is'
  )
  const { url } = await serve(t, ({ path, headers: { authorization }, form }) => {
    if (path === '/v1/me') {
      return authorization === 'Bearer of-alice'
        ? json({ id: '4711', email: alice.email, display_name: 'Alice' })
        : json({}, 401)
    }
    const isOurs =
      authorization === `Basic ${btoa('the-app:the-secret')}` &&
      form.client_secret === undefined &&
      form.code === 'of-alice'
    return isOurs
      ? json({ access_token: 'of-alice', token_type: 'Bearer', expires_in: 3600 })
      : json({ error: 'invalid_client' }, 400)
  })
  const endpoints = { authorization: `${url}/authorize`, token: `${url}/api/token`, userinfo: `${url}/v1/me` }
  const built = await sqliteBuild(t, {
    options: {
      account: { emailVerification: 'none' },
      userFields: { display_name: { schema: Type.String({ maxLength: 50 }) } },
      social: { spotify: { provider: { ...spotify, endpoints }, clientId: 'the-app', clientSecret: 'the-secret' } }
    }
  })
  const browser = createBrowser(built)
  const { searchParams } = new URL(await browser.start('spotify'))
  t.equal(searchParams.get('scope'), 'user-read-email')
  const answer = await browser.comeBack(
    `${searchParams.get('redirect_uri')}?code=of-alice&state=${searchParams.get('state')}`
  )
  t.match(answer.json().user, { email: alice.email, display_name: 'Alice' })
})

t.test('the magic-link example logs a user in by the link, once, in a browser', async t => {
  const sent: Array<{ to: string, link: string }> = []
  const app = await buildMagicLink(
    async (to, link) => { sent.push({ to, link }) },
    { database: ':memory:', mail: unread, account: { emailVerification: 'mandatory' } }
  )
  t.teardown(() => app.close())
  const post = async (url: string, options: object = {}) => await app.inject({ method: 'POST', url, ...options })
  const { pk } = await app.restAuth.users.create({ email: alice.email } as never)
  const unknown = await post('/login-links', { payload: { email: 'nobody@example.com' } })
  const known = await post('/login-links', { payload: { email: alice.email } })
  t.equal(known.body, unknown.body)
  t.same(sent.map(({ to }) => to), [alice.email])

  const path = new URL(sent[0]?.link ?? '').pathname
  t.match((await app.inject(path)).body, '<button>Log in</button>')
  const form = { headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://localhost' } }
  const answer = await post(path, form)
  t.equal(answer.headers.location, '/me')
  const cookies = Object.fromEntries(answer.cookies.map(({ name, value }) => [name, value]))
  t.same((await app.inject({ url: '/me', cookies })).json(), { hello: alice.email })
  t.match(await app.restAuth.users.find({ pk }), { email_verified: true })
  t.match(await app.restAuth.sessions.list(pk), [{ amr: ['otp'] }])
  t.equal((await post(path, form)).statusCode, 400)
})
