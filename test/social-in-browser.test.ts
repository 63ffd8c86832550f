/** Social login in a real browser, at a third-party provider, with the pages that users see on the way. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { providers } from 'fastify-rest-auth'
import type { Browser, Page } from 'playwright-core'
import { auth as article, buildApp as buildArticle } from '../examples/article/app.js'
import { auth as example, buildApp as buildExample } from '../examples/social/app.js'
import { startProvider } from '../examples/social/provider.js'
import { patient, secret, t, type Test } from './support/build.js'
import { inBrowser, launchChromium } from './support/chromium.js'
import { startOpenidProvider } from './support/openid-provider.js'
import { startApple } from './support/providers/apple.js'
import { html, serve } from './support/providers/server.js'

// The address of the app. The providers are at 127.0.0.1, which is another site.
const home = 'http://localhost:3000'
// Without https, browsers send Sec-Fetch-Site only to localhost; elsewhere they omit it, like old browsers.
const plain = 'http://app.test:3000'
const common = { database: ':memory:', secret, docs: false }

interface Arrived {
  method: string
  path: string
  status: number
  /** What the browser says of who has sent it. */
  site: string | undefined
  cookies: string[]
}

let app: FastifyInstance | undefined
let launched: Promise<Browser> | undefined

/** One browser for all tests. What it takes for port 3000 is where the app of the test that runs answers. */
async function launch (): Promise<Browser> {
  const server = createServer((request, response) => app?.routing(request, response))
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const own = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return await launchChromium(t, [
    `MAP localhost:3000 ${own}`, `MAP app.test:3000 ${own}`, 'MAP *.test 127.0.0.1',
    'MAP fonts.googleapis.com ~NOTFOUND'
  ])
}

/** An app in a browser that knows nothing yet; what arrives at it, and what the browser complains of. */
async function open (t: Test, built: FastifyInstance, { origin = home, javaScriptEnabled = true } = {}) {
  const arrived: Arrived[] = []
  built.addHook(
    'onResponse',
    async ({ method, url, headers: { cookie = '', 'sec-fetch-site': site } }, { statusCode: status }) => {
      arrived.push({
        method,
        path: new URL(url, home).pathname,
        status,
        site: site?.toString(),
        cookies: cookie
          .split('; ')
          .map(pair => pair.split('=')[0] ?? '')
          .filter(Boolean)
      })
    }
  )
  app = await built.ready()
  const context = await (await (launched ??= launch())).newContext({ javaScriptEnabled })
  t.teardown(async () => {
    await context.close()
    await built.close()
  })
  const complaints: string[] = []
  context.on('weberror', error => complaints.push(String(error.error())))
  // Violations of the content security policy appear here too. Errors in the provider's pages are ignored.
  context.on('console', message => {
    if (message.type() === 'error' && message.location().url.startsWith(origin)) {
      complaints.push(`${message.location().url}: ${message.text()}`)
    }
  })
  return {
    context,
    page: await context.newPage(),
    arrived,
    complaints,
    cookieNames: async () => (await context.cookies(origin)).map(({ name }) => name).sort()
  }
}

/** The example, with the provider that runs beside it. */
async function openExample (t: Test, origin = home) {
  const [warnings, notices] = [t.capture(console, 'warn'), t.capture(console, 'info')]
  const { server, issuer } = await startProvider({
    port: 0,
    client: example.social?.example,
    redirectUri: `${origin}/auth/example/callback`
  })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const opened = await open(
    t,
    await buildExample({ ...common, publicUrl: origin, social: { example: { ...example.social?.example, issuer } } }),
    { origin }
  )
  return { ...opened, printed: () => [...warnings(), ...notices()].map(({ args }) => String(args[0])) }
}

/**
 * The article's app with tokens in cookies, whose logins end at a page that the server renders: it greets the user
 * whose cookies the request has.
 */
async function buildWithCookies (social: object, { origin = home, cookies = {} }: At = {}) {
  const app = await buildArticle({
    ...common,
    publicUrl: origin,
    mail: { ...article.mail, transport: async () => {} },
    tokens: { cookies },
    urls: { socialLogin: '/page' },
    social
  }, patient)
  app.get(
    '/page',
    async ({ headers: { cookie = '' } }, reply) =>
      await reply
        .type('text/html')
        .send(
          '<!doctype html><link rel="icon" href="data:,">' +
            `<p>${cookie.includes('access=') ? 'Welcome' : 'Who are you?'}</p><a href="/page">Again</a>`
        )
  )
  return app
}

