/** What all routes share: security headers, trailing-slash twins, 404 for unknown paths, and 405 with `Allow`. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { failure } from '../errors/failure.js'
import { refuseOption } from '../lib/refuse-option.js'
import { addMethodNotAllowed, addTrailingSlashTwin, type ErrorShape } from './derived-routes.js'
import { createDocumentSchema, type DocumentSchema } from './documented-schemas.js'
import { maskLoggedUrls } from './logged-urls.js'
import type { SerialiserSchemas } from './serialiser-schemas.js'

const securityHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer'
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set on the routes that are derived from another: its trailing-slash twin, and the 405 and OPTIONS responses. */
    isDerivedRoute?: boolean
    /** For routes that need no CSRF check: a secret in the URL proves intent, or the route checks the origin itself. */
    skipCsrf?: boolean
  }
}

interface RoutingOptions {
  errors: ErrorShape
  serialiserSchemas: SerialiserSchemas
  vary: string
  checkCsrf: (request: FastifyRequest) => void
  clearOtherScopes: (request: FastifyRequest, reply: FastifyReply, count: 2) => void
}

export interface Routing {
  app: FastifyInstance
  /** Call this after the last route: adds the derived routes. */
  finish: () => void
}

/** Call this before you add routes. */
export function prepareRouting (app: FastifyInstance, options: RoutingOptions): Routing {
  const { errors, serialiserSchemas } = options
  const routes: RouteOptions[] = []
  refuseShortParameters(app)
  maskLoggedUrls(app)
  addRequestChecks(app, options)
  const documentSchemas = serialiseSuccessOnly(app, serialiserSchemas)
  // This makes unknown paths below the prefix the plugin's; the hook of addRequestChecks sees them first.
  app.setNotFoundHandler(throwNotFound)

  function finish (): void {
    documentSchemas(createDocumentSchema(app))
    const { ignoreTrailingSlash } = routerOptionsOf(app)
    for (const [url, known] of groupByUrl(routes)) {
      addMethodNotAllowed(app, url, known, errors)
      if (ignoreTrailingSlash) continue
      for (const route of known) addTrailingSlashTwin(app, route, serialiserSchemas)
      addMethodNotAllowed(app, `${url}/`, known, errors)
    }
  }

  return { app: recordRoutes(app, routes), finish }
}

const routerOptionsOf = ({ initialConfig }: FastifyInstance) => ({ ...initialConfig, ...initialConfig.routerOptions })

// Of the key in a mailed link: 256 bits in base64url.
const longestParameter = 43

/** The router answers 404 for a longer parameter, so every mailed link would be dead. */
function refuseShortParameters (app: FastifyInstance): void {
  if ((routerOptionsOf(app).maxParamLength ?? longestParameter) >= longestParameter) return
  refuseOption(`Fastify's maxParamLength must be at least ${longestParameter}, or mailed links do not work`)
}

function addRequestChecks (app: FastifyInstance, { vary, checkCsrf, clearOtherScopes }: RoutingOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders).header('vary', [reply.getHeader('vary') ?? [], vary].flat().join(', '))
    clearOtherScopes(request, reply, 2)
    // Here, so that the body of a request to an unknown path is never read.
    if (request.is404) throwNotFound()
    if (!request.routeOptions.config.skipCsrf) checkCsrf(request)
  })
}

/**
 * Fastify gets only what it needs of the schemas: by those of failures, it would drop properties of what a hook of the
 * host throws. Returns a function that gives all of them to the document.
 */
function serialiseSuccessOnly (app: FastifyInstance, serialiserSchemas: SerialiserSchemas) {
  const documented: Array<(change: DocumentSchema) => void> = []
  app.addHook('onRoute', route => {
    if (route.config?.isDerivedRoute) return
    const { schema } = route
    documented.push(change => { route.schema = change(schema) })
    const { params: _params, headers: _headers, querystring: _query, ...needed } = schema ?? {}
    route.schema = { ...needed, response: serialiserSchemas(schema?.response) }
  })
  return (change: DocumentSchema) => { for (const document of documented) document(change) }
}

/**
 * The instance, except that `routes` records each route as it was declared. When `onRoute` sees a route, the host's
 * hooks (a rate limit, for example) have already extended it, and would extend its twin a second time.
 */
function recordRoutes (app: FastifyInstance, routes: RouteOptions[]): FastifyInstance {
  const route = (options: RouteOptions) => {
    routes.push(options)
    return app.route(options)
  }
  const shorthand = (method: string) => (url: string, options: object, handler: RouteOptions['handler']) =>
    route({ ...options, method, url, handler })
  return Object.assign(Object.create(app), {
    route,
    get: shorthand('GET'),
    post: shorthand('POST'),
    delete: shorthand('DELETE')
  })
}

function throwNotFound (): never {
  throw failure('not_found')
}

function groupByUrl (routes: RouteOptions[]): Map<string, RouteOptions[]> {
  const groups = new Map<string, RouteOptions[]>()
  for (const route of routes) groups.set(route.url, [...groups.get(route.url) ?? [], route])
  return groups
}
