/** An app for AWS Lambda, on PostgreSQL: handler.ts starts it. */
import { awsLambdaFastify } from '@fastify/aws-lambda'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import restAuth, { authenticate, defineRestAuth } from 'fastify-rest-auth'

// Before you deploy: npx fastify-rest-auth migrate --options ./app.ts
export const auth = defineRestAuth({
  secret: process.env.AUTH_SECRET,
  publicUrl: process.env.PUBLIC_URL,
  database: process.env.DATABASE_URL ?? 'auth.sqlite',
  mail: { transport: process.env.SMTP_URL ?? 'console' }
})

/** `overrides` replace options: the tests use another database. */
export async function buildApp (overrides: object = {}, server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  await app.register(restAuth, { ...auth, ...overrides })
  app.get('/me', { onRequest: authenticate }, async request => ({ hello: request.user.email }))
  return app
}

/** The handler waits for the mails of its request, because nothing runs once it has returned. */
export function createHandler (app: FastifyInstance) {
  const proxy = awsLambdaFastify<object>(app)
  return async function handler (event: object, context: object) {
    const answer = await proxy(event, context)
    // The answer stands without them: mails that are still queued go out with a later call.
    await app.restAuth.mail.flush().catch(error => app.log.error(error))
    return answer
  }
}
