import { mkdtempSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import restAuth from 'fastify-rest-auth'
import type { BrowserContext, Locator, Page } from 'playwright-core'
import { auth, buildApp } from '../examples/article/app.js'
import { patient, t, type Test } from './support/build.js'
import { inBrowser, launchChromium } from './support/chromium.js'

// Not the address that the app believes to be at, and none that browsers trust without https: as on a tester's network.
const hostname = 'tester.test'

// The address that the app believes to be at: the links of its mails begin with it.
const published = 'http://localhost:3000'

// Mails are shown on the machine of the server only.
const mailList = `${published}/docs/mail`

t.test('a tester can register, verify the address, log in, change and reset the password', inBrowser, async t => {
  const { context, page, origin, complaints } = await open(t)
  await page.goto(`${origin}/docs`)
  await page.locator('.opblock').first().waitFor()
  t.same(await page.locator('.opblock-tag').evaluateAll(tags => tags.map(tag => tag.getAttribute('data-tag'))), [
    'Account', 'Session', 'User', 'Password'
  ])

  t.match(
    await execute(page, 'register'),
    { status: 201, body: { detail: 'Verification e-mail sent.' } },
    'the example is valid as it stands'
  )
  t.match(await execute(page, 'login'), { status: 400, body: { code: 'email_not_verified' } })
  const landed = await follow(context, await findLink(context, mailList, 'account-confirm-email'))
  await landed.locator('.opblock.is-open').waitFor()
  t.equal(landed.url(), `${published}/docs#/Session/login`)
  t.match(await landed.locator('.opblock.is-open').getAttribute('id'), /-login$/, 'the link ends where one logs in')
  await landed.close()
  const loggedIn = await execute(page, 'login')
  t.match(
    loggedIn,
    { status: 200, body: { user: { email: 'alice@example.com', gender: 'M', phone_number: '+15550100' } } },
    'and so is the example of the login'
  )

  t.equal((await execute(page, 'getUser')).status, 401)
  await authorize(page, String(loggedIn.body.access))
  await page.reload()
  await page.locator('.opblock').first().waitFor()
  t.match(
    await execute(page, 'getUser'),
    { status: 200, body: { gender: 'M', phone_number: '+15550100' } },
    'the token is kept over a reload'
  )
  t.match(await execute(page, 'updateUser', body => ({ ...body, gender: 'NS', phone_number: '+15559999' })), {
    status: 200,
    body: { gender: 'NS', phone_number: '+15550100' }
  })
  t.match(await execute(page, 'changePassword'), { status: 200, body: { detail: 'New password has been saved.' } })
  t.equal((await execute(page, 'logout')).status, 200)
  t.match(
    await execute(page, 'getUser'),
    { status: 401, body: { code: 'token_not_valid' } },
    'the session has ended, without a thought about tokens'
  )
  t.match(await execute(page, 'login'), { status: 400, body: { code: 'invalid_credentials' } })
  t.equal((await execute(page, 'login', body => ({ ...body, password: 'An0ther-secret-pw' }))).status, 200)

  t.match(await execute(page, 'requestPasswordReset'), {
    status: 200,
    body: { detail: 'Password reset e-mail has been sent.' }
  })
  const reset = await findLink(context, mailList, 'password/reset/confirm')
  const [token, uid] = (await reset.getAttribute('href') ?? '').split('/').reverse()
  const fresh = 'Y3t-an0ther-secret-pw'
  t.match(
    await execute(page, 'confirmPasswordReset', body => ({
      ...body,
      uid,
      token,
      new_password1: fresh,
      new_password2: fresh
    })),
    { status: 200 }
  )
  t.equal((await execute(page, 'login', body => ({ ...body, password: fresh }))).status, 200)

  const refused = (path: string, status: string) =>
    `${origin}${path}: Failed to load resource: the server responded with a status of ${status}`
  t.same(
    complaints,
    [
      refused('/auth/login', '400 (Bad Request)'),
      refused('/auth/user', '401 (Unauthorized)'),
      refused('/auth/user', '401 (Unauthorized)'),
      refused('/auth/login', '400 (Bad Request)')
    ],
    'no other host was asked, and the browser found nothing wrong but the refusals'
  )
  const folder = mkdtempSync(join(tmpdir(), 'swagger-ui-'))
  await page.screenshot({ path: join(folder, 'swagger-ui.png') })
  await reset.page().screenshot({ path: join(folder, 'mails.png') })
  t.comment(folder)
})

t.test('with cookies, a tester need not paste a token', inBrowser, async t => {
  // The page is not from publicUrl, and without https the browser does not say in Sec-Fetch-Site where it is from.
  const { page, origin } = await open(t, {
    account: { emailVerification: 'none' },
    tokens: { cookies: { secure: false } }
  })
  await page.goto(`${origin}/docs`)
  await page.locator('.opblock').first().waitFor()
  t.equal((await execute(page, 'getUser')).status, 401)
  const registered = await execute(page, 'register')
  t.equal(registered.status, 201)
  t.same(Object.keys(registered.body), ['access_expiration', 'refresh_expiration', 'user'])
  t.match(await execute(page, 'getUser'), { status: 200, body: { gender: 'M' } })
  t.match(await execute(page, 'updateUser', body => ({ ...body, gender: 'NS' })), {
    status: 200,
    body: { gender: 'NS' }
  })
  t.equal((await execute(page, 'logout')).status, 200)
  t.equal((await execute(page, 'getUser')).status, 401)
  t.equal((await execute(page, 'login')).status, 200)
  t.equal((await execute(page, 'getUser')).status, 200)
})

t.test('Swagger UI names mails and logins, is dark where the browser is, and fits a phone', inBrowser, async t => {
  const { page, origin, complaints } = await open(t, { social: { google: { clientId: 'x', clientSecret: 'y' } } })
  await page.setViewportSize({ width: 360, height: 740 })
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.goto(`${origin}/docs`)
  await page.locator('.opblock').first().waitFor()
  await page.locator('html.dark-mode').waitFor()
  const links = await page.locator('.info li a').evaluateAll(links => links.map(link => link.getAttribute('href')))
  t.same(links, ['/docs/mail', '/auth/google/login'])
  const shade = async () => await page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
  const dark = await shade()
  await page.emulateMedia({ colorScheme: 'light' })
  // The page learns of the change with its next frame, and a busy machine draws that late.
  await page.locator('html:not(.dark-mode)').waitFor()
  t.not(await shade(), dark)
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360)
  t.same(complaints, [])
})

