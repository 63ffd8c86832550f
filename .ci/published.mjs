// Uses the compiled package as an app that installed it would.
import Fastify from 'fastify'
import restAuth, { defineProvider, defineRestAuth, providers } from 'fastify-rest-auth'
import { createContract } from 'fastify-rest-auth/schemas'
import { users as sqliteUsers } from 'fastify-rest-auth/drizzle/sqlite'
import { users as postgresUsers } from 'fastify-rest-auth/drizzle/postgres'

const app = Fastify()
const provider = defineProvider({ ...providers.github, label: 'Hub' })
await app.register(restAuth, defineRestAuth({
  database: ':memory:',
  docs: false,
  social: { hub: { provider, clientId: 'an-app', clientSecret: 'its secret' } }
}))
const payload = { email: 'alice@example.com', password1: 'Sup3r-secret-pw' }
const answer = await app.inject({ method: 'POST', url: '/auth/registration', payload })
const login = await app.inject({ url: '/auth/hub/login', headers: { 'sec-fetch-site': 'none' } })
await app.close()
if (answer.statusCode !== 201 || !createContract || !sqliteUsers || !postgresUsers) {
  throw new Error(`the published package does not work: ${answer.body}`)
}
if (!login.headers.location?.startsWith(providers.github.endpoints.authorization)) {
  throw new Error(`the published package does not redirect to a provider: ${login.body}`)
}
console.log('the published package registers a user, and redirects to a provider')
