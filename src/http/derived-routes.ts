/** Routes that follow from another: its twin with a trailing slash, and the 405 and OPTIONS responses of its path. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { failure } from '../errors/failure.js'
import { sendFailure } from '../errors/responses.js'
import type { SerialiserSchemas } from './serialiser-schemas.js'

export type ErrorShape = 'problem' | 'drf'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

export function addTrailingSlashTwin (
  app: FastifyInstance,
  route: RouteOptions,
  serialiserSchemas: SerialiserSchemas
): void {
  const { params: _params, ...schema } = route.schema ?? {}
  app.route({
    ...route,
    url: `${route.url}/`,
    schema: { ...schema, response: serialiserSchemas(schema.response), hide: true },
    config: { ...route.config, isDerivedRoute: true }
  })
}

/** Adds 405 for the other methods, after authentication if the path requires it, and OPTIONS with `Allow`. */
export function addMethodNotAllowed (
  app: FastifyInstance,
  url: string,
  known: RouteOptions[],
  shape: ErrorShape
): void {
  const allowed = known.flatMap(({ method }) => method)
  // Fastify adds HEAD, unless the host has disabled that.
  const hasHead = app.hasRoute({ method: 'HEAD', url: `${app.prefix}${url}` })
  const allow = [...allowed, ...(hasHead ? ['HEAD'] : []), 'OPTIONS'].join(', ')
  const others = (hasHead ? methods : [...methods, 'HEAD']).filter(method => !allowed.includes(method))
  // A URL with a token stays out of the log for these methods, too.
  const { logSerializers, onRequest = [] } = known[0] ?? {}
  const derived = {
    url,
    schema: { hide: true },
    config: { isDerivedRoute: true },
    ...(logSerializers && { logSerializers }),
    handler: () => {}
  }
  // In onRequest, so that the body is never read.
  async function refuseMethod (request: FastifyRequest, reply: FastifyReply) {
    reply.header('allow', allow)
    sendFailure(reply, failure('method_not_allowed', { method: request.method }), shape)
    return await reply
  }
  app.route({ ...derived, method: others, onRequest: [onRequest, refuseMethod].flat() })
  app.route({
    ...derived,
    method: 'OPTIONS',
    onRequest: async (_request, reply) => await reply.code(204).header('allow', allow).send()
  })
}
