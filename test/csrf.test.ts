/**
 * CSRF protection: which requests with cookies are accepted, by the origin that the browser reports and, if it reports
 * none, by what a page of another origin could make it send. The expected results are the tables of docs/cookies.md,
 * cell by cell.
 */
import { readFileSync } from 'node:fs'
import type { FastifyInstance, FastifyRequest, InjectOptions } from 'fastify'
import { linkIn } from './support/answers.js'
import { alice, articleOptions, cookiesOf, password, sqliteBuild, story, t, type BuiltApp } from './support/build.js'
import { inProduction } from './support/environment.js'

const own = 'http://localhost:3000'
const trusted = 'https://front.example'
const evil = 'https://evil.example'
const options = { tokens: { cookies: {}, csrf: { origins: [trusted] } } }
const credentials = { email: alice.email, password }

const types = [
  'application/json', 'application/json; charset=utf-8', 'text/plain', 'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x', undefined
]
const origins = { own, evil, null: 'null', absent: undefined, trusted }
const sites = ['same-origin', 'same-site', 'cross-site', 'none', undefined]
type OriginKind = keyof typeof origins

/** The tables of docs/cookies.md: by Origin and Sec-Fetch-Site, and by Content-Type and X-Requested-With. */
function documented () {
  const page = readFileSync(new URL('../docs/cookies.md', import.meta.url), 'utf8')
  const tableOf = (corner: string) => {
    const [table = ''] = page.slice(page.indexOf(`| ${corner} |`)).split('\n\n')
    const [[, ...columns] = [], ...rows] = [...table.matchAll(/^\| (.+) \|$/gm)].map(([, row = '']) => row.split(' | '))
    return new Map(
      rows.flatMap(([row = '', ...cells]) =>
        cells.map((cell, index): [string, string] => [`${row} × ${columns[index]}`, cell])
      )
    )
  }
  const [byOrigin, byType] = [tableOf('Origin ↓ Sec-Fetch-Site →'), tableOf('Content-Type ↓ X-Requested-With →')]
  return {
    byOrigin: (origin: OriginKind, site: string | undefined) => byOrigin.get(`${origin} × ${site ?? 'absent'}`),
    byType: (type: string | undefined, custom: boolean) =>
      byType.get(`${type?.split(';')[0] ?? 'absent'} × ${custom ? 'yes' : 'no'}`)
  }
}

