// The compiled package, imported by its own name, as an app that installed it would.
import Fastify from 'fastify'
import restAuth, { defineRestAuth } from 'fastify-rest-auth'
import { createContract } from 'fastify-rest-auth/schemas'
import { users as sqliteUsers } from 'fastify-rest-auth/drizzle/sqlite'
import { users as postgresUsers } from 'fastify-rest-auth/drizzle/postgres'

const app = Fastify()
await app.register(restAuth, defineRestAuth({ database: ':memory:', docs: false }))
const answer = await app.inject({ method: 'POST', url: '/auth/registration', payload: { email: 'alice@example.com', password1: 'Sup3r-secret-pw' } })
await app.close()
if (answer.statusCode !== 201 || !createContract || !sqliteUsers || !postgresUsers) throw new Error(`the published package does not work: ${answer.body}`)
console.log('the published package registers a user')
