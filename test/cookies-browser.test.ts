/**
 * What injected requests cannot show: a browser keeps the cookies and sends them, and pages of other origins can do
 * nothing with them.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import { buildApp } from '../examples/cookies/app.js'
import { password, patient, secret, t, type Test } from './support/build.js'
import { inBrowser, launchChromium } from './support/chromium.js'

const email = 'alice@example.com'

interface Seen {
  method: string
  path: string
  status: number
  origin: string | undefined
  site: string | undefined
  cookie: string | undefined
}

const portOf = (server: { address: () => unknown }) => (server.address() as AddressInfo).port

const openBrowser = async (t: Test) => await launchChromium(t, ['MAP *.test 127.0.0.1'])

/** The example's app, listening, and the requests it has seen. */
async function startApp (t: Test, tokens: object = { cookies: {} }) {
  const app = await buildApp({ database: ':memory:', secret, tokens }, patient)
  const seen: Seen[] = []
  app.addHook('onResponse', async ({ method, url, headers }, { statusCode }) => {
    seen.push({
      method,
      path: url,
      status: statusCode,
      origin: headers.origin,
      site: headers['sec-fetch-site'] as string | undefined,
      cookie: headers.cookie
    })
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  return { app, seen, port: portOf(app.server) }
}

/** A hostile page, on its own port, that sets cookies. */
async function startStranger (t: Test, cookies: string[] = []): Promise<number> {
  // With a text as its body, Node.js would write the headers as UTF-8, too.
  const body = Buffer.from('<!doctype html><title>Win!</title>')
  const server = createServer((_request, response) =>
    response.setHeader('set-cookie', cookies).setHeader('content-type', 'text/html').end(body)
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise(resolve => { server.closeAllConnections(); server.close(resolve) }))
  return portOf(server)
}

async function submit (page: Page, action: 'Log in' | 'Register', as = email): Promise<void> {
  await page.locator('#credentials').waitFor()
  await page.getByLabel('E-mail').fill(as)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: action }).click()
  await page.locator('#account').waitFor()
}

const status = (page: Page, text: string) => page.getByRole('status').getByText(text).waitFor()
/** The cookies with tokens: that of the device stays after a logout. */
const names = async (context: BrowserContext) =>
  (await context.cookies()).map(({ name }) => name).filter(name => !name.endsWith('-device')).sort()

t.test('a page registers, stays logged in after a reload, logs out, and never sees a token', inBrowser, async t => {
  const { seen, port } = await startApp(t)
  const browser = await openBrowser(t)
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`http://localhost:${port}/`)
  await status(page, 'Nobody is logged in.')
  await submit(page, 'Register')
  t.equal(await page.locator('#email').innerText(), email)
  t.same(await names(context), ['__Host-access', '__Host-refresh'], 'localhost counts as secure')
  t.ok((await context.cookies()).every(({ httpOnly, secure, sameSite }) => httpOnly && secure && sameSite === 'Strict'))
  // Run there: compiled here, where there is no page.
  t.equal(await page.evaluate('document.cookie'), '')
  await page.getByRole('button', { name: 'Write a note' }).click()
  await status(page, '1 written.')
  await page.reload()
  await page.locator('#account').waitFor()
  await page.getByRole('button', { name: 'Log out', exact: true }).click()
  await status(page, 'Nobody is logged in.')
  t.same(await names(context), [])
  await submit(page, 'Log in')
  t.same(seen.filter(({ status }) => status === 403), [])
})

/** Every request that a page of another origin can send, with and without a CORS preflight. */
async function attack (page: Page, stranger: string, target: string, body: Record<string, string>): Promise<void> {
  await page.goto(stranger)
  const json = JSON.stringify(body)
  const send = async (init: object) => {
    const given = JSON.stringify({ method: 'POST', credentials: 'include', ...init })
    await page.evaluate(`fetch(${JSON.stringify(target)}, ${given}).catch(() => {})`)
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json']) {
    for (const mode of ['no-cors', 'cors']) {
      // A content type that needs asking becomes text/plain where nobody may ask.
      await send({ mode, headers: { 'content-type': type }, body: json })
    }
  }
  await send({ headers: { 'x-requested-with': 'fetch', authorization: 'Bearer x' } })
  await send({ mode: 'no-cors' })
  await page.evaluate(`navigator.sendBeacon(${JSON.stringify(target)}, ${JSON.stringify(json)})`)
  for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    await page.goto(stranger)
    const navigation = page.waitForURL(target)
    await page.evaluate(`(() => {
      const action = ${JSON.stringify(target)}
      const form = Object.assign(document.createElement('form'), { method: 'post', action, enctype: '${enctype}' })
      for (const [name, value] of Object.entries(${json})) {
        form.append(Object.assign(document.createElement('input'), { name, value }))
      }
      document.body.append(form)
      form.submit()
    })()`)
    await navigation
  }
}

