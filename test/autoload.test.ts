/** examples/autoload: @fastify/autoload encapsulates each file, and fastify-cli starts the app. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import Fastify from 'fastify'
import app from '../examples/autoload/app.js'
import { alice, loaders, password, patient, secret, t, type Test } from './support/build.js'
import { followLog, listening, registerAt } from './support/child-app.js'

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
    method: 'POST', url: `${prefix}/auth/registration`, payload: { email: alice.email, password1: password }
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
  const url = await followLog(child.stdout)(listening)
  const access = await registerAt(url, alice.email, password)
  const answer = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${access}` } })
  t.same(await answer.json(), { hello: alice.email })
  t.equal((await fetch(`${url}/me`)).status, 401)
  child.kill('SIGTERM')
  t.same(await exited, [0, null])
})
