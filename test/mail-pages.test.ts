import { mkdtempSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { BrowserContext, Page } from 'playwright-core'
import { linkIn } from './support/answers.js'
import { alice, password, sqliteBuild, t, type BuiltApp, type Test } from './support/build.js'
import { inBrowser, launchChromium } from './support/chromium.js'

// Where the app is published, and where people log in to it.
const origin = 'http://localhost:3000'
const loginPage = 'http://login.example/login'
const fresh = 'Brand-new-pw-1'
const folder = mkdtempSync(join(tmpdir(), 'mail-pages-'))

interface Browsing extends BuiltApp {
  context: BrowserContext
  page: Page
  /** Errors on the browser's console, and requests to other origins. */
  complaints: string[]
}

/** A rule, tested in a browser without JavaScript. */
function browse (title: string, options: object, tell: (t: Test, browsing: Browsing) => Promise<void>): void {
  t.test(title, inBrowser, async t => {
    const built = await sqliteBuild(t, { options, after: addLogin })
    await built.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = built.app.server.address() as AddressInfo
    const hosts = [origin, loginPage]
      .map(url => new URL(url))
      .map(({ hostname, port: own }) => `MAP ${hostname}:${own || 80} 127.0.0.1:${port}`)
    const browser = await launchChromium(t, hosts)
    const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 900, height: 640 } })
    const complaints: string[] = []
    context.on('console', message => {
      if (message.type() === 'error') complaints.push(`${message.location().url}: ${message.text()}`)
    })
    context.on('request', request => {
      if (![origin, loginPage].some(own => request.url().startsWith(own))) complaints.push(`asked ${request.url()}`)
    })
    await tell(t, { ...built, context, complaints, page: await context.newPage() })
  })
}

/** The login page, and the favicon that browsers request beside it. */
function addLogin (app: FastifyInstance): void {
  app.get('/login', async () => 'Log in here.')
  app.get('/favicon.ico', async (_request, reply) => reply.code(204).send())
}

const lastLink = async ({ mails }: Browsing): Promise<string> => linkIn((await mails()).at(-1))
const heading = async (page: Page): Promise<string> => await page.locator('h1').innerText()
const focused = async (page: Page): Promise<string | null> => await page.locator(':focus').getAttribute('id')
const shoot = async (page: Page, name: string) => { await page.screenshot({ path: join(folder, `${name}.png`) }) }

/** Opens a built-in page; returns its Content-Security-Policy without the hash of its style. */
async function open (page: Page, url: string): Promise<string> {
  const answer = await page.goto(url)
  return (answer?.headers()['content-security-policy'] ?? '').replace(/'sha256-[^']+'/, 'sha256')
}

/** Presses Enter where the focus is, and waits for the page that this leads to. */
async function enter (page: Page): Promise<void> {
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')])
}

const policy = (formAction: string) =>
  `default-src 'none'; style-src sha256; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`
const mandatory = { emailVerification: 'mandatory' }

const confirming = { account: mandatory }

browse('the confirmation page works by keyboard and without JavaScript', confirming, async (t, browsing) => {
  const { page, post, complaints } = browsing
  await post('/registration', alice)
  t.equal(await open(page, await lastLink(browsing)), policy("'self'"))
  t.equal(await heading(page), 'Confirm your e-mail address')
  t.equal(
    (await post('/login', { email: alice.email, password })).json().code, 'email_not_verified',
    'opening the page confirms nothing'
  )
  await page.keyboard.press('Tab')
  t.equal(await page.locator(':focus').innerText(), 'Confirm e-mail address')
  await shoot(page, 'confirm')
  await enter(page)
  t.equal(await heading(page), 'E-mail address confirmed')
  await shoot(page, 'confirmed')
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
  t.same(complaints, [])

  await page.goto(await lastLink(browsing))
  t.equal(await heading(page), 'This link does not work')
  await shoot(page, 'used')
})

const withLogin = { account: mandatory, urls: { login: loginPage } }

browse('the confirmation button can redirect to a login page on another origin', withLogin, async (t, browsing) => {
  const { page, post, complaints } = browsing
  await post('/registration', alice)
  t.equal(await open(page, await lastLink(browsing)), policy("'self' http://login.example"))
  await page.keyboard.press('Tab')
  await enter(page)
  t.equal(page.url(), loginPage)
  t.same(complaints, [])
})

