/** Open redirects (CWE-601): for any value of `next`, a login by redirect ends only where the app allows it. */
import { articleOptions, sqliteBuild, t, type Test } from './support/build.js'
import { inProduction } from './support/environment.js'
import { sharedDatabase, withBadProviders } from './support/social-app.js'

const own = 'http://localhost:3000'
const next = ['https://app.example', 'https://Other.Example:443', 'http://[::1]:5173']
const ends = new Set([own, 'https://app.example', 'https://other.example', 'http://[::1]:5173'])
const options = { tokens: { cookies: {} }, urls: { next, socialLogin: '/welcome' } }

/** Refused values of `next`, as they are after the query is decoded. */
const refused = [
  // Other hosts, in full and in every shorter form.
  'https://evil.example',
  'http://evil.example/',
  '//evil.example',
  '///evil.example',
  '////evil.example',
  '//evil.example/%2f..',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/\\/evil.example',
  '/\\\\evil.example',
  '//\\evil.example',
  'https:evil.example',
  'https:/evil.example',
  'https:///evil.example',
  'https:\\\\evil.example',
  'http:evil.example',
  'http:\\evil.example',
  'evil.example',
  'www.evil.example/path',
  './/evil.example',
  '..//evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/a/..//evil.example',
  '/a/../../b/..//evil.example',
  '/%2e//evil.example',
  '/%2e%2e//evil.example',
  '//3627734734',
  '//[::ffff:1.2.3.4]',
  'http://[::2]:5173',
  '//%65vil.example',
  '//localhost:3000@evil.example',
  '//localhost:80@evil.example',
  // Characters that browsers leave out or treat as others.
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r/evil.example',
  '\t//evil.example',
  '/\u0000/evil.example',
  '\u0000//evil.example',
  '/\u00a0/evil.example',
  '\u200b//evil.example',
  '\ufeff//evil.example',
  '/\u2215evil.example',
  '/\uff0fevil.example',
  '\uff0f\uff0fevil.example',
  '//evil\u3002example',
  'https://app.example\u3002evil.example',
  'https://app.example\uff0eevil.example',
  'https://evil.example\uff0fapp.example',
  'https://app\u2024example',
  'https://app.example\t.evil.example',
  'https://app.exampl\u212f',
  'ht\ntps://evil.example',
  ' javascript:alert(1)',
  '/a b',
  '/path\r\nset-cookie: a=b',
  '/path\u0085',
  '/caf\u00e9',
  // Addresses that look like allowed ones.
  'http://localhost:3000@evil.example',
  'http://localhost:3000:80@evil.example',
  'http://localhost@evil.example:3000/',
  'https://app.example@evil.example',
  'https://app.example%40evil.example',
  'https://app.example.evil.example',
  'https://app.exampleevil',
  'https://evilapp.example',
  'https://sub.app.example',
  'https://app.example.',
  'https://app.example:8443',
  'https://app.example:80',
  'http://app.example',
  'https://evil.example/https://app.example',
  'https://evil.example?https://app.example',
  'https://evil.example#https://app.example',
  'https://evil.example\\@app.example',
  'https://evil.example;app.example',
  'http://evil.example#localhost:3000',
  'http://evil.example?localhost:3000',
  'http://localhost:3001',
  'http://localhost',
  'https://localhost:3000',
  'http://127.0.0.1:3000',
  'http://localhost.:3000',
  'http://localhost:3000.evil.example',
  'http://user@localhost:3000/',
  'http://:pw@localhost:3000/',
  'https://app.example:443@evil.example',
  'myapp://evil',
  'myapp://login.evil.example',
  'myapp://login@evil',
  'myapp:login',
  'myapp:/login',
  'myapp:///login',
  'myappx://login',
  'myapp://login:80',
  'myapp://LOGIN',
  // Schemes that run scripts or open files, and values that are no addresses.
  'javascript:alert(1)',
  'javascript://localhost:3000/%0aalert(1)',
  'javascript://app.example/%0aalert(1)',
  'JavaScript://%0aalert(1)',
  'data:text/html,<script>alert(1)</script>',
  'data://localhost:3000/,a',
  'vbscript:msgbox(1)',
  'blob:http://localhost:3000/a',
  'file:///etc/passwd',
  'file://localhost:3000/',
  'ftp://localhost:3000/',
  'ws://localhost:3000/',
  'view-source:http://localhost:3000/',
  'filesystem:http://localhost:3000/a',
  'about:blank',
  'mailto:eve@evil.example',
  '#',
  '?next=/',
  '.',
  '..',
  'welcome',
  'null',
  'undefined',
  'http://',
  'https://',
  '://',
  'http://[',
  'http://[::1',
  `/${'a'.repeat(2000)}`,
  `https://app.example/${'a'.repeat(2000)}`
]

