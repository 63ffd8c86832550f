/** What no injected request shows: that a browser lets the button of a start through to the provider, and all the way on. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium } from 'playwright-core'
import { loggedInPage, socialFailedPage, startPage } from '../src/pages/social.js'
import { t } from './helper.js'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const missing = existsSync(executablePath) ? undefined : `no browser: ${executablePath} is not there; CHROMIUM_PATH may name one`
const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage', '--host-resolver-rules=MAP *.test 127.0.0.1']

t.test('by keyboard and without JavaScript, a button leads to the provider, back here and on to the app', { skip: missing !== undefined && !process.env.CI && missing, timeout: 60_000 }, async t => {
  if (missing) {
    t.fail(missing)
    return
  }
  const seen: string[] = []
  const server = createServer(({ method, headers, url = '' }, response) => {
    const port = headers.host?.split(':')[1] ?? ''
    const to = (host: string) => `http://${host}:${port}`
    const frame = { siteName: 'Acme Books', loginUrl: undefined }
    const label = 'Google'
    const pages: Record<string, () => ReturnType<typeof loggedInPage>> = {
      'GET /login?next=x': () => startPage(frame, { label, providerOrigin: to('provider.test'), next: to('app.test') }),
      'GET /failed': () => socialFailedPage(frame, { label, message: 'Google did not answer.', retryUrl: '/login?next=x' }),
      'GET /done': () => loggedInPage(frame)
    }
    const redirects: Record<string, string> = {
      'POST /login?next=x': `${to('provider.test')}/authorize`,
      'GET /authorize': `${to('localhost')}/callback`,
      'GET /callback': `${to('app.test')}/done`
    }
    const name = `${method} ${url}`
    seen.push(`${name} ${headers['sec-fetch-site']} ${headers.origin}`)
    const page = pages[name]?.()
    if (page) response.writeHead(200, page.headers).end(page.html)
    else response.writeHead(redirects[name] ? 303 : 404, { location: redirects[name] ?? '' }).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise(resolve => { server.closeAllConnections(); server.close(resolve) }))
  const { port } = server.address() as AddressInfo

  const browser = await chromium.launch({ executablePath, args })
  t.teardown(() => browser.close())
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
  const complaints: string[] = []
  page.on('console', message => { complaints.push(message.text()) })
  const press = async (button: string) => {
    await page.keyboard.press('Tab')
    t.equal(await page.locator(':focus').innerText(), button)
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')])
  }

  await page.goto(`http://localhost:${port}/failed`)
  await press('Try again')
  await press('Continue with Google')
  t.equal(page.url(), `http://app.test:${port}/done`)
  t.equal(await page.locator('h1').innerText(), 'You are logged in')
  t.same(complaints, [])
  t.same(seen.slice(0, 3), ['GET /failed none undefined', 'GET /login?next=x same-origin undefined', 'POST /login?next=x same-origin null'],
    'a page that tells nobody its address posts with no origin: Sec-Fetch-Site says whose it is')
})
