/** The OpenAPI document of the routes and, in development, Swagger UI to try them in. */
import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { securitySchemes } from '../../schemas/common.js'
import { packageVersion } from '../lib/package-version.js'
import { authenticatingCookie } from '../settings/cookies.js'
import type { Settings } from '../settings/types.js'
import { isolateSchemas, tagsOf } from './openapi-components.js'
import { addToHostDocument, surviveHostTransform } from './openapi-host.js'

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

async function addSwaggerUi (app: FastifyInstance, settings: Settings, docs: string): Promise<void> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  await app.register(swaggerUi, {
    routePrefix: docs,
    // Relative to the page, because a proxy may strip a path and the app may register us below one.
    indexPrefix: docs.replace(/^\/[^/]+/, '.').replace(/\/[^/]+/g, '/..').replace(/^\.\//, ''),
    uiHooks: { onRequest: createRedirects(docs) },
    // Omits the top bar, which offers to load other documents, and whose logo needs an inline style.
    uiConfig: {
      layout: 'BaseLayout',
      persistAuthorization: true,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0
    },
    staticCSP: true,
    // The default upgrades every request to https, which breaks the page on plain http, and allows foreign images.
    transformStaticCSP: csp => csp.replace(' upgrade-insecure-requests;', '').replace(' validator.swagger.io', ''),
    transformSpecification: document => forTrying(document, hintFor(settings), settings.publicUrl)
  })
}

/** Swagger UI takes `/docs/?…` for a page without a trailing slash, and sends `/docs/static/index.html` to the root. */
const createRedirects = (docs: string) => async function redirect ({ url }: FastifyRequest, reply: FastifyReply) {
  const [path = '', query] = url.split('?')
  if (path.endsWith(`${docs}/static/index.html`)) return await reply.redirect('../')
  if (query !== undefined && path.replace(/\/$/, '').endsWith(docs)) {
    return await reply.redirect(path.endsWith('/') ? './' : path.slice(path.lastIndexOf('/') + 1))
  }
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

const hintFor = ({ cookies, tokens: { format } }: Settings) => authenticatingCookie(cookies) !== undefined
  ? 'To try it out, register or log in; the browser keeps the cookies.'
  : 'To try it out, register or log in, press **Authorize** and paste the ' +
    `${format === 'opaque' ? '`key`' : '`access` token'} from the response.`

/** “Execute” must call the server of this page: `publicUrl` may be another origin, so only its path is kept. */
function forTrying ({ servers, ...document }: Record<string, any>, hint: string, publicUrl = '') {
  const path = publicUrl.replace(/^https?:\/\/[^/]+/, '')
  return {
    ...document,
    ...(path && { servers: [{ url: path }] }),
    info: { ...document.info, description: `${document.info.description}\n\n${hint}` }
  }
}
