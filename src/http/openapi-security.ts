/** In the host's OpenAPI document, routes with an `authenticate` hook require a token, unless they set `security`. */
import type { FastifyInstance, RouteOptions } from 'fastify'
import { credentials } from '../../schemas/route.js'

type Security = ReadonlyArray<Record<string, readonly string[]>>

/** What a hook requires on a route of `app`; undefined if that is not known yet. */
type Requirement = (app: FastifyInstance) => Security | undefined

// Not a property of the hook: Fastify binds hooks, which drops properties.
const requirements = new WeakMap<object, Requirement>()

interface SecurityOptions {
  /** Name of the cookie that is accepted instead of a bearer token. */
  cookie: string | undefined
  optional?: boolean
}

export function declareSecurity<Hook extends object> (
  hook: Hook,
  { cookie, optional = false }: SecurityOptions
): Hook {
  const security = [...credentials({ cookie }), ...(optional ? [{}] : [])]
  requirements.set(hook, () => security)
  return hook
}

/** For a hook that calls another one, which depends on the app. */
export function deferSecurity<Hook extends object> (
  hook: Hook,
  hookOf: (app: FastifyInstance) => object | undefined
): Hook {
  requirements.set(hook, app => securityOf(hookOf(app), app))
  return hook
}

const securityOf = (hook: object | undefined, app: FastifyInstance): Security | undefined =>
  hook && requirements.get(hook)?.(app)

/** Once per app, and only after @fastify/swagger: a document that lacks our security scheme would fail as a whole. */
export function addSecurityToHostRoutes (app: FastifyInstance): void {
  app.addHook('onRoute', function (this: FastifyInstance, route) {
    if (this.swagger !== app.swagger || route.schema?.security) return
    const security = hooksOf(route).map(hook => securityOf(hook, this)).find(known => known !== undefined)
    if (security) route.schema = { ...route.schema, security }
  })
}

const hooksOf = ({ onRequest, preParsing, preValidation, preHandler }: RouteOptions): object[] =>
  [onRequest, preParsing, preValidation, preHandler].flat().filter(hook => typeof hook === 'function')
