/**
 * What every route of ours has in common: the headers of its answers, the twin with a trailing slash, and
 * 405 with `Allow` for the methods a path does not know.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { failure } from '../errors/failure.js'
import { sendFailure } from '../errors/responses.js'

const headers = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer'
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route that stands for others: a twin, a refusal. */
    isTrailingSlashTwin?: boolean
    /** A route that sees to forgeries itself: its address is a secret, or it asks where the request comes from. */
    skipCsrf?: boolean
  }
}

/** What the way that tokens travel asks of every request. */
interface RequestChecks {
  /** The headers that decide an answer. */
  vary: string
  /** Throws where a page of another site may have sent the request. */
  checkCsrf: (request: FastifyRequest) => void
}

export interface Routing {
  /** What the routes are to be added to. */
  app: FastifyInstance
  /** To be called when they are. */
  finish: () => void
}

/** To be called before the routes are added. */
export function prepareRouting (app: FastifyInstance, shape: 'problem' | 'drf', { vary, checkCsrf }: RequestChecks): Routing {
  const routes: RouteOptions[] = []
  const restored: Array<() => void> = []
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers).header('vary', [reply.getHeader('vary') ?? [], vary].flat().join(', '))
    // Before the body is read: a path that nobody has wants none.
    if (request.is404) refuseUnknown()
    if (!request.routeOptions.config.skipCsrf) checkCsrf(request)
  })
  app.addHook('onRoute', route => {
    if (route.config?.isTrailingSlashTwin) return
    const { schema } = route
    restored.push(() => { Object.assign(route, { schema }) })
    route.schema = { ...schema, response: successResponses(schema?.response) }
  })
  // It is what makes unknown paths below the prefix ours; the hook above has the first word.
  app.setNotFoundHandler(refuseUnknown)

  const finish = () => {
    for (const restore of restored) restore()
    const { ignoreTrailingSlash } = { ...app.initialConfig, ...app.initialConfig.routerOptions }
    for (const [url, known] of groupByUrl(routes)) {
      addMethodNotAllowed(app, url, known, shape)
      if (ignoreTrailingSlash) continue
      for (const route of known) {
        app.route({
          ...route,
          url: `${url}/`,
          schema: { ...route.schema, response: successResponses(route.schema?.response), hide: true },
          config: { ...route.config, isTrailingSlashTwin: true }
        })
      }
      addMethodNotAllowed(app, `${url}/`, known, shape)
    }
  }
  return { app: recordRoutes(app, routes), finish }
}

/**
 * The instance, but what is added to it is noted as it was declared: by the time `onRoute` sees a route, the host's
 * own hooks have added to it (a rate limit, say), and would again to its twin.
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

function refuseUnknown (): never {
  throw failure('not_found')
}

/** Declared failures are for documents: by their schemas Fastify would garble what a hook of the host refuses with. */
const successResponses = (response: unknown = {}) =>
  Object.fromEntries(Object.entries(response as object).filter(([status]) => status.startsWith('2')))

function groupByUrl (routes: RouteOptions[]): Map<string, RouteOptions[]> {
  const paths = new Map<string, RouteOptions[]>()
  for (const route of routes) {
    paths.set(route.url, [...paths.get(route.url) ?? [], route])
  }
  return paths
}

/** 405 for the other methods, after authentication where the path asks for it; OPTIONS tells what there is. */
function addMethodNotAllowed (app: FastifyInstance, url: string, known: RouteOptions[], shape: 'problem' | 'drf') {
  const allowed = known.flatMap(({ method }) => method)
  // Fastify adds HEAD, unless the host told it not to.
  const hasHead = app.hasRoute({ method: 'HEAD', url: `${app.prefix}${url}` })
  const allow = [...allowed, ...(hasHead ? ['HEAD'] : []), 'OPTIONS'].join(', ')
  const others = hasHead ? methods : [...methods, 'HEAD']
  // Whatever the method, an address that holds a secret stays out of the log.
  const { logSerializers } = known[0] ?? {}
  const common = {
    url,
    schema: { hide: true },
    config: { isTrailingSlashTwin: true },
    ...(logSerializers && { logSerializers })
  }
  app.route({
    ...common,
    method: others.filter(method => !allowed.includes(method)),
    // Before any body is read: what is wrong with it does not matter.
    onRequest: [known[0]?.onRequest ?? [], async (request: FastifyRequest, reply: FastifyReply) => {
      reply.header('allow', allow)
      sendFailure(reply, failure('method_not_allowed', { method: request.method }), shape)
      return await reply
    }].flat(),
    handler: () => {}
  })
  app.route({
    ...common,
    method: 'OPTIONS',
    onRequest: async (_request, reply) => await reply.code(204).header('allow', allow).send(),
    handler: () => {}
  })
}
