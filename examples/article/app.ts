/**
 * The application of the article "Registration and Authentication in your Django app with dj-rest-auth", as it is at
 * its end: users with a unique e-mail, no username, a gender, and a phone number that only registration can set. The
 * address has to be confirmed before the first login; the mail says so in the app's own words.
 */
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyServerOptions } from 'fastify'
import restAuth, { defineRestAuth } from 'fastify-rest-auth'

/** Who else may say who somebody is: those that the environment knows, if any. */
export const providersOf = ({
  GOOGLE_CLIENT_ID,
  GOOGLE_CLIENT_SECRET = '',
  GITHUB_CLIENT_ID,
  GITHUB_CLIENT_SECRET = ''
}: Record<string, string | undefined>) => ({
  ...(GOOGLE_CLIENT_ID && { google: { clientId: GOOGLE_CLIENT_ID, clientSecret: GOOGLE_CLIENT_SECRET } }),
  ...(GITHUB_CLIENT_ID && { github: { clientId: GITHUB_CLIENT_ID, clientSecret: GITHUB_CLIENT_SECRET } })
})

export const auth = defineRestAuth({
  publicUrl: 'http://localhost:3000',
  database: 'auth.sqlite',
  account: { username: 'none', emailVerification: 'mandatory', confirmEmailOnGet: true },
  // In development Swagger UI is where people log in.
  urls: { login: '/docs#/Session/login' },
  site: { name: 'Example' },
  // Without a transport the mails are printed.
  mail: {
    templates: fileURLToPath(new URL('./email-templates', import.meta.url)),
    subjectPrefix: 'Example: '
  },
  social: providersOf(process.env),
  userFields: {
    gender: {
      schema: Type.Union([Type.Literal('M'), Type.Literal('F'), Type.Literal('NS')], {
        description: 'Male, female, not specified.'
      })
    },
    phone_number: { schema: Type.String({ maxLength: 30, examples: ['+15550100'] }), userDetails: 'read-only' }
  }
})
declare module 'fastify-rest-auth' { interface Register { auth: typeof auth } }

/** The app, not yet listening. `overrides` replace options: the tests give it a database of their own. */
export async function buildApp (overrides: object = {}, server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  await app.register(restAuth, { ...auth, ...overrides })
  app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs'))
  app.get('/me', { onRequest: app.authenticate }, async request => ({
    hello: request.user.email,
    gender: request.user.gender
  }))
  return app
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const app = await buildApp({}, { logger: { level: 'warn' } })
  await app.listen({ port: 3000 })
  console.log('Swagger UI: http://localhost:3000/docs')
  console.log('Mails: http://localhost:3000/docs/mail (and here)')
}