/** The same fields as a body of each content type; undefined without a type. */
function payloadOf (type: string | undefined, body: Record<string, string>): string | undefined {
  if (type === undefined) return undefined
  if (type.startsWith('application/x-www')) return new URLSearchParams(body).toString()
  if (type.startsWith('multipart')) {
    return (
      Object.entries(body)
        .map(([name, value]) => `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
        .join('') + '--x--\r\n'
    )
  }
  return JSON.stringify(body)
}

interface Attempt {
  what: string
  method: NonNullable<InjectOptions['method']>
  path: string
  body?: Record<string, string>
}
const attempts: Attempt[] = [
  { what: 'login', method: 'POST', path: '/login', body: credentials },
  { what: 'logout', method: 'POST', path: '/logout' },
  { what: 'a change of the user', method: 'PATCH', path: '/user', body: { gender: 'M' } }
]

for (const { what, method, path, body } of attempts) {
  t.test(`exactly the requests that docs/cookies.md allows succeed: ${what}`, async t => {
    const app = await sqliteBuild(t, { options })
    const { byOrigin, byType } = documented()
    const cookie = cookiesOf(await app.post('/registration', alice))
    const wrong: string[] = []
    let [cells, passed] = [0, 0]
    for (const type of types) {
      for (const kind of Object.keys(origins) as OriginKind[]) {
        for (const site of sites) {
          for (const custom of [true, false]) {
            for (const authorization of [true, false]) {
              const origin = origins[kind]
              const payload = body && payloadOf(type, body)
              const headers = {
                cookie,
                ...(type !== undefined && { 'content-type': type }),
                ...(origin !== undefined && { origin }),
                ...(site !== undefined && { 'sec-fetch-site': site }),
                ...(custom && { 'x-requested-with': 'fetch' }),
                ...(authorization && { authorization: 'Bearer garbage' })
              }
              const answer = await app.app.inject({
                method,
                url: `/auth${path}`,
                headers,
                ...(payload !== undefined && { payload })
              })
              const decision = byOrigin(kind, site)
              const taken =
                authorization || (decision === 'next table' ? byType(type, custom) : decision) === 'yes'
              cells++
              if (taken) passed++
              if (taken === (answer.statusCode === 403)) {
                wrong.push(`${JSON.stringify({ ...headers, cookie: '…' })} → ${answer.statusCode}`)
              }
              if (!taken && (answer.json().code !== 'csrf_failed' || answer.cookies.length > 0)) {
                wrong.push(`${answer.body} ${answer.cookies.length}`)
              }
            }
          }
        }
      }
    }
    t.same(wrong.slice(0, 5), [])
    t.equal(cells, types.length * 5 * sites.length * 4)
    t.comment(`${passed} of ${cells} cells are taken`)
  })
}

t.test('the tables of docs/cookies.md have every combination', async t => {
  const { byOrigin, byType } = documented()
  for (const kind of Object.keys(origins) as OriginKind[]) {
    for (const site of sites) t.match(byOrigin(kind, site), /^(yes|no|next table)$/, `${kind} ${site}`)
  }
  for (const type of types) {
    for (const custom of [true, false]) t.match(byType(type, custom), /^(yes|no)$/, type ?? 'absent')
  }
})

story('a request that is refused as forged changes nothing', async (t, build) => {
  const { post, call, get, app } = await build(t, { options })
  const registered = await post('/registration', alice)
  const headers = {
    cookie: cookiesOf(registered),
    origin: evil,
    'sec-fetch-site': 'cross-site',
    'content-type': 'text/plain'
  }
  const forged: Array<[method: 'POST' | 'PATCH' | 'PUT', path: string, body?: object]> = [
    ['POST', '/logout'],
    ['POST', '/logout/'],
    ['POST', '/login', credentials],
    ['POST', '/registration', { ...alice, email: 'eve@example.com' }],
    ['PATCH', '/user', { gender: 'M' }],
    ['PUT', '/user', { ...alice, gender: 'M' }],
    ['POST', '/password/change', { old_password: password, new_password1: 'Brand-new-pw-1' }],
    ['POST', '/password/reset', { email: alice.email }]
  ]
  for (const [method, path, body] of forged) {
    const answer = await call(method, path, { headers, payload: JSON.stringify(body ?? {}) })
    t.equal(answer.statusCode, 403, `${method} ${path}`)
    t.equal(answer.json().code, 'csrf_failed')
    t.same(answer.cookies, [])
  }
  t.equal(
    (await get('/user', { headers })).json().gender, 'F', 'reading is no forgery: no other site gets to see the answer'
  )
  t.equal((await app.restAuth.sessions.list(registered.json().user.pk)).length, 1)
  t.equal(await app.restAuth.users.find({ email: 'eve@example.com' }), undefined)
})

t.test('neither a header nor the URL can override the method', async t => {
  const { call, post, get } = await sqliteBuild(t, { options })
  const cookie = cookiesOf(await post('/registration', alice))
  const headers = { cookie, 'x-http-method-override': 'PATCH', 'x-method-override': 'PATCH' }
  await get('/user?_method=PATCH&gender=M', { headers })
  await call('POST', '/user?_method=PATCH', {
    headers: { ...headers, 'x-requested-with': 'fetch' },
    body: { gender: 'M' }
  })
  t.equal((await get('/user', { headers: { cookie } })).json().gender, 'F')
})

for (const [what, headers] of Object.entries({
  'a page of the app': { origin: own, 'sec-fetch-site': 'same-origin' },
  'a page of the app that sends no referrer': { origin: 'null', 'sec-fetch-site': 'same-origin' },
  'a page of the app in a browser without Sec-Fetch-Site': { origin: own },
  'a page of a trusted origin': { origin: trusted, 'sec-fetch-site': 'cross-site' }
})) {
  t.test(`${what} may post without a body and without a header of its own`, async t => {
    const { post, call, get } = await sqliteBuild(t, {
      options: { tokens: { cookies: { sameSite: 'none' }, csrf: { origins: [trusted] } } }
    })
    const cookie = cookiesOf(await post('/registration', alice))
    t.equal((await call('POST', '/token/refresh', { headers: { ...headers, cookie } })).statusCode, 200)
    t.equal((await call('POST', '/logout/', { headers: { ...headers, cookie } })).statusCode, 200)
    t.equal((await get('/user', { headers: { cookie } })).statusCode, 401)
  })
}

t.test('origins are compared exactly, not by prefix or suffix', async t => {
  const { post } = await sqliteBuild(t, { options: { ...options, publicUrl: 'https://app.example/base' } })
  const from = async (origin: string, more: Record<string, string> = {}) =>
    (await post('/login', credentials, { headers: { origin, host: 'app.internal', ...more } })).statusCode
  for (const origin of [
    'https://app.example.evil.example', 'https://evilapp.example', 'http://app.example',
    'https://app.example:444', 'https://app.example/', 'https://app.example@evil.example',
    'HTTPS://APP.EXAMPLE', 'https://sub.app.example', 'https://front.example.evil.example',
    'http://front.example', '', 'null', 'x', 'file://', 'https://app.example, https://evil.example'
  ]) { t.equal(await from(origin), 403, origin) }
  t.equal(await from('https://app.example'), 400, 'nobody is registered, but the origin is accepted')
  t.equal(await from('https://front.example', { 'sec-fetch-site': 'cross-site' }), 400)
})

t.test('the app\'s own origin is the Host header in development, and publicUrl in production', async t => {
  const reached = { origin: 'http://tester.test:3000', host: 'tester.test:3000' }
  const development = await sqliteBuild(t, { options: { tokens: { cookies: {} } } })
  t.equal((await development.post('/login', credentials, { headers: reached })).statusCode, 400)
  t.equal(
    (await development.post('/login', credentials, { headers: { ...reached, host: 'other.test' } })).statusCode, 403
  )
  inProduction(t)
  const production = await sqliteBuild(t, { options: { tokens: { cookies: {} }, publicUrl: 'https://app.example' } })
  t.equal((await production.post('/login', credentials, { headers: reached })).statusCode, 403)
  t.equal(
    (await production.post('/login', credentials, { headers: { ...reached, 'sec-fetch-site': 'same-origin' } }))
      .statusCode,
    400,
    'Sec-Fetch-Site: same-origin is enough'
  )
})

t.test('without publicUrl the app\'s own origin is the address it listens on', async t => {
  const { app, post } = await sqliteBuild(t, { options: { tokens: { cookies: {} }, publicUrl: undefined } })
  const address = (await app.listen({ host: '127.0.0.1', port: 0 })).replace('127.0.0.1', 'localhost')
  t.equal((await post('/login', credentials, { headers: { origin: address, host: 'proxied' } })).statusCode, 400)
  t.equal((await post('/login', credentials, { headers: { origin: evil, host: 'proxied' } })).statusCode, 403)
})

t.test('the forms behind mailed links work though they send `Origin: null`', async t => {
  const { mails, post, call, get } = await sqliteBuild(t, {
    options: { ...options, account: { ...articleOptions.account, emailVerification: 'optional' } }
  })
  const cookie = cookiesOf(await post('/registration', alice))
  await post('/password/reset', { email: alice.email })
  const paths = (await mails()).map(mail => linkIn(mail).replace('http://localhost:3000', ''))
  const pathWith = (part: string) => paths.find(path => path.includes(part)) ?? ''
  const [confirmation, reset] = [pathWith('/account-confirm-email/'), pathWith('/password/reset/')]
  const headers = { cookie, origin: 'null', 'sec-fetch-site': 'same-origin' }
  t.equal((await call('POST', confirmation, { form: {}, headers })).statusCode, 200)
  t.equal((await call('POST', `${reset}/`, { form: { new_password1: 'Brand-new-pw-1' }, headers })).statusCode, 200)
  t.equal((await get('/user', { headers: { cookie } })).statusCode, 401, 'the reset has ended every session')
})

t.test('the app\'s own routes are guarded when a cookie authenticates the request', async t => {
  const { app, post } = await sqliteBuild(t, {
    options,
    after: (app: FastifyInstance) => {
      app.post('/orders', { onRequest: app.authenticate }, async (request: FastifyRequest) => request.user.email)
      app.post('/open', async () => 'anybody')
    }
  })
  const registered = await post('/registration', alice)
  const cookie = cookiesOf(registered)
  const token = registered.cookies[0]?.value ?? ''
  const order = async (headers: Record<string, string>, url = '/orders') =>
    await app.inject({ method: 'POST', url, headers })
  t.equal((await order({ cookie })).statusCode, 403)
  t.equal((await order({ cookie })).json().code, 'csrf_failed', 'the app answers, and sees the code')
  t.equal((await order({ cookie: '__Host-access=garbage' })).statusCode, 403, 'before the token is looked at')
  t.equal((await order({ cookie, 'x-requested-with': 'fetch' })).body, alice.email)
  t.equal((await order({ cookie, 'x-requested-with': 'fetch', origin: evil })).statusCode, 403)
  t.equal(
    (await order({ cookie, 'x-requested-with': 'fetch', origin: trusted, 'sec-fetch-site': 'cross-site' })).statusCode,
    200
  )
  t.equal(
    (await order({ authorization: `Bearer ${token}`, cookie, origin: evil })).statusCode, 200,
    'no browser adds this header by itself'
  )
  t.equal((await order({ origin: evil })).statusCode, 401, 'and without any credentials there is nothing to forge')
  t.equal((await order({ cookie, origin: evil }, '/open')).statusCode, 200)
})

t.test('an Authorization header that browsers add by themselves (Basic, Negotiate) does not exempt', async t => {
  const { post, call } = await sqliteBuild(t, { options })
  await post('/registration', alice)
  const login = async (authorization: string) =>
    await call('POST', '/login', {
      form: credentials,
      headers: { authorization, origin: evil, 'sec-fetch-site': 'cross-site' }
    })
  for (const authorization of ['Basic YTpi', 'Negotiate YII', 'Digest username="a"', 'BearerX', '']) {
    const answer = await login(authorization)
    t.equal(answer.json().code, 'csrf_failed', authorization)
    t.same(answer.cookies, [])
  }
  for (const authorization of ['Bearer x', 'bearer x']) {
    t.equal((await login(authorization)).statusCode, 200, authorization)
  }
})

t.test('`csrf: false` turns the checks off', async t => {
  const { post, call, app } = await sqliteBuild(t, { options: { tokens: { cookies: {}, csrf: false } } })
  const cookie = cookiesOf(await post('/registration', alice))
  t.equal(
    (await call('POST', '/logout', { form: {}, headers: { cookie, origin: evil, 'sec-fetch-site': 'cross-site' } }))
      .statusCode,
    200
  )
  t.notMatch(JSON.stringify(app.restAuth.openapi().paths), /"enum":\["csrf_failed"/)
})

for (const [headers, problem] of [
  [
    { origin: evil, 'sec-fetch-site': 'cross-site' },
    `Origin checking failed - ${evil} does not match any trusted origins.`
  ],
  [{ 'sec-fetch-site': 'same-site' }, 'The request comes from another site.'],
  [{ 'content-type': 'text/plain' }, 'Send application/json, or the header X-Requested-With.']
] as const) {
  t.test(`the refusal gives its reason in both error formats: ${problem}`, async t => {
    const refused = async (errors: 'problem' | 'drf') => {
      const { call }: BuiltApp = await sqliteBuild(t, { options: { ...options, errors } })
      return await call('POST', '/logout', { payload: '{}', headers })
    }
    t.match((await refused('problem')).json(), { status: 403, code: 'csrf_failed', detail: `CSRF Failed: ${problem}` })
    t.same((await refused('drf')).json(), { detail: `CSRF Failed: ${problem}` })
  })
}

story('with the access token in the body, a header does not stand for the refresh cookie', async (t, build) => {
  const { post } = await build(t, { options: { tokens: { cookies: { access: false } } } })
  const registered = await post('/registration', alice)
  const { access } = registered.json()
  const cookie = cookiesOf(registered)
  for (const authorization of ['Bearer x', `Bearer ${access}`]) {
    const headers = { cookie, origin: evil, 'sec-fetch-site': 'cross-site', authorization }
    for (const path of ['/logout', '/token/refresh']) {
      t.equal((await post(path, {}, { headers })).statusCode, 403, `${path} ${authorization}`)
    }
  }
  const own = { cookie, 'sec-fetch-site': 'same-origin', authorization: `Bearer ${access}` }
  t.equal((await post('/token/refresh', undefined, { headers: own })).statusCode, 200)
})
