/** examples/autoload: @fastify/autoload encapsulates each file, and fastify-cli starts the app. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import Fastify from 'fastify'
import app from '../examples/autoload/app.js'
import { alice, loaders, password, patient, secret, t, type Test } from './support/build.js'

const newcomer = { email: alice.email, password1: password }

// What @fastify/autoload looks at before it loads files in TypeScript.
process.env.FASTIFY_AUTOLOAD_TYPESCRIPT = '1'

/** What a stranger and a logged-in user get from each path of the app. */
async function answersOf (t: Test, prefix = '') {
  const fastify = Fastify(patient)
  t.teardown(() => fastify.close())
  // The console transport would print the mail between the lines of the tests.
  const auth = { database: ':memory:', secret, mail: { transport: async () => {} } }
  await fastify.register(app, { prefix, auth })
  const { access } = (await fastify.inject({
    method: 'POST', url: `${prefix}/auth/registration`, payload: newcomer
  })).json()
  const answers: Record<string, [number, string]> = {}
  for (const path of ['/', '/me', '/notes']) {
    const stranger = await fastify.inject(`${prefix}${path}`)
    const user = await fastify.inject({ url: `${prefix}${path}`, headers: { authorization: `Bearer ${access}` } })
    answers[path] = [stranger.statusCode, user.body]
  }
  return answers
}

const expected = {
  '/': [200, '{"root":true}'],
  '/me': [401, `{"hello":"${alice.email}"}`],
  '/notes': [401, `{"notes":["of ${alice.email}"]}`]
}

t.test('routes of other files, and hooks of a folder, require a user of the plugin', async t => {
  t.same(await answersOf(t), expected)
})

t.test('below a prefix of the whole app, the plugin keeps its own prefix', async t => {
  t.same(await answersOf(t, '/api'), expected)
})

t.test('fastify-cli starts the app, which logs users in, and ends with SIGTERM', async t => {
  const cli = createRequire(import.meta.url).resolve('fastify-cli/cli.js')
  const child = spawn(
    process.execPath,
    [...loaders, cli, 'start', '--log-level=info', '--plugin-timeout=0', 'examples/autoload/app.ts'],
    {
      cwd: resolve(import.meta.dirname, '..'),
      env: { ...process.env, PORT: '0', DATABASE_URL: ':memory:' },
      stdio: ['ignore', 'pipe', 'inherit']
    }
  )
  t.teardown(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const url = await addressIn(child.stdout)
  const registration = await fetch(`${url}/auth/registration`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(newcomer)
  })
  const { access } = await registration.json() as { access: string }
  const answer = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${access}` } })
  t.same(await answer.json(), { hello: alice.email })
  t.equal((await fetch(`${url}/me`)).status, 401)
  child.kill('SIGTERM')
  t.same(await exited, [0, null])
})

/** Where an app listens, as its log says. */
async function addressIn (log: Readable): Promise<string> {
  let text = ''
  for await (const chunk of log.iterator({ destroyOnReturn: false })) {
    text += chunk
    const [, address] = /"Server listening at ([^"]+)"/.exec(text) ?? []
    if (address) return address
  }
  throw new Error(`the app does not listen: ${text}`)
}