interface At {
  origin?: string
  cookies?: object
}

async function buildWithCompany (t: Test, at: At = {}) {
  const openid = await startOpenidProvider(t, { redirectUris: [`${at.origin ?? home}/auth/company/callback`] })
  openid.clock.now = new Date()
  const { issuer, clientId, clientSecret } = openid
  return await buildWithCookies(
    { company: { issuer, clientId, clientSecret, label: 'the company', trustEmail: true } },
    at
  )
}

/** At the providers of the tests the login is focused: no click is needed. */
async function logIn (page: Page, person = 'alice'): Promise<void> {
  await page.locator('[name=login]:focus').waitFor()
  await page.keyboard.type(person)
  await page.keyboard.press('Enter')
}

/** At the provider beside the example, on the pages that it has. */
async function agree (page: Page): Promise<void> {
  await page.getByPlaceholder('Enter any login').fill('alice')
  await page.getByPlaceholder('and password').fill('any')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
}

const status = (page: Page, text: string) => page.getByRole('status').getByText(text).waitFor()
const whoAmI = async (page: Page) =>
  await page.evaluate('fetch("/auth/user").then(async answer => [answer.status, (await answer.json()).email])')

t.test('a page of the app logs in at a provider, asks for missing fields, and logs out', inBrowser, async t => {
  const { page, complaints, cookieNames, printed } = await openExample(t)
  await page.goto(home)
  await page.getByRole('link', { name: 'Continue with the example' }).click()
  await agree(page)
  await status(page, 'Welcome.')
  t.equal(await page.locator('#email').innerText(), 'alice@example.com')
  t.equal(page.url(), `${home}/`, 'no code is left in the address')
  t.same((await cookieNames()).filter(name => name.includes('social')), [], 'and nothing of the way')
  await page.getByLabel('Gender').selectOption('Female')
  await page.getByRole('button', { name: 'Save' }).click()
  await status(page, 'Thank you.')
  t.equal(await page.locator('#missing').isVisible(), false)
  await page.getByRole('button', { name: 'Log out' }).click()
  await status(page, 'Logged out.')

  // The provider knows who it is: two redirects and back.
  await page.getByRole('link', { name: 'Continue with the example' }).click()
  await status(page, 'Welcome.')
  t.equal(await page.locator('#missing').isVisible(), false, 'and what was missing is not asked for again')
  t.same(complaints, [])
  const [warning, ...others] = printed()
  t.match(warning, /devInteractions/)
  t.same(others, [], 'the provider warns of nothing but its own pages')
})

t.test('a user who refuses at the provider sees an explanation and can try again', inBrowser, async t => {
  // Here the provider is another site, and Chromium does not say in Sec-Fetch-Site that the link is the page's own.
  const { page, complaints } = await openExample(t, plain)
  await page.goto(plain)
  await page.getByRole('link', { name: 'Continue with the example' }).click()
  await page.getByRole('link', { name: 'Cancel' }).click()
  await status(page, 'You did not agree there.')
  t.equal(page.url(), `${plain}/`)
  await page.getByRole('link', { name: 'Continue with the example' }).click()
  await agree(page)
  await status(page, 'Welcome.')
  t.same(complaints, [])
})

t.test('with cookies, a login survives a reload, the Back button and its callback address', inBrowser, async t => {
  const { page, complaints, context, cookieNames } = await open(t, await buildWithCompany(t))
  let callback = ''
  page.on('request', request => { if (request.url().includes('/callback?')) callback = request.url() })
  await page.goto(`${home}/auth/company/login`)
  await logIn(page)
  await page.waitForURL(`${home}/page`)
  t.same(
    await cookieNames(),
    ['__Host-access', '__Host-refresh'],
    'localhost counts as secure, and what the login was tied to the browser by is gone'
  )
  t.ok(
    (await context.cookies())
      .filter(({ domain }) => domain === 'localhost')
      .every(({ httpOnly, secure, sameSite }) => httpOnly && secure && sameSite === 'Strict')
  )
  t.same(await whoAmI(page), [200, 'alice@example.com'])
  await page.reload()
  t.same(await whoAmI(page), [200, 'alice@example.com'])

  await page.goBack()
  t.not(new URL(page.url()).origin, home)
  await page.goForward()
  t.equal(page.url(), `${home}/page`)
  t.same(await whoAmI(page), [200, 'alice@example.com'])
  t.same(complaints, [])
  await page.goto(callback)
  t.match(await page.getByRole('heading').innerText(), 'You are not logged in')
  await page.goto(`${home}/page`)
  t.same(await whoAmI(page), [200, 'alice@example.com'], 'a callback that comes twice ends nothing')

  await page.evaluate('fetch("/auth/logout", { method: "POST" })')
  t.same(await cookieNames(), [])
  t.equal((await whoAmI(page) as unknown[])[0], 401)
})

