// Starts the app of a CommonJS module, which exports `buildApp`, and asks it for a user.
// Usage: node commonjs-story.cjs FILE
const assert = require('node:assert/strict')
const { resolve } = require('node:path')

// A busy machine may take longer to start an app than Fastify allows by default.
const fastify = require('fastify')
const patient = options => fastify({ pluginTimeout: 0, ...options })
require.cache[require.resolve('fastify')].exports = Object.assign(patient, fastify, { default: patient })

const { buildApp } = require(resolve(process.argv[2]))

async function tellStory () {
  const app = await buildApp({ database: ':memory:', docs: false, mail: { transport: async () => {} } })
  const payload = { email: 'alice@example.com', password1: 'Sup3r-secret-pw', nickname: 'Al' }
  const registered = await app.inject({ method: 'POST', url: '/auth/registration', payload })
  const headers = { authorization: `Bearer ${registered.json().access}` }
  const { body } = await app.inject({ url: '/me', headers })
  assert.ok([payload.email, payload.nickname].includes(body), body)
  await app.close()
  console.log('ok')
}

tellStory().catch(error => {
  console.error(error)
  process.exitCode = 1
})
