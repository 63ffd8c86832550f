/**
 * The smallest app: no options, for development.
 *
 *   npx tsx --conditions=fastify-rest-auth:source examples/minimal/app.ts     in a clone
 *   npx tsx app.ts     in a copy of this folder, see ../README.md
 */
import { pathToFileURL } from 'node:url'
import Fastify from 'fastify'
import restAuth, { authenticate } from 'fastify-rest-auth'

export async function buildApp (options: object = {}) {
  const app = Fastify()
  await app.register(restAuth, options)
  app.get('/me', { onRequest: authenticate }, async request => ({ hello: request.user.email }))
  return app
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await (await buildApp()).listen({ port: 3000 })
  console.log('Swagger UI: http://localhost:3000/docs')
}
