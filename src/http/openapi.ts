/** The OpenAPI document of the routes and, in development, Swagger UI to try them in. */
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { securitySchemes } from '../../schemas/common.js'
import { packageVersion } from '../lib/package-version.js'
import { authenticatingCookie } from '../settings/cookies.js'
import type { Settings } from '../settings/types.js'
import { isolateSchemas, tagsOf } from './openapi-components.js'
import { addToHostDocument, surviveHostTransform } from './openapi-host.js'
import { addSwaggerUi } from './swagger-ui.js'

/** Registers @fastify/swagger for our routes alone, unless the host registered it. Call this before adding routes. */
export async function addOpenapi (app: FastifyInstance, settings: Settings): Promise<void> {
  const { prefix, publicUrl, docs, cookies, errors } = settings
  const tags = tagsOf(settings)
  const schemes = securitySchemes({ cookie: authenticatingCookie(cookies), format: settings.tokens.format })
  if (app.hasDecorator('swagger')) {
    surviveHostTransform(app)
    addToHostDocument(app, prefix, schemes, tags)
    return
  }
  isolateSchemas(app)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Authentication',
        description: 'Registration, login, user details and passwords, provided by fastify-rest-auth.' +
          (errors === 'problem' ? ' Every error response carries a stable `code`.' : ''),
        version: packageVersion(),
        ...contactOf(settings),
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: publicUrl ?? '/' }],
      tags,
      components: { securitySchemes: schemes }
    },
    transformObject: document =>
      'openapiObject' in document ? withOptionalBodies(document.openapiObject) : document.swaggerObject,
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `def-${index}`) }
  })
  if (docs !== false) await addSwaggerUi(app, settings, docs)
}

/** The app itself: who uses the API asks those who run it. In development, no option may name it. */
function contactOf ({ site, publicUrl }: Settings) {
  const name = site.name ?? (publicUrl && new URL(publicUrl).host)
  return name !== undefined && { contact: { name, ...(publicUrl && { url: publicUrl }) } }
}

/** @fastify/swagger declares every body as required, but one without required fields may be omitted. */
function withOptionalBodies<Document extends { paths?: Record<string, any>, components?: Record<string, any> }> (
  document: Document
): Document {
  for (const operation of Object.values(document.paths ?? {}).flatMap(path => Object.values<any>(path))) {
    const body = operation.requestBody
    const name = body?.content['application/json'].schema.$ref.split('/').at(-1)
    if (body && !document.components?.schemas[name].required) body.required = false
  }
  return document
}
