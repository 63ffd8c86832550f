/** An app to bundle: see build.ts. */
import Fastify from 'fastify'
import restAuth, { authenticate } from 'fastify-rest-auth'

const app = Fastify({ logger: true })
await app.register(restAuth, { database: process.env.DATABASE_URL ?? 'auth.sqlite' })
app.get('/me', { onRequest: authenticate }, async request => ({ hello: request.user.email }))
await app.listen({ port: Number(process.env.PORT ?? 3000) })
