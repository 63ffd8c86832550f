import fp from 'fastify-plugin'
import restAuth, { defineRestAuth } from 'fastify-rest-auth'

export interface AuthPluginOptions {
  /** Replaces options: the tests use another database. */
  auth?: object | undefined
}

export const auth = defineRestAuth({
  database: process.env.DATABASE_URL ?? 'auth.sqlite',
  account: { emailVerification: 'none' }
})

// Without fp, the plugin would exist only inside this file, and every route that requires a user would answer 500.
export default fp<AuthPluginOptions>(async (fastify, { auth: overrides }) => {
  await fastify.register(restAuth, { ...auth, ...overrides })
}, { name: 'auth' })