t.test('the list of mails refreshes itself, and a mail that is being read stays', inBrowser, async t => {
  const { page, context } = await open(t)
  const register = async (email: string) => {
    const api = await context.newPage()
    await api.goto(`${published}/docs`)
    await api.locator('.opblock').first().waitFor()
    t.equal((await execute(api, 'register', body => ({ ...body, email }))).status, 201)
    await api.close()
  }
  await page.goto(mailList)
  await register('first@example.com')
  await page.bringToFront()
  await page.locator('.mails a').first().click()
  await page.locator('h2').waitFor()
  const read = page.url()
  await register('second@example.com')
  await page.bringToFront()
  await page.locator('.mails a:has-text("second@example.com")').waitFor()
  t.equal(page.url(), read)
  t.match(await page.locator('main').innerText(), 'first@example.com')
  await page.locator('.mails a').first().focus()
  await page.keyboard.press('ArrowDown')
  t.match(await page.evaluate('document.activeElement.textContent'), 'first@example.com')
})

for (const [publicUrl, servers] of [
  ['http://localhost:3000', undefined],
  ['https://app.example/', undefined],
  ['https://app.example/api', [{ url: '/api' }]]
] as const) {
  t.test(`Swagger UI calls the server that it came from, even if publicUrl is ${publicUrl}`, async t => {
    const app = await buildApp({ database: ':memory:', docs: '/docs', publicUrl }, patient)
    t.teardown(() => app.close())
    t.same((await app.inject('/docs/json')).json().servers, servers)
    t.same(
      app.restAuth.openapi().servers,
      [{ url: publicUrl.replace(/\/$/, '') }],
      'a document that is passed on names it'
    )
  })
}