/** Allowed values of `next`, and where the login ends. */
const taken: Record<string, string> = {
  '/': `${own}/`,
  '/basket': `${own}/basket`,
  '/a/../b?c=d#e': `${own}/b?c=d#e`,
  '/%5cevil.example': `${own}/%5cevil.example`,
  '/%2fevil.example': `${own}/%2fevil.example`,
  '/%09/evil.example': `${own}/%09/evil.example`,
  '/a//evil.example': `${own}/a//evil.example`,
  '/@evil.example': `${own}/@evil.example`,
  '/https://evil.example': `${own}/https://evil.example`,
  '/?next=//evil.example': `${own}/?next=//evil.example`,
  '/#//evil.example': `${own}/#//evil.example`,
  '/:80@evil.example': `${own}/:80@evil.example`,
  '/"><script>alert(1)</script>': `${own}/%22%3E%3Cscript%3Ealert(1)%3C/script%3E`,
  [`/${'a'.repeat(1999)}`]: `${own}/${'a'.repeat(1999)}`,
  'http://localhost:3000/basket': `${own}/basket`,
  'HTTP://LOCALHOST:3000/basket': `${own}/basket`,
  'http://localhost:3000//evil.example': `${own}//evil.example`,
  'https://app.example': 'https://app.example/',
  'https://APP.example:443/a?b#c': 'https://app.example/a?b#c',
  'https://app.example//evil.example': 'https://app.example//evil.example',
  'https://app.example?@evil.example': 'https://app.example/?@evil.example',
  'https://other.example/': 'https://other.example/',
  'http://[::1]:5173/': 'http://[::1]:5173/',
}

/** The origin of an address; for an app's own scheme, the scheme and the host. */
function originOf (address: string): string {
  const { origin, protocol, host } = new URL(address)
  return origin === 'null' ? `${protocol}//${host}` : origin
}

const query = (next: string) => `/company/login?next=${encodeURIComponent(next)}`

// The attack: a link to the app's own login whose `next` leads to the attacker's site, which the user then trusts.
for (const method of ['GET', 'POST'] as const) {
  t.test(`a login whose next address is not allowed does not start (${method})`, async t => {
    const shared = sharedDatabase(t, 'sqlite')
    const app = await withBadProviders(t, sqliteBuild, { options, ...shared.given })
    const { browser } = app
    t.ok(refused.length >= 60, `${refused.length} addresses`)
    const queries = [
      ...refused.map(query),
      '/company/login?next=%2F%2Fevil.example',
      '/company/login?next=/a&next=/a',
      '/company/login?next=/a&next=https://evil.example',
      '/company/login?next=%ff%fe',
      '/company/login?next=%00',
      '/company/login?next=%252F%252Fevil.example',
      '/company/login?next=%E0%A4%A',
      '/company/login?next=%ED%A0%80',
      '/company/login?next=https://evil.example&'
    ]
    for (const path of queries) {
      for (const site of ['same-origin', 'cross-site']) {
        const answer = await browser.open(method, path, { headers: { 'sec-fetch-site': site } })
        if (answer.statusCode !== 400 || answer.cookies.length > 0) {
          t.fail(path, { status: answer.statusCode, location: answer.headers.location })
        }
        if (/evil|alert/.test(answer.body)) t.fail(`repeated in the answer: ${path}`)
      }
    }
    const db = await shared.open(app)
    t.same(await db.orm.select().from(db.socialTransactions), [], 'no login was started')
  })

  t.test(`a login ends at its next address, on the app's origin or an allowed one (${method})`, async t => {
    const { browser, bad } = await withBadProviders(t, sqliteBuild, { options })
    for (const [next, end] of Object.entries(taken)) {
      for (const deny of [false, true]) {
        const started = await browser.open(method, query(next))
        if (started.statusCode !== 303) t.fail(next, { status: started.statusCode })
        const answer = await browser.comeBack(await bad.authorize(String(started.headers.location), 'alice', { deny }))
        const location = String(answer.headers.location)
        t.ok(ends.has(originOf(location)), location)
        t.equal(answer.statusCode, 303)
        if (deny) t.equal(new URL(location).searchParams.get('error'), 'provider_denied')
        else t.equal(location, end)
        t.notMatch(location, /[\s\\<>"]/)
      }
    }
  })
}

t.test('a login that another site starts with an allowed next address needs a click, and ends there', async t => {
  const { browser, bad } = await withBadProviders(t, sqliteBuild, { options })
  for (const [next, end] of Object.entries(taken)) {
    const page = await browser.open('GET', query(next), { headers: { 'sec-fetch-site': 'cross-site' } })
    const [, href = ''] = /<a class="button" href="([^"]*)"/.exec(page.body) ?? []
    t.notMatch(page.body, /<script/)
    const started = await browser.open('GET', href.replaceAll('&amp;', '&'))
    t.equal(
      (await browser.comeBack(await bad.authorize(String(started.headers.location), 'alice'))).headers.location,
      end
    )
  }
})

