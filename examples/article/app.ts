/**
 * The final application of the article "Registration and Authentication in your Django app with dj-rest-auth": users
 * have a unique e-mail address, no username, a gender, and a phone number that only registration can set. They must
 * confirm the address before the first login; the mail has the app's own text.
 */
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyServerOptions } from 'fastify'
import restAuth, { authenticate, defineRestAuth } from 'fastify-rest-auth'

/** The social providers whose variables are set. */
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
  // In development, users log in with Swagger UI.
  urls: { login: '/docs#/Session/login' },
  site: { name: 'Example' },
  // Without a transport, mails are printed.
  mail: {
    templates: fileURLToPath(new URL('./email-templates', import.meta.url)),
    subjectPrefix: 'Example: '
  },
  // Users see their logins and changes at `GET /auth/events`.
  audit: true,
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

/** Builds the app without listening. `overrides` replace options: the tests use another database. */
export async function buildApp (overrides: object = {}, server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  await app.register(restAuth, { ...auth, ...overrides })
  app.get('/', async (_request, reply) => reply.redirect('/docs'))
  app.get('/me', { onRequest: authenticate }, async request => ({
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
