/** The OpenAPI document of the routes and, in development, Swagger UI to try them in. */
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { cookieSecuritySchemes, securitySchemes } from '../schemas/common.js'
import { packageVersion } from './lib/package-version.js'
import type { Settings } from './settings/types.js'

const tagsOf = ({ social }: Settings) => [
  { name: 'Account', description: 'How a user comes to be.' },
  { name: 'Session', description: 'Logging in and out, and what lies between.' },
  { name: 'User', description: 'The user who is logged in.' },
  ...(social.length > 0 ? [{ name: 'Social', description: 'Logging in with an account elsewhere.' }] : []),
  { name: 'Password', description: 'How the password changes.' }
]

type Tag = ReturnType<typeof tagsOf>[number]

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
        description: 'Registration, login, user details and passwords, by fastify-rest-auth. Every failure carries a stable `code`.',
        version: packageVersion,
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: publicUrl ?? '/' }],
      tags,
      components: { securitySchemes: schemes }
    },
    transformObject: document => 'openapiObject' in document ? withOptionalBodies(document.openapiObject) : document.swaggerObject,
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `def-${index}`) }
  })
  if (docs === false) return
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  await app.register(swaggerUi, {
    routePrefix: docs,
    // Without the bar on top: it offers to load other documents, and its logo needs an inline style.
    uiConfig: { layout: 'BaseLayout', persistAuthorization: true, tryItOutEnabled: true, displayRequestDuration: true, defaultModelsExpandDepth: 0 },
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
  return { ...document, ...(path && { servers: [{ url: path }] }), info: { ...document.info, description: `${document.info.description}\n\n${hint}` } }
}

/**
 * The host's document fails as a whole where a route wants a security scheme that it does not have. What it can
 * be given at is a route's own transform, and a hidden route's leaves the host's transform to the others.
 */
function addToHostDocument (app: FastifyInstance, url: string, schemes: Record<string, object>, tags: Tag[]): void {
  app.options(url, {
    schema: { hide: true },
    config: {
      swaggerTransform: ({ schema, url, ...document }) => {
        if ('openapiObject' in document) addMissing(document.openapiObject, schemes, tags)
        else document.swaggerObject.securityDefinitions = { ...asSwagger(schemes), ...document.swaggerObject.securityDefinitions }
        return { schema, url }
      }
    }
  }, (_request, reply) => reply.code(204).header('allow', 'OPTIONS').send())
}

/** Swagger 2 has neither bearer tokens nor cookies: both are headers to it. */
const asSwagger = (schemes: Record<string, object>) =>
  Object.fromEntries(Object.keys(schemes).map(name => [name, { type: 'apiKey', in: 'header', name: name === 'bearer' ? 'authorization' : 'cookie' } as const]))

function addMissing (document: { components?: { securitySchemes?: object }, tags?: { name: string }[] }, schemes: Record<string, object>, tags: Tag[]): void {
  document.components = { ...document.components, securitySchemes: { ...schemes, ...document.components?.securitySchemes } }
  const known = new Set(document.tags?.map(({ name }) => name))
  document.tags = [...document.tags ?? [], ...tags.filter(({ name }) => !known.has(name))]
}

const named = new WeakSet<object>()

/** What stands before our names in the document: nothing, unless another registration or the host has them already. */
export function documentName (app: FastifyInstance, path: string): string {
  const taken = named.has(app.swagger) || app.getSchema('AuthUser') !== undefined
  named.add(app.swagger)
  return taken ? camelCase(path) : ''
}

const camelCase = (path: string) => path.slice(1).replace(/[^A-Za-z0-9]+(.)?/g, (_all, next: string = '') => next.toUpperCase())

const own = new WeakSet<object>()

/** Keeps the schemas that the host adds, before or after, out of a scope of ours: their names may be the same. */
function isolateSchemas (app: FastifyInstance): void {
  app.setSchemaController({
    bucket: () => {
      const schemas: Record<string, unknown> = {}
      return {
        add (schema) {
          const { $id } = schema as { $id: string }
          if (own.has(schema as object)) schemas[$id] = structuredClone(schema)
          return app
        },
        getSchema: id => schemas[id],
        getSchemas: () => ({ ...schemas })
      }
    }
  })
}

/** Adds what the routes refer to. Call before compilers are set: they would be forgotten. */
export function addComponents (app: FastifyInstance, components: readonly object[]): void {
  isolateSchemas(app)
  for (const component of components) {
    own.add(component)
    app.addSchema(component)
  }
}
