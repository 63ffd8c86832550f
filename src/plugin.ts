/** The table of contents: options → settings → context → features, in order. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Context, Feature } from './context.js'
import { createContext } from './create-context.js'
import type { Database } from './db/database.js'
import { refuseToStart } from './db/errors.js'
import { migrate, pendingStatements } from './db/migrate.js'
import { openDatabase } from './db/open.js'
import { createErrorHandler } from './errors/responses.js'
import { emailVerification } from './features/email-verification.js'
import { jwks } from './features/jwks.js'
import { login } from './features/login.js'
import { logout } from './features/logout.js'
import { passwordChange } from './features/password-change.js'
import { passwordResetPage } from './features/password-reset-page.js'
import { passwordReset } from './features/password-reset.js'
import { reauthenticate } from './features/reauthenticate.js'
import { registration } from './features/registration.js'
import { sessions } from './features/sessions.js'
import { socialAccounts } from './features/social-accounts.js'
import { socialLogin } from './features/social-login.js'
import { socialRedirect } from './features/social-redirect.js'
import { token } from './features/token.js'
import { user } from './features/user.js'
import { addBodyParsers } from './http/body-parsers.js'
import { addComponents, documentName } from './http/openapi-components.js'
import { addSecurityToHostRoutes } from './http/openapi-security.js'
import { addOpenapi } from './http/openapi.js'
import { prepareRouting } from './http/routing.js'
import type { HashCost } from './lib/password-hash.js'
import { createInbox, type Inbox } from './mail/inbox.js'
import { addMailViewer } from './mail/viewer.js'
import type { RestAuth } from './rest-auth.js'
import { createMailApi } from './server-api/mail.js'
import { createSocialAccountsApi } from './server-api/social-accounts.js'
import { createUsersApi } from './server-api/users.js'
import { resolveSettings } from './settings/settings.js'
import type { Settings } from './settings/types.js'
import type { User } from './types.js'
import { createBodyValidator, createValidatorCompiler } from './validation/body-validator.js'

const features: Feature[] = [
  registration, emailVerification, login, reauthenticate, logout, token, sessions, user, passwordChange,
  passwordReset, passwordResetPage, socialLogin, socialRedirect, socialAccounts, jwks
]

/** What tests replace: the time, the cost of a hash, and how long a provider is waited for. */
export interface Internals {
  clock?: () => Date
  hashCost?: HashCost
  /** Milliseconds that a provider may take for one login. */
  providerTimeoutMs?: number
}

/** The plugin, as yet without fastify-plugin around it. */
export const createPlugin = ({ clock = () => new Date(), hashCost, providerTimeoutMs }: Internals = {}) => async function restAuth (app: FastifyInstance, options: object): Promise<void> {
  refuseOtherAuthenticate(app)
  const settings = resolveSettings(options, {
    production: process.env.NODE_ENV === 'production',
    warn: message => app.log.warn(message)
  })
  const db = await openDatabase(settings.database, settings.fields, error =>
    app.log.error({ err: error }, 'idle database connection failed')
  ).catch(refuseToStart)
  app.addHook('onClose', () => db.close())
  await prepareDatabase(db, settings).catch(refuseToStart)

  const family = familyOf(app)
  const path = `${app.prefix}${settings.prefix}`
  if (!app.hasDecorator('restAuth')) app.addHook('onRequest', startAnonymous)
  if (!app.hasDecorator('restAuth') && app.hasDecorator('swagger')) addSecurityToHostRoutes(app)
  // Whoever came first has the place that is nobody's choice.
  const isTaken =
    !('docs' in options && options.docs) && app.hasRoute({ method: 'GET', url: `${app.prefix}${settings.docs}` })

  // Everything else lives in a scope of its own: the host keeps its parsers, error handler, swagger and jwt.
  await app.register(async scope => {
    const inbox = mailInbox(scope, settings)
    await addOpenapi(scope, isTaken ? { ...settings, docs: false } : settings)
    await scope.register(async child => {
      const context = await createContext(child, {
        settings,
        db,
        clock,
        hashCost,
        path,
        name: documentName(child, path),
        inbox,
        providerTimeoutMs
      })
      app.addHook('onClose', () => context.outbox.close())
      addFeatures(child, context)
      family.set(path, {
        authenticate: context.authenticate,
        claims: context.claims,
        ...createUsersApi(context),
        socialAccounts: createSocialAccountsApi(context),
        mail: createMailApi(context),
        openapi: () => ({ ...scope.swagger() }),
        migrate: () => migrate(db, settings.fields),
        under: prefix => family.get(prefix)
      })
    }, { prefix: settings.prefix })
  })

  const own = family.get(path)
  // Of two on one instance the first gives its name; a scope within has its own.
  if (Object.hasOwn(app, 'restAuth') || !own) return
  families.set(own, family)
  app.decorate('restAuth', own)
  app.decorate('authenticate', own.authenticate)
}

const inboxes = new WeakMap<FastifyInstance['server'], Inbox>()

/** In development the last mails are shown beside the documentation; of several registrations the first shows all. */
function mailInbox (app: FastifyInstance, { mailViewer }: Settings): Inbox | undefined {
  if (mailViewer === false) return undefined
  const inbox = inboxes.get(app.server) ?? createInbox()
  inboxes.set(app.server, inbox)
  if (!app.hasRoute({ method: 'GET', url: `${app.prefix}${mailViewer}` })) addMailViewer(app, mailViewer, inbox)
  return inbox
}

/** Fastify's own refusal does not say what to do. */
function refuseOtherAuthenticate (app: FastifyInstance): void {
  if (!Object.hasOwn(app, 'authenticate') || app.hasDecorator('restAuth')) return
  throw new Error(
    'fastify-rest-auth: the app has an authenticate of its own; register the plugin in a scope: app.register(async scope => { await scope.register(restAuth, auth) })'
  )
}

/** A decorator of ours would stop an @fastify/jwt or passport that the host registers after us. */
function startAnonymous (request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  // Typed as if there were always one: behind `authenticate` there is.
  request.user ??= null as unknown as User
  done()
}

function familyOf (app: FastifyInstance): Map<string, RestAuth> {
  const earlier = app.hasDecorator('restAuth') ? families.get(app.restAuth) : undefined
  return earlier ?? new Map<string, RestAuth>()
}

/** The registrations that share an app, by the first of them: the one that `app.restAuth` is. */
const families = new WeakMap<RestAuth, Map<string, RestAuth>>()

function addFeatures (app: FastifyInstance, context: Context): void {
  const { contract, tokenTransport, settings: { errors } } = context
  const routing = prepareRouting(app, errors, tokenTransport)
  addBodyParsers(app)
  addComponents(app, contract.components)
  app.setErrorHandler(createErrorHandler(errors))
  app.setValidatorCompiler(createValidatorCompiler(createBodyValidator()))
  // The host's, where it has one, would serialise past our schemas.
  app.setReplySerializer(undefined as never)
  for (const feature of features) feature(routing.app.withTypeProvider<TypeBoxTypeProvider>(), context)
  routing.finish()
}

async function prepareDatabase (db: Database, { migrate: wanted, fields }: Settings): Promise<void> {
  if (wanted) {
    await migrate(db, fields)
    return
  }
  const pending = await pendingStatements(db, db, fields)
  if (pending.length > 0) {
    throw new Error(
      `fastify-rest-auth: database: ${pending.length} statements behind; run: npx fastify-rest-auth migrate, or set migrate: true`
    )
  }
}
