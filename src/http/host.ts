/** What the plugin expects of the host app, and adds to its own routes. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { User } from '../types.js'
import { addSecurityToHostRoutes } from './openapi-security.js'

/** Fastify would refuse a second decorator too, but without saying what to do. */
export function refuseOtherAuthenticate (app: FastifyInstance): void {
  if (!Object.hasOwn(app, 'authenticate') || app.hasDecorator('restAuth')) return
  throw new Error(
    'fastify-rest-auth: the app has another authenticate decorator; register the plugin in a scope: ' +
    'app.register(async scope => { await scope.register(restAuth, auth) })'
  )
}

/** What the first registration adds to the host's own routes. */
export function prepareHost (app: FastifyInstance): void {
  if (app.hasDecorator('restAuth')) return
  app.addHook('onRequest', startAnonymous)
  if (app.hasDecorator('swagger')) addSecurityToHostRoutes(app)
}

/** Sets `request.user` by a hook, because a decorator would conflict with an @fastify/jwt or passport of the host. */
function startAnonymous (request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  // Its type has no null, because there is always a user behind `authenticate`.
  request.user ??= null as unknown as User
  done()
}