for (const { prefix, docs, publicUrl, at, more = [] } of [
  {
    prefix: '',
    docs: '/docs',
    publicUrl: 'https://app.example/app',
    at: '/app/docs',
    more: ['/', '?x=/', '/?x', '/static/index.html']
  },
  { prefix: '', docs: '/a/b/docs', publicUrl: 'https://app.example/app', at: '/app/a/b/docs' },
  { prefix: '/api', docs: '/docs', publicUrl: 'https://app.example/app', at: '/app/api/docs' },
  { prefix: '/api', docs: '/docs', publicUrl: 'https://app.example', at: '/api/docs' },
  { prefix: '', docs: '/docs', publicUrl: 'https://app.example', at: '/docs' }
]) {
  t.test(`Swagger UI at ${at} loads all its files from there, and calls the API there`, inBrowser, async t => {
    const app = Fastify(patient)
    t.teardown(() => app.close())
    await app.register(async scope => {
      await scope.register(restAuth, { ...auth, database: ':memory:', docs, publicUrl })
    }, { prefix })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const stripped = new URL(publicUrl).pathname.replace(/\/$/, '')
    const seen: string[] = []
    const proxy = createServer(({ url = '', method, headers }, response) => {
      if (!url.startsWith(stripped)) seen.push(url)
      const target = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}${url.slice(stripped.length)}`
      request(target, { method, headers }, answer => {
        response.writeHead(answer.statusCode ?? 0, answer.headers)
        answer.pipe(response)
      }).end()
    })
    await new Promise<void>(resolve => { proxy.listen(0, '127.0.0.1', resolve) })
    t.teardown(() => { proxy.closeAllConnections(); proxy.close() })
    const origin = `http://localhost:${(proxy.address() as AddressInfo).port}`
    const browser = await launchChromium(t)
    const page = await browser.newPage()
    const failed: string[] = []
    page.on('response', answer => { if (answer.status() >= 400) failed.push(`${answer.status()} ${answer.url()}`) })
    for (const path of more.map(path => `${at}${path}`).concat(at)) {
      await page.goto(`${origin}${path}`)
      await page.locator('.opblock').first().waitFor()
    }
    t.same(failed.filter(line => !line.endsWith('/favicon.ico')), [])
    t.same(seen.filter(url => url !== '/favicon.ico'), [], 'nothing outside the app was asked for')
    t.equal((await execute(page, 'getUser')).status, 401)
    t.match(failed.at(-1), `${at.replace(docs, '')}/auth/user`)
  })
}

/** The article's app, listening, and a browser page that records its errors. */
async function open (t: Test, overrides: object = {}) {
  const app = await buildApp({
    database: ':memory:',
    docs: '/docs',
    mail: { ...auth.mail, transport: async () => {} },
    ...overrides
  }, patient)
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const browser = await launchChromium(t, [
    `MAP ${hostname} 127.0.0.1`, `MAP ${new URL(published).host} 127.0.0.1:${port}`
  ])
  const origin = `http://${hostname}:${port}`
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  const complaints: string[] = []
  context.on('weberror', error => complaints.push(String(error.error())))
  // Violations of the content security policy are told here too.
  context.on('console', message => {
    if (message.type() === 'error') complaints.push(`${message.location().url}: ${message.text()}`)
  })
  context.on('request', request => {
    if (![origin, published, 'data:'].some(own => request.url().startsWith(own))) {
      complaints.push(`asked ${request.url()}`)
    }
  })
  return { context, page: await context.newPage(), origin, complaints }
}

/** In the list of mails, which refreshes itself until the mail is there. */
async function findLink (context: BrowserContext, list: string, path: string): Promise<Locator> {
  const page = await context.newPage()
  await page.goto(list)
  const link = page.locator(`a[href*="/${path}/"]`)
  await link.waitFor()
  return link
}

async function follow (context: BrowserContext, link: Locator): Promise<Page> {
  const [opened] = await Promise.all([context.waitForEvent('page'), link.click()])
  return opened
}

interface Answer {
  status: number
  body: Record<string, unknown>
}

/** Opens an operation if it is folded, presses Execute, and reads the answer; `change` edits the filled-in body. */
async function execute (
  page: Page,
  operationId: string,
  change?: (body: Record<string, unknown>) => object
): Promise<Answer> {
  // In the back a page gets few frames, and its buttons take seconds.
  await page.bringToFront()
  const operation = page.locator(`.opblock[id$="-${operationId}"]`)
  if (!await isOpen(operation)) await operation.locator('.opblock-summary-control').click()
  if (change) {
    const body = operation.locator('textarea.body-param__text')
    await body.fill(JSON.stringify(change(JSON.parse(await body.inputValue()))))
  }
  const clear = operation.getByRole('button', { name: 'Clear', exact: true })
  if (await clear.count() > 0) await clear.click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  const answer = operation.locator('.live-responses-table .response')
  await answer.waitFor()
  return {
    status: parseInt(await answer.locator('.response-col_status').innerText()),
    body: JSON.parse(await answer.locator('.response-col_description .highlight-code pre').first().innerText())
  }
}

const isOpen = async (operation: Locator) => await operation.evaluate(element => element.classList.contains('is-open'))

async function authorize (page: Page, token: string): Promise<void> {
  await page.getByRole('button', { name: 'Authorize' }).first().click()
  const dialogue = page.locator('.modal-ux')
  await dialogue.getByRole('textbox').fill(token)
  await dialogue.getByRole('button', { name: 'Apply credentials' }).click()
  await dialogue.getByRole('button', { name: 'Close' }).click()
}