t.test('parameters added to the callback do not change where a login ends', async t => {
  const { browser, bad } = await withBadProviders(t, sqliteBuild, { options })
  const redirect = await bad.authorize(await browser.start('company', '?next=/a%23b'), 'alice')
  const answer = await browser.comeBack(
    `${redirect}&next=https%3A%2F%2Fevil.example&urls=evil&redirect_uri=https%3A%2F%2Fevil.example`
  )
  t.equal(answer.headers.location, `${own}/a#b`)
})

/** The message that an app refuses to start with. */
async function refusal (t: Test, urls: object): Promise<string> {
  return await sqliteBuild(t, { options: { ...articleOptions, urls } }).then(
    () => 'started',
    (error: Error) => error.message
  )
}

// Entries that a lax comparison would match with too many addresses, or that run a script when opened.
t.test('an app does not start with return addresses that are not exact origins or that run scripts', async t => {
  const origin = 'must be an origin such as https://app.example'
  for (const address of [
    '/', '/path', 'app.example', '//app.example', 'https:app.example', 'https://app.example/',
    'https://app.example/path', 'https://app.example?a', 'https://app.example#a', 'https://user@app.example',
    'https://app.example\\', 'https://app.example ', 'javascript://app.example', 'data://a', 'vbscript://a',
    'blob://a', 'file://a', 'myapp:', 'myapp:login', 'myapp://login', 'https://', 'https://[', 'https://*', '*'
  ]) {
    t.equal(
      await refusal(t, { next: ['https://app.example', address] }),
      `fastify-rest-auth: urls.next[1]: ${origin}`,
      address
    )
  }
  for (const address of [
    '//evil.example', '/\\evil.example', '/\tevil.example', '/a b', 'welcome', 'https:app.example',
    'javascript:alert(1)', 'javascript://app.example/%0aalert(1)', 'data:text/html,a', 'file:///a'
  ]) {
    t.equal(
      await refusal(t, { socialLogin: address }),
      'fastify-rest-auth: urls.socialLogin: ' +
        'must be an address such as https://app.example/login, or a path such as /login',
      address
    )
  }
  t.equal(
    await refusal(t, { socialLogin: '/welcome/{code}' }),
    'fastify-rest-auth: urls.socialLogin: unknown placeholder {code}'
  )
  inProduction(t)
  for (const address of ['http://app.example', 'HTTP://app.example']) {
    t.equal(await refusal(t, { next: [address] }), 'fastify-rest-auth: urls.next[0]: must be https in production')
  }
  t.equal(
    await refusal(t, { socialLogin: 'http://app.example/' }),
    'fastify-rest-auth: urls.socialLogin: must be https in production'
  )
})