for (const { what, host, hostile, tokens } of [
  { what: 'a page of another site', host: 'localhost', hostile: '127.0.0.1', tokens: { cookies: {} } },
  {
    what: 'a page on another port of the same host, which is the same site',
    host: 'localhost',
    hostile: 'localhost',
    tokens: { cookies: {} }
  },
  {
    what: 'a page of another site, without https and so without Sec-Fetch-Site',
    host: 'app.test',
    hostile: 'evil.test',
    tokens: { cookies: { secure: false } }
  },
  {
    what: 'a page of a neighbouring host, without https',
    host: 'app.test',
    hostile: 'evil.app.test',
    tokens: { cookies: { secure: false, sameSite: 'lax' } }
  }
] as const) {
  t.test(`${what} can neither log in, log out nor act for the user`, inBrowser, async t => {
    const { app, seen, port } = await startApp(t, tokens)
    const browser = await openBrowser(t)
    const context = await browser.newContext()
    const page = await context.newPage()
    const home = `http://${host}:${port}`
    const stranger = `http://${hostile}:${await startStranger(t)}/`
    await page.goto(`${home}/`)
    await submit(page, 'Register')
    const eve = { email: 'eve@example.com', password1: password }
    await app.inject({ method: 'POST', url: '/auth/registration', payload: eve })
    const before = await context.cookies()
    t.equal(before.length, 2)
    seen.length = 0

    const attacker = await context.newPage()
    for (const [path, body] of [
      ['/auth/login', { email: eve.email, password }],
      ['/auth/logout', {}],
      ['/notes', { a: 'b' }]
    ] as const) {
      await attack(attacker, stranger, `${home}${path}`, body)
    }
    const posts = seen.filter(({ method }) => method === 'POST')
    const accepted = posts.filter(({ status, path }) => status !== 403 && !(path === '/notes' && status === 401))
    t.same(accepted, [], 'every request that arrived was refused')
    t.ok(posts.length >= 21, `${posts.length} arrived`)
    t.ok(posts.some(({ path, status }) => path === '/auth/logout' && status === 403))
    t.ok(
      posts.every(({ site }) => (site === undefined) === (host === 'app.test')),
      'browsers send Sec-Fetch-Site only to trustworthy origins'
    )
    t.same(await context.cookies(), before, 'no cookie has changed')
    await page.reload()
    await page.locator('#account').waitFor()
    t.equal(await page.locator('#email').innerText(), email)
  })
}

t.test('a cookie that a neighbouring host spells almost like ours is sent, and not taken', inBrowser, async t => {
  const { app, seen, port } = await startApp(t)
  const eve = { email: 'eve@example.com', password1: password }
  const registered = await app.inject({ method: 'POST', url: '/auth/registration', payload: eve })
  const [access, refresh] = registered.cookies.map(({ value }) => value)
  // A header holds bytes, and Node.js writes each character as one.
  const spaces = ['\u00a0', '\ufeff', '\u3000', '\u2003'].map(space => Buffer.from(space).toString('latin1'))
  const planted = [...spaces, ''].flatMap(space => [
    `${space}__Host-access=${access}; Domain=app.test; Path=/`,
    `${space}__Host-refresh=${refresh}; Domain=app.test; Path=/`
  ])
  const page = await (await openBrowser(t)).newPage()
  await page.goto(`http://evil.app.test:${await startStranger(t, planted)}/`)
  const answer = await page.goto(`http://app.test:${port}/auth/user`)
  t.equal(answer?.status(), 401)
  const sent = Buffer.from(seen.at(-1)?.cookie ?? '', 'latin1').toString().split('; ')
  t.ok(sent.includes(`\u00a0__Host-access=${access}`), 'the browser sends it')
  t.equal(sent.length, planted.length - 2, 'but for the exact name, which no other host may set')

  await page.goto(`http://app.test:${port}/`)
  await status(page, 'Nobody is logged in.')
  const post = async (path: string) => await page.evaluate(`fetch('${path}', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}'
  }).then(({ status }) => status)`)
  t.equal(await post('/auth/token/refresh'), 401)
  t.equal(await post('/auth/logout'), 200)
  t.equal((await app.restAuth.sessions.list(registered.json().user.pk)).length, 1, 'it was neither used nor ended')
})

