/** Adds what our routes need to the OpenAPI document of a host that has registered @fastify/swagger itself. */
import type { FastifyInstance } from 'fastify'
import type { Tag } from './openapi-components.js'

/** Swagger 2 has neither bearer tokens nor cookies: both are headers to it. */
const asSwagger = (schemes: Record<string, object>) =>
  Object.fromEntries(
    Object.keys(schemes).map(name => [
      name,
      { type: 'apiKey', in: 'header', name: name === 'bearer' ? 'authorization' : 'cookie' } as const
    ])
  )

function addMissing (document: { components?: { securitySchemes?: object }, tags?: Array<{ name: string }> }, schemes: Record<string, object>, tags: Tag[]): void {
  document.components = {
    ...document.components,
    securitySchemes: { ...schemes, ...document.components?.securitySchemes }
  }
  const known = new Set(document.tags?.map(({ name }) => name))
  document.tags = [...document.tags ?? [], ...tags.filter(({ name }) => !known.has(name))]
}

/**
 * The host's document fails as a whole where a route wants a security scheme that it does not have. What it can
 * be given at is a route's own transform, and a hidden route's leaves the host's transform to the others.
 */
export function addToHostDocument (app: FastifyInstance, url: string, schemes: Record<string, object>, tags: Tag[]): void {
  app.options(url, {
    schema: { hide: true },
    config: {
      swaggerTransform: ({ schema, url, ...document }) => {
        if ('openapiObject' in document) addMissing(document.openapiObject, schemes, tags)
        else {
          document.swaggerObject.securityDefinitions = {
            ...asSwagger(schemes),
            ...document.swaggerObject.securityDefinitions
          }
        }
        return { schema, url }
      }
    }
  }, (_request, reply) => reply.code(204).header('allow', 'OPTIONS').send())
}