const onGet = { account: { ...mandatory, confirmEmailOnGet: true }, urls: { login: loginPage } }

browse('with confirmEmailOnGet, the mailed link redirects straight to the login page', onGet, async (t, browsing) => {
  const { page, post, complaints } = browsing
  await post('/registration', alice)
  const link = await lastLink(browsing)
  await page.goto(link)
  t.equal(page.url(), loginPage)
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
  t.same(complaints, [])
  await page.goto(link)
  t.equal(await heading(page), 'This link does not work')
  await page.keyboard.press('Tab')
  t.equal(await page.locator(':focus').innerText(), 'Log in')
  await shoot(page, 'used-with-login')
})

browse('the password page works by keyboard and without JavaScript, errors included', {}, async (t, browsing) => {
  const { page, post, register, complaints } = browsing
  await register()
  await post('/password/reset', { email: alice.email })
  t.equal(await open(page, await lastLink(browsing)), policy("'self'"))
  t.equal(await heading(page), 'Choose a new password')
  await shoot(page, 'new-password')
  await page.keyboard.press('Tab')
  t.equal(await focused(page), 'new_password1')
  await page.keyboard.type('12345')
  await page.keyboard.press('Tab')
  t.equal(await focused(page), 'new_password2', 'the username field for password managers is skipped')
  await page.keyboard.type('123456')
  await enter(page)

  t.match(await page.title(), /^Error: /)
  const alerts = page.getByRole('alert')
  t.match(await alerts.allInnerTexts(), [/too short[^]*entirely numeric/, /didn’t match/])
  t.equal(await focused(page), 'new_password1')
  const field = page.locator(':focus')
  t.equal(await field.getAttribute('aria-invalid'), 'true')
  t.ok(
    (await field.getAttribute('aria-describedby'))
      ?.split(' ')
      .includes((await alerts.first().getAttribute('id')) ?? '-'),
    'the field is described by its error'
  )
  t.equal(await field.inputValue(), '', 'a password is not sent back')
  await shoot(page, 'weak')
  await page.setViewportSize({ width: 360, height: 640 })
  await page.emulateMedia({ colorScheme: 'dark' })
  await shoot(page, 'weak-on-a-phone')

  for (const press of [fresh, 'Tab', fresh]) {
    await (press === 'Tab' ? page.keyboard.press(press) : page.keyboard.type(press))
  }
  await enter(page)
  t.equal(await heading(page), 'Your password has been changed')
  await shoot(page, 'changed-on-a-phone')
  t.equal((await post('/login', { email: alice.email, password: fresh })).statusCode, 200)
  t.same(complaints, [
    `${page.url()}: Failed to load resource: the server responded with a status of 400 (Bad Request)`
  ])
})

const inDevelopment = { account: mandatory, docs: '/docs' }

browse('the viewer of mails in development shows a mail with a working link', inDevelopment, async (t, browsing) => {
  const { page, post, mails, complaints } = browsing
  await post('/registration', alice)
  await mails()
  await page.goto(`${origin}/docs/mail`)
  // The first link leads to the list itself.
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await shoot(page, 'mails')
  await enter(page)
  t.match(await page.locator('h2').innerText(), /Please confirm your e-mail address/)
  const opened = await openFromFrame(browsing)
  t.equal(opened.url(), await lastLink(browsing))
  await shoot(page, 'mail')
  await opened.keyboard.press('Tab')
  await enter(opened)
  t.equal(await heading(opened), 'E-mail address confirmed', 'a tab opened from the frame is not sandboxed')
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
  t.same(complaints, [])
})

/** Clicks the link in the mail's HTML, twice if need be: a click right after the frame has appeared may be lost. */
async function openFromFrame ({ context, page }: Browsing): Promise<Page> {
  const link = page.frameLocator('iframe').locator('a[href*="account-confirm-email"]').first()
  await link.waitFor()
  for (let tries = 1; ; tries++) {
    try {
      const [opened] = await Promise.all([context.waitForEvent('page'), link.click()])
      await opened.waitForLoadState()
      return opened
    } catch (error) {
      if (tries === 2) throw error
    }
  }
}

if (!inBrowser.skip) t.teardown(() => t.comment(folder))