const scopes: Array<{ domain?: string, path?: string }> = [
  {}, { path: '/auth' }, { path: '/auth/' }, { domain: 'app.test' }, { domain: '.www.app.test', path: '/auth' }
]
t.test('after a change of domain or path, a browser with older cookies can log in and out', inBrowser, async t => {
  const browser = await openBrowser(t)
  for (const now of scopes) {
    const context = await browser.newContext()
    const page = await context.newPage()
    const post = async (path: string, body = {}) => await page.evaluate(`fetch('${path}', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '${JSON.stringify(body)}'
    }).then(({ status }) => status)`)
    const older = scopes.flatMap(({ domain, path = '/' }) => ['access', 'refresh'].map(name =>
      `${name}=old; Max-Age=600; Path=${path}; SameSite=Strict${domain === undefined ? '' : `; Domain=${domain}`}`
    ))
    await page.goto(`http://www.app.test:${await startStranger(t, older)}/`)
    t.equal((await names(context)).length, older.length)

    const { app, seen, port } = await startApp(t, { cookies: { secure: false, ...now } })
    await app.inject({ method: 'POST', url: '/auth/registration', payload: { email, password1: password } })
    await page.goto(`http://www.app.test:${port}/`)
    await submit(page, 'Log in')
    seen.length = 0
    await page.reload()
    await page.locator('#account').waitFor()
    const asked = seen.filter(({ path }) => path === '/auth/user')
    t.match(asked, [{ status: 200 }], `logged in at once: ${JSON.stringify(now)}`)
    t.equal(await post('/auth/token/refresh'), 200)
    t.same(await names(context), ['access', 'refresh'], 'only the new ones are left')
    t.equal(await post('/auth/logout'), 200)
    t.same(await names(context), [])
    await context.close()
  }
})

t.test('two tabs stay logged in when the access token has expired', inBrowser, async t => {
  const { seen, port } = await startApp(t)
  const context = await (await openBrowser(t)).newContext()
  const tabs = [await context.newPage(), await context.newPage()] as const
  await tabs[0].goto(`http://localhost:${port}/`)
  await submit(tabs[0], 'Register')
  await tabs[1].goto(`http://localhost:${port}/`)
  await tabs[1].locator('#account').waitFor()
  // The browser forgets the cookie when the token has expired.
  await context.clearCookies({ name: '__Host-access' })
  await Promise.all(tabs.map(tab => tab.getByRole('button', { name: 'Write a note' }).click()))
  await Promise.all(tabs.map(tab => tab.getByRole('status').getByText('written.').waitFor()))
  const refreshes = seen.filter(({ path }) => path === '/auth/token/refresh')
  t.ok(refreshes.every(({ status }) => status === 200 || status === 401))
  t.same(await names(context), ['__Host-access', '__Host-refresh'])
  await context.clearCookies({ name: '__Host-access' })
  await tabs[1].reload()
  await tabs[1].locator('#account').waitFor()
  t.pass('and again, by the next refresh token')
})

t.test('logging out everywhere logs out another browser', inBrowser, async t => {
  const { port } = await startApp(t)
  const browser = await openBrowser(t)
  const [here, there] = [await (await browser.newContext()).newPage(), await (await browser.newContext()).newPage()]
  for (const page of [here, there]) await page.goto(`http://localhost:${port}/`)
  await submit(here, 'Register')
  await submit(there, 'Log in')
  await here.getByRole('button', { name: 'Log out everywhere' }).click()
  await status(here, 'Nobody is logged in.')
  await there.reload()
  await status(there, 'Nobody is logged in.')
})
