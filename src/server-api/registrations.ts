/** The registrations of the plugin in one app, and the decorators of the first of them. */
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.js'
import { migrate } from '../db/migrate.js'
import { Failure } from '../errors/failure.js'
import { logServerError, sendFailure } from '../errors/responses.js'
import type { RestAuth } from '../rest-auth.js'
import { createEventsApi } from './events.js'
import { createMailApi } from './mail.js'
import { createPasswordsApi } from './passwords.js'
import { createSessionsApi } from './sessions.js'
import { createSocialAccountsApi } from './social-accounts.js'
import { createUsersApi } from './users.js'

/** By the path of their routes, including the host's prefix. */
export type Registrations = Map<string, RestAuth>

// By the registration that `app.restAuth` is.
const known = new WeakMap<RestAuth, Registrations>()

/** The registrations that this app has already, to which the caller adds its own. */
export function registrationsOf (app: FastifyInstance): Registrations {
  const earlier = app.hasDecorator('restAuth') ? known.get(app.restAuth) : undefined
  return earlier ?? new Map<string, RestAuth>()
}

/** The server API of one registration; `scope` is the one that its OpenAPI document describes. */
export const createRestAuth = (scope: FastifyInstance, context: Context, registrations: Registrations): RestAuth => ({
  authenticate: context.authenticate,
  claims: context.claims,
  users: createUsersApi(context),
  passwords: createPasswordsApi(context),
  sessions: createSessionsApi(context),
  events: createEventsApi(context),
  socialAccounts: createSocialAccountsApi(context),
  mail: createMailApi(context),
  sendFailure: (reply, failure) => {
    if (!(failure instanceof Failure)) throw failure
    logServerError(reply.request, failure, failure)
    sendFailure(reply, failure, context.settings.errors)
  },
  openapi: () => ({ ...scope.swagger() }),
  sweep: context.sweeper.sweep,
  migrate: () => migrate(context.db, context.settings.fields, context.settings.account.pk),
  under: path => {
    const found = registrations.get(withoutFinalSlash(path))
    // Its types are those that the app declares for it.
    if (found) return found as never
    const paths = [...registrations.keys()].join(', ')
    throw new Error(`fastify-rest-auth: under: no registration has the path "${path}"; there is ${paths}`)
  }
})

/** The registration that `app` or an app around it has: the first one, or the one with this path. */
export function findRegistration (app: FastifyInstance, path: string | undefined): RestAuth | undefined {
  if (!app.hasDecorator('restAuth')) return undefined
  return path === undefined ? app.restAuth : known.get(app.restAuth)?.get(withoutFinalSlash(path))
}

const withoutFinalSlash = (path: string): string => path.replace(/\/$/, '')

/** Decorates the app, unless an earlier registration did. A scope inside the app gets its own decorators. */
export function decorate (app: FastifyInstance, registrations: Registrations, restAuth: RestAuth | undefined): void {
  if (Object.hasOwn(app, 'restAuth') || !restAuth) return
  known.set(restAuth, registrations)
  app.decorate('restAuth', restAuth)
  app.decorate('authenticate', restAuth.authenticate)
}
