/** Clients may keep other paths: Fastify's `rewriteUrl` maps them to the plugin's, as docs/from-django.md shows. */
import { readFileSync } from 'node:fs'
import type { FastifyRequest } from 'fastify'
import { linkIn } from './support/answers.js'
import { alice, password, sqliteBuild, story, t, type BuiltApp } from './support/build.js'
import { startOpenidProvider } from './support/openid-provider.js'
import { createBrowser } from './support/social-browser.js'

const origin = 'http://localhost:3000'
const oldPaths: Array<[old: RegExp, path: string]> = [
  [/^\/(api\/v1\/auth|dj-rest-auth)\//, '/auth/'],
  [/^\/accounts\/confirm-email\//, '/auth/registration/account-confirm-email/'],
  [/^\/accounts\/(\w+)\/login\/callback\//, '/auth/$1/callback/'],
  [/^\/accounts\/(\w+)\/login\//, '/auth/$1/login/']
]
const server = {
  rewriteUrl: ({ url = '/' }) => oldPaths.reduce((url, [old, path]) => url.replace(old, path), url)
}

/** Sends a request to an old path. */
const createSend = ({ app }: BuiltApp) =>
  async (method: 'GET' | 'POST' | 'PATCH', url: string, payload?: object, token?: string) =>
    await app.inject({
      method, url, ...(payload && { payload }), headers: token === undefined ? {} : { authorization: `Bearer ${token}` }
    })

story('with rewriteUrl, clients and mails keep the paths that they had in Django', async (t, build) => {
  const options = {
    account: { emailVerification: 'mandatory' },
    urls: { emailConfirmation: `${origin}/accounts/confirm-email/{key}/` }
  }
  const built = await build(t, { options, server })
  const { app, mails, logs } = built
  const send = createSend(built)
  const registered = await send('POST', '/api/v1/auth/registration/', { ...alice, password2: password })
  t.equal(registered.statusCode, 201)
  const link = linkIn((await mails())[0])
  t.match(link, new RegExp(`^${origin}/accounts/confirm-email/[\\w-]{43}/$`))
  const { pathname } = new URL(link)
  t.match((await send('GET', pathname)).body, '<form method="post">')
  t.equal((await send('POST', pathname)).statusCode, 200)
  const login = await send('POST', '/api/v1/auth/login/', { email: alice.email, password })
  const { access, refresh } = login.json()
  t.match((await send('GET', '/dj-rest-auth/user/', undefined, access)).json(), { email: alice.email })
  t.equal((await send('PATCH', '/dj-rest-auth/user/?x=1', { gender: 'M' }, access)).json().gender, 'M')
  t.equal((await send('POST', '/api/v1/auth/token/refresh/', { refresh })).statusCode, 200)
  t.equal((await send('GET', '/auth/user', undefined, access)).statusCode, 200, 'the new paths work as well')

  const key = link.split('/').at(-2) ?? ''
  t.ok(logs.some(line => line.includes('/auth/registration/account-confirm-email/:key')), 'the new path is in the log')
  t.notOk(logs.join('').includes(key), 'the key is not')
  const { paths } = app.restAuth.openapi() as { paths: object }
  t.ok(Object.keys(paths).every(path => path.startsWith('/auth/')), 'the document has each route once')
})

story('with rewriteUrl, providers may send browsers back to the path that allauth had', async (t, build) => {
  const callbackUrl = `${origin}/accounts/company/login/callback/`
  const openid = await startOpenidProvider(t, { redirectUris: [callbackUrl] })
  const { issuer, clientId, clientSecret } = openid
  const built = await build(t, {
    options: { social: { company: { issuer, clientId, clientSecret, trustEmail: true, callbackUrl } } },
    server
  })
  openid.clock = built.clock
  const browser = createBrowser({
    call: async (method, url, { headers = {} } = {}) => await built.app.inject({ method, url, headers })
  })
  const { headers } = await browser.open('GET', '/accounts/company/login/')
  const redirect = await openid.authorize(String(headers.location), 'alice')
  t.ok(redirect.startsWith(callbackUrl))
  t.match((await browser.comeBack(redirect)).json().user, { email: 'alice@example.com' })
})

t.test('a serializer of the app sees no secret in the original URL either', async t => {
  const secret = 'vE3kY9mQx2LrT7wZ0aBcD4fGhJ6nPsU8iOq1XyKlM5N'
  const lines: string[] = []
  const req = ({ originalUrl, raw }: FastifyRequest) => ({ originalUrl, raw: Object(raw).originalUrl })
  const built = await sqliteBuild(t, {
    options: { account: {} },
    before: app => { app.addHook('onRequest', async request => { request.log.info({ req: request }, 'seen') }) },
    server: {
      ...server,
      loggerInstance: undefined,
      logger: { level: 'trace', serializers: { req }, stream: { write: (line: string) => { lines.push(line) } } }
    } as object
  })
  await createSend(built)('GET', `/accounts/confirm-email/${secret}/typo?key=${secret}`)
  t.ok(lines.some(line => line.includes('/accounts/confirm-email/…')))
  t.notOk(lines.join('').includes(secret))
})

t.test('cookies of another path are deleted for the path that the browser has requested', async t => {
  const tokens = { cookies: { access: 'access', refresh: 'refresh', secure: false } }
  const { app, post } = await sqliteBuild(t, { options: { tokens }, server })
  await post('/registration', alice)
  const { headers } = await app.inject({
    url: '/dj-rest-auth/user/', headers: { cookie: 'access=one; access=two' }
  })
  const paths = [headers['set-cookie'] ?? []].flat().map(line => /Path=([^;]*)/.exec(line)?.[1])
  t.ok(paths.includes('/dj-rest-auth'))
  t.notOk(paths.includes('/auth'))
})

t.test('the documentation shows these paths', t => {
  const page = readFileSync(new URL('../docs/from-django.md', import.meta.url), 'utf8')
  for (const [old, path] of oldPaths) t.ok(page.includes(`[${old}, '${path}']`), path)
  t.end()
})
