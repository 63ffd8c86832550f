// The story of a user, told to the compiled package as an app that installed it would: SQLite, and the PostgreSQL
// server of POSTGRES_URL. Prints one line, and exits with 1 if it went wrong.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { Type } from '@sinclair/typebox'
import restAuth, { defineProvider, defineRestAuth, providers } from 'fastify-rest-auth'
import { createContract } from 'fastify-rest-auth/schemas'
import { users as sqliteUsers } from 'fastify-rest-auth/drizzle/sqlite'
import { users as postgresUsers } from 'fastify-rest-auth/drizzle/postgres'
import { createTestKit } from 'fastify-rest-auth/testing'

const versionOf = name => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version
const [database, refusal] = process.argv.slice(2)

const app = Fastify()
try {
  await app.register(restAuth, defineRestAuth({
    database,
    migrate: true,
    docs: false,
    mail: { transport: () => {} },
    social: {
      hub: { provider: defineProvider({ ...providers.github, label: 'Hub' }), clientId: 'app', clientSecret: 'secret' }
    },
    userFields: { gender: { schema: Type.Union([Type.Literal('F'), Type.Literal('M')]) } }
  }))
  assert.equal(refusal, undefined, `expected a refusal: ${refusal}`)
  await tellStory()
} catch (error) {
  if (refusal === undefined || !error.message.includes(refusal)) throw error
  console.log(`refused: ${error.message}`)
} finally {
  await app.close()
}

async function tellStory () {
  const send = async (method, path, payload, access) => {
    const headers = access && { authorization: `Bearer ${access}` }
    const answer = await app.inject({ method, url: `/auth/${path}`, payload, headers })
    assert.equal(answer.statusCode, path === 'registration' ? 201 : 200, `${path}: ${answer.body}`)
    return answer.json()
  }
  const [email, password] = [`alice-${process.pid}@example.com`, 'Sup3r-secret-pw']
  await send('POST', 'registration', { email, password1: password, gender: 'F' })
  const { access, refresh } = await send('POST', 'login', { email, password })
  assert.equal((await send('PATCH', 'user', { gender: 'M' }, access)).gender, 'M')
  const next = await send('POST', 'token/refresh', { refresh })
  assert.equal((await send('GET', 'user', undefined, next.access)).gender, 'M')
  const redirect = await app.inject({ url: '/auth/hub/login', headers: { 'sec-fetch-site': 'none' } })
  assert.ok(redirect.headers.location?.startsWith(providers.github.endpoints.authorization), redirect.body)
  assert.ok(createContract && sqliteUsers && postgresUsers && createTestKit().options)
  console.log(`ok with drizzle-orm ${versionOf('drizzle-orm')}`)
}
