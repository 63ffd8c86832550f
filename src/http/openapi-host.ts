/** Adds what our routes need to the OpenAPI document of a host that has registered @fastify/swagger itself. */
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Tag } from './openapi-components.js'

/** Swagger 2 knows neither bearer tokens nor cookies, so both become headers. */
const asSwagger = (schemes: Schemes) =>
  Object.fromEntries(
    Object.keys(schemes).map(name => [
      name,
      { type: 'apiKey', in: 'header', name: name === 'bearer' ? 'authorization' : 'cookie' } as const
    ])
  )

interface HostDocument { components?: { securitySchemes?: object }, tags?: Array<{ name: string }> }
type Schemes = Record<string, object>

function addMissing (document: HostDocument, schemes: Schemes, tags: Tag[]): void {
  document.components = {
    ...document.components,
    securitySchemes: { ...schemes, ...document.components?.securitySchemes }
  }
  const known = new Set(document.tags?.map(({ name }) => name))
  document.tags = [...document.tags ?? [], ...tags.filter(({ name }) => !known.has(name))]
}

/**
 * The host's `transform` may be there to convert schemas of another library, and throw at ours, which are JSON Schema.
 * Then it is not called for our routes. Only a trial shows: nothing but @fastify/swagger knows the function.
 */
export function surviveHostTransform (app: FastifyInstance): void {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', route => { routes.push(route) })
  app.addHook('onReady', async () => {
    try {
      app.swagger()
    } catch {
      for (const route of routes) route.config = { swaggerTransform: false, ...route.config }
    }
  })
}

/** The host's document fails if a scheme is missing; only a route's transform can add one, so a hidden route does. */
export function addToHostDocument (app: FastifyInstance, url: string, schemes: Schemes, tags: Tag[]): void {
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
