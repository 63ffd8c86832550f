/** The OpenAPI document of the routes and, in development, Swagger UI to try them in. */
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { securitySchemes } from '../schemas/common.js'
import { packageVersion } from './lib/package-version.js'
import type { Settings } from './settings.js'

/** Brings @fastify/swagger for our routes alone, unless the host's own sees them. Call before the routes. */
export async function addOpenapi (app: FastifyInstance, { publicUrl, docs }: Settings): Promise<void> {
  if (app.hasDecorator('swagger')) return
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Authentication',
        description: 'Registration, login, user details and passwords, by fastify-rest-auth. Every failure carries a stable `code`.',
        version: packageVersion,
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: publicUrl ?? '/' }],
      tags: [
        { name: 'Account', description: 'How a user comes to be.' },
        { name: 'Session', description: 'Logging in and out.' },
        { name: 'User', description: 'The user who is logged in.' },
        { name: 'Password', description: 'How the password changes.' }
      ],
      components: { securitySchemes }
    },
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `def-${index}`) }
  })
  if (docs === false) return
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  await app.register(swaggerUi, {
    routePrefix: docs,
    uiConfig: { persistAuthorization: true, tryItOutEnabled: true, displayRequestDuration: true, defaultModelsExpandDepth: 0 },
    staticCSP: true
  })
}