t.test('the first page load after a login has the cookies only with sameSite lax', inBrowser, async t => {
  for (const [sameSite, first] of [['strict', 'Who are you?'], ['lax', 'Welcome']] as const) {
    const { page } = await open(t, await buildWithCompany(t, { cookies: { sameSite } }))
    await page.goto(`${home}/auth/company/login`)
    await logIn(page)
    await page.waitForURL(`${home}/page`)
    t.equal(await page.locator('p').innerText(), first)
    await page.reload()
    t.equal(await page.locator('p').innerText(), first, 'a reload is still a navigation from the provider')
    await page.getByRole('link', { name: 'Again' }).click()
    await page.getByText('Welcome').waitFor()
  }
})

t.test('two tabs can log in at the same time', inBrowser, async t => {
  const { page: first, context, cookieNames } = await open(t, await buildWithCompany(t))
  const second = await context.newPage()
  for (const page of [first, second]) await page.goto(`${home}/auth/company/login`)
  for (const page of [first, second]) {
    await page.bringToFront()
    await logIn(page)
    await page.waitForURL(`${home}/page`)
  }
  for (const page of [first, second]) t.same(await whoAmI(page), [200, 'alice@example.com'])
  t.same(await cookieNames(), ['__Host-access', '__Host-refresh'])
})

for (const { where, origin, cookies, sites } of [
  {
    where: 'on localhost',
    origin: home,
    cookies: {},
    sites: ['cross-site', 'same-origin', 'cross-site', 'cross-site']
  },
  {
    where: 'on a host without https',
    origin: plain,
    cookies: { secure: false },
    sites: [undefined, undefined, undefined, undefined]
  }
]) {
  t.test(`a login linked by another site is confirmed by keyboard, without scripts (${where})`, inBrowser, async t => {
    const { page, arrived, complaints } = await open(t, await buildWithCompany(t, { origin, cookies }), {
      origin,
      javaScriptEnabled: false
    })
    const stranger = await serve(t, () =>
      html(`<!doctype html><title>Win!</title><a href="${origin}/auth/company/login">Your prize</a>`)
    )
    await page.goto(stranger.url.replace('127.0.0.1', 'stranger.test'))
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Continue with the company' }).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await logIn(page)
    await page.waitForURL(`${origin}/page`)
    t.same(arrived.map(({ path, status, site }) => ({ path, status, site })), [
      { path: '/auth/company/login', status: 200, site: sites[0] },
      { path: '/auth/company/login', status: 303, site: sites[1] },
      { path: '/auth/company/callback', status: 303, site: sites[2] },
      { path: '/page', status: 200, site: sites[3] }
    ])
    await page.getByRole('link', { name: 'Again' }).click()
    await page.getByText('Welcome').waitFor()
    t.same(complaints, [])
  })
}

t.test('a cross-site POST to the callback has no cookie; the redirect after it has it', inBrowser, async t => {
  const apple = await startApple(t, { redirectUris: [`${home}/auth/apple/callback`] })
  apple.clock.now = new Date()
  const { clientId, clientSecret, endpoints } = apple
  const { page, arrived, complaints } = await open(
    t,
    await buildWithCookies({
      apple: { clientId, clientSecret, provider: { ...providers.apple, endpoints }, trustEmail: true }
    })
  )
  await page.goto(`${home}/auth/apple/login`)
  await logIn(page)
  await page.waitForURL(`${home}/page`)
  t.match(arrived, [
    { method: 'GET', path: '/auth/apple/login' },
    { method: 'POST', path: '/auth/apple/callback', status: 303, site: 'cross-site', cookies: [] },
    { method: 'GET', path: '/auth/apple/callback', status: 303, site: 'cross-site', cookies: [/^__Host-social-/] },
    { method: 'GET', path: '/page' }
  ])
  t.same(arrived[1]?.cookies, [])
  t.same(await whoAmI(page), [200, 'alice@example.com'])
  t.same(complaints, [])
})
