/**
 * With `tokens.cookies.apps: 'body'`, apps get tokens in bodies, and no page can pass for an app: a script tries every
 * way in which a browser sends a request, with and without https.
 */
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { createPlugin } from '../src/plugin.js'
import { alice, articleOptions, cheapHash, password, patient, secret, t, type Test } from './support/build.js'
import { inBrowser, launchChromium } from './support/chromium.js'

/** Runs in the page: sends `body` to `path` in each way, and returns the answers as texts by the name of the way. */
const attempts = `async ([path, body]) => {
  const json = JSON.stringify(body)
  const headers = { 'content-type': 'application/json' }
  const disguise = { ...headers, origin: '', 'sec-fetch-site': '', cookie: '', 'x-requested-with': 'com.example.app' }
  const answers = {}
  const ways = {
    plain: { headers },
    'without cookies': { headers, credentials: 'omit' },
    'without referrer': { headers, credentials: 'omit', referrerPolicy: 'no-referrer', referrer: '' },
    'same-origin only': { headers, mode: 'same-origin', credentials: 'omit' },
    'no-cors': { headers, mode: 'no-cors', credentials: 'omit' },
    keepalive: { headers, keepalive: true, credentials: 'omit' },
    disguised: { headers: disguise, credentials: 'omit', referrerPolicy: 'no-referrer' }
  }
  for (const [name, init] of Object.entries(ways)) {
    answers[name] = await (await fetch(path, { method: 'POST', body: json, ...init })).text()
  }
  answers.XMLHttpRequest = await new Promise(resolve => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    for (const [name, value] of Object.entries(disguise)) request.setRequestHeader(name, value)
    request.onload = () => resolve(request.responseText)
    request.send(json)
  })
  const code = 'onmessage = async ({ data: [url, init] }) => postMessage(await (await fetch(url, init)).text())'
  const worker = new Worker(URL.createObjectURL(new Blob([code])))
  answers.worker = await new Promise(resolve => {
    worker.onmessage = ({ data }) => resolve(data)
    worker.postMessage([new URL(path, location).href, { method: 'POST', body: json, headers, credentials: 'omit' }])
  })
  if (!('password' in body)) return answers
  const frame = Object.assign(document.createElement('iframe'), { name: 'answer' })
  document.body.append(frame)
  for (const enctype of ['application/x-www-form-urlencoded', 'multipart/form-data']) {
    const form = Object.assign(document.createElement('form'), {
      method: 'post', action: path, enctype, target: 'answer'
    })
    for (const [name, value] of Object.entries(body)) {
      form.append(Object.assign(document.createElement('input'), { name, value }))
    }
    document.body.append(form)
    answers[enctype] = await new Promise(resolve => {
      frame.onload = () => resolve(frame.contentDocument?.body.innerText ?? 'unreadable')
      form.submit()
    })
  }
  return answers
}`

async function startApp (t: Test, tokens: object): Promise<number> {
  const app = Fastify(patient)
  const { account, userFields } = articleOptions
  const options: object = { account, userFields, secret, database: ':memory:', docs: false, tokens }
  await app.register(fp(createPlugin({ hashCost: cheapHash })), options)
  app.get('/', (_request, reply) => reply.type('text/html').send('<!doctype html><title>Page</title><body></body>'))
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  return (app.server.address() as AddressInfo).port
}

const hasToken = (answer: string) => /eyJ|fra_|"(access|refresh|key)":/.test(answer)

for (const format of ['jwt', 'opaque']) {
  for (const host of ['localhost', 'app.test']) {
    t.test(`no script of a page gets a token into a body (${format}, ${host})`, inBrowser, async t => {
      const cookies = { apps: 'body', secure: host === 'localhost' }
      const port = await startApp(t, { format, cookies })
      const home = `http://${host}:${port}`
      const asApp = async (path: string, body: object) => await (await fetch(`http://127.0.0.1:${port}/auth${path}`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body)
      })).json() as Record<string, string>
      t.ok(hasToken(JSON.stringify(await asApp('/registration', alice))), 'an app gets one')
      const credentials = { email: alice.email, password }
      const { refresh } = await asApp('/login', credentials)

      const browser = await launchChromium(t, ['MAP *.test 127.0.0.1'])
      const page = await browser.newPage()
      await page.goto(`${home}/`)
      const requests: Array<[path: string, body: object]> = [['/auth/login', credentials]]
      if (refresh) requests.push(['/auth/token/refresh', { refresh }], ['/auth/token/refresh', {}])
      for (const [path, body] of requests) {
        const answers = Object.entries(
          await page.evaluate<Record<string, string>>(`(${attempts})(${JSON.stringify([path, body])})`)
        )
        t.equal(answers.length, path === '/auth/login' ? 11 : 9)
        for (const [way, answer] of answers) t.notOk(hasToken(answer), `${path}, ${way}: ${answer}`)
        t.ok(answers.some(([, answer]) => answer.includes('_expiration')), 'although the browser is logged in')
      }
      t.equal(await page.evaluate('document.cookie'), '')
    })
  }
}
