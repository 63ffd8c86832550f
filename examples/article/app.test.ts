/** Tests of the app: `npx tsx --test app.test.ts` */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createTestKit } from 'fastify-rest-auth/testing'
import { buildApp } from './app.js'

const person = { email: 'alice@example.com', gender: 'F', phone_number: '+15550100' } as const
const password = 'Sup3r-secret-pw'

async function setUp (t: TestContext) {
  const kit = createTestKit()
  const app = await buildApp(kit.options)
  t.after(() => app.close())
  return { kit, app, post: async (url: string, body: object) => await app.inject({ method: 'POST', url, body }) }
}

test('a user confirms the address, and then logs in', async t => {
  const { kit, post } = await setUp(t)
  await post('/auth/registration', { ...person, password1: password, password2: password })
  assert.equal((await post('/auth/login', { email: person.email, password })).statusCode, 400)
  const [mail] = await kit.mails(person.email)
  assert.equal((await post('/auth/registration/verify-email', { ...mail?.codes })).statusCode, 200)
  assert.equal((await post('/auth/login', { email: person.email, password })).statusCode, 200)
})

test('/me greets the user until the access token expires', async t => {
  const { kit, app } = await setUp(t)
  const user = await app.restAuth.users.create({ ...person, password, email_verified: true })
  const credentials = await kit.as(user)
  assert.deepEqual((await app.inject({ url: '/me', ...credentials })).json(), { hello: person.email, gender: 'F' })
  kit.clock.advance(300)
  assert.equal((await app.inject({ url: '/me', ...credentials })).statusCode, 401)
})
