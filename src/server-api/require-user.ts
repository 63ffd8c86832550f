/** Hooks that exist before the plugin is registered: each request finds the registration from its route's instance. */
import type { FastifyInstance } from 'fastify'
import type { AuthenticateHook, AuthenticateOptions } from '../api-types.js'
import { deferSecurity } from '../http/openapi-security.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { RestAuth } from '../rest-auth.js'
import { checkAuthentication } from '../session/authenticate.js'
import type { RegisteredPath } from '../types.js'
import { findRegistration } from './registrations.js'

/** The options of `app.authenticate`, and which registration of the plugin a user must belong to. */
export type RequireUserOptions = AuthenticateOptions & {
  /** The path of a registration's routes, such as `/staff`. Default: the first one of the route's instance. */
  under?: RegisteredPath
}

/**
 * Returns an `onRequest` hook like `app.authenticate(options)`. You can call it before the plugin is registered. A
 * route answers 500 if neither its instance nor one around it has the registration. Throws an Error for an invalid
 * option.
 */
export function requireUser ({ under: path, ...options }: RequireUserOptions = {}): AuthenticateHook {
  if (path !== undefined && typeof path !== 'string') refuseOption('requireUser: under: must be a path')
  checkAuthentication(options)
  const hooks = new WeakMap<RestAuth, AuthenticateHook>()

  function hookOf (app: FastifyInstance): AuthenticateHook | undefined {
    const restAuth = findRegistration(app, path)
    if (!restAuth) return undefined
    const hook = hooks.get(restAuth) ?? restAuth.authenticate(options)
    hooks.set(restAuth, hook)
    return hook
  }

  return deferSecurity(async function authenticate (request) {
    const hook = hookOf(request.server)
    if (!hook) throw notRegistered(`${request.method} ${request.routeOptions.url}`, path)
    await hook(request)
  }, hookOf)
}

/**
 * An `onRequest` hook. Sets `request.user`, or returns 401 if the request has no access token of a live session. A
 * route answers 500 if neither its instance nor one around it has the plugin.
 */
export const authenticate: AuthenticateHook = requireUser()

const notRegistered = (route: string, path = '') => new Error(
  `fastify-rest-auth: ${route} requires a user, but the plugin is not registered ${path && `at ${path} `}on its ` +
  'instance nor on one around it'
)
