/**
 * The lock in the host's own OpenAPI document: a route whose hook is `authenticate`, of any kind, asks for an access
 * token there, too, unless its schema says otherwise.
 */
import type { FastifyInstance, RouteOptions } from 'fastify'
import { credentials } from '../../schemas/route.js'

type Security = ReadonlyArray<Record<string, readonly string[]>>

// Beside the hook, not on it: Fastify binds what it is given.
const requirements = new WeakMap<object, Security>()

/** Says of a hook what it asks for; `cookie` names one that will do, too; `optional`: a token that is sent is used. */
export function declareSecurity<Hook extends object> (hook: Hook, { cookie, optional = false }: { cookie: string | undefined, optional?: boolean }): Hook {
  requirements.set(hook, [...credentials({ cookie }), ...(optional ? [{}] : [])])
  return hook
}

/** Call once an app, where @fastify/swagger has come first: a document that does not know our scheme would fail as a whole. */
export function addSecurityToHostRoutes (app: FastifyInstance): void {
  app.addHook('onRoute', function (this: FastifyInstance, route) {
    if (this.swagger !== app.swagger || route.schema?.security) return
    const security = hooksOf(route).map(hook => requirements.get(hook)).find(known => known !== undefined)
    if (security) route.schema = { ...route.schema, security }
  })
}

const hooksOf = ({ onRequest, preParsing, preValidation, preHandler }: RouteOptions): object[] =>
  [onRequest, preParsing, preValidation, preHandler].flat().filter(hook => typeof hook === 'function')
