/** In the host's OpenAPI document, routes with an `authenticate` hook require a token, unless they set `security`. */
import type { FastifyInstance, RouteOptions } from 'fastify'
import { credentials } from '../../schemas/route.js'

type Security = ReadonlyArray<Record<string, readonly string[]>>

// Not a property of the hook: Fastify binds hooks, which drops properties.
const requirements = new WeakMap<object, Security>()

interface SecurityOptions {
  /** Name of the cookie that is accepted instead of a bearer token. */
  cookie: string | undefined
  optional?: boolean
}

export function declareSecurity<Hook extends object> (
  hook: Hook,
  { cookie, optional = false }: SecurityOptions
): Hook {
  requirements.set(hook, [...credentials({ cookie }), ...(optional ? [{}] : [])])
  return hook
}

/** Once per app, and only after @fastify/swagger: a document that lacks our security scheme would fail as a whole. */
export function addSecurityToHostRoutes (app: FastifyInstance): void {
  app.addHook('onRoute', function (this: FastifyInstance, route) {
    if (this.swagger !== app.swagger || route.schema?.security) return
    const security = hooksOf(route).map(hook => requirements.get(hook)).find(known => known !== undefined)
    if (security) route.schema = { ...route.schema, security }
  })
}

const hooksOf = ({ onRequest, preParsing, preValidation, preHandler }: RouteOptions): object[] =>
  [onRequest, preParsing, preValidation, preHandler].flat().filter(hook => typeof hook === 'function')
