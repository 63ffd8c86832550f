/** The OpenAPI document of the routes and, in development, Swagger UI to try them in. */
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { cookieSecuritySchemes, securitySchemes } from '../../schemas/common.js'
import { packageVersion } from '../lib/package-version.js'
import type { Settings } from '../settings/types.js'
import { isolateSchemas, tagsOf } from './openapi-components.js'
import { addToHostDocument } from './openapi-host.js'

/** Brings @fastify/swagger for our routes alone, unless the host's own sees them. Call before the routes. */
export async function addOpenapi (app: FastifyInstance, settings: Settings): Promise<void> {
  const { prefix, publicUrl, docs, cookies } = settings
  const tags = tagsOf(settings)
  const schemes = cookies ? cookieSecuritySchemes(cookies.access) : securitySchemes
  if (app.hasDecorator('swagger')) {
    addToHostDocument(app, prefix, schemes, tags)
    return
  }
  isolateSchemas(app)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Authentication',
        description:
          'Registration, login, user details and passwords, by fastify-rest-auth. Every failure carries a stable `code`.',
        version: packageVersion,
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
  if (docs === false) return
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  await app.register(swaggerUi, {
    routePrefix: docs,
    // Without the bar on top: it offers to load other documents, and its logo needs an inline style.
    uiConfig: {
      layout: 'BaseLayout',
      persistAuthorization: true,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0
    },
    staticCSP: true,
    // Its default makes every request https, which breaks the page where there is none, and lets images come from elsewhere.
    transformStaticCSP: csp => csp.replace(' upgrade-insecure-requests;', '').replace(' validator.swagger.io', ''),
    transformSpecification: document => forTrying(document, cookies ? hints.cookies : hints.header, publicUrl)
  })
}

/** @fastify/swagger calls every body required; one without required fields may be left out. */
function withOptionalBodies<Document extends { paths?: Record<string, any> }> (document: Document): Document {
  for (const operation of Object.values(document.paths ?? {}).flatMap(path => Object.values<any>(path))) {
    const body = operation.requestBody
    if (body && !body.content['application/json'].schema.required) body.required = false
  }
  return document
}

const hints = {
  header: 'To try it: register or log in, press **Authorize**, and paste the `access` token of the answer.',
  cookies: 'To try it: register or log in; the browser keeps the cookies.'
}

/** Execute calls the server that the page is from, whatever publicUrl is: another would be another origin. */
function forTrying ({ servers, ...document }: Record<string, any>, hint: string, publicUrl = '') {
  const path = publicUrl.replace(/^https?:\/\/[^/]+/, '')
  return {
    ...document,
    ...(path && { servers: [{ url: path }] }),
    info: { ...document.info, description: `${document.info.description}\n\n${hint}` }
  }
}
