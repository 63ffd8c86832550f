/** The table of contents: options → settings → database → context → features. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Context, Feature } from './context.js'
import { createContext, type ContextOverrides } from './create-context.js'
import type { Database } from './db/database.js'
import { refuseToStart } from './db/errors.js'
import { openDatabase } from './db/open.js'
import { prepareDatabase } from './db/prepare.js'
import { createErrorHandler } from './errors/responses.js'
import { emailVerification } from './features/email-verification.js'
import { events } from './features/events.js'
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
import { prepareHost, refuseOtherAuthenticate } from './http/host.js'
import { addComponents, documentName } from './http/openapi-components.js'
import { addOpenapi } from './http/openapi.js'
import { prepareRouting } from './http/routing.js'
import { compileSerialiser, createSerialiserSchemas } from './http/serialiser-schemas.js'
import { callerFile } from './lib/caller-file.js'
import { addCookies } from './lib/cookies.js'
import { testKitOf } from './lib/test-kit.js'
import { addInbox } from './mail/add-inbox.js'
import { settle } from './server-api/neighbours.js'
import { createRestAuth, decorate, registrationsOf } from './server-api/registrations.js'
import { resolveSettings } from './settings/settings.js'
import type { Settings } from './settings/types.js'
import { createBodyValidator, createValidatorCompiler } from './validation/body-validator.js'

const features: Feature[] = [
  registration, emailVerification, login, reauthenticate, logout, token, sessions, events, user,
  passwordChange, passwordReset, passwordResetPage, socialLogin, socialRedirect, socialAccounts, jwks
]

/** What tests, a test kit in the options, and the command line replace. */
export interface Internals extends ContextOverrides {
  /** One more feature. */
  feature?: Feature
  /** Opens no database: enough for the OpenAPI document. */
  withoutDatabase?: boolean
}

/** The plugin, not yet wrapped by fastify-plugin. Registering it throws an Error that names an invalid option. */
export const createPlugin = (internals: Internals = {}) =>
  async function restAuth (app: FastifyInstance, options: object): Promise<void> {
    refuseOtherAuthenticate(app)
    const { withoutDatabase = false, feature, ...overrides } = { ...internals, ...testKitOf(options) }
    warnOfUnknownEnvironment(app)
    const settings = resolveSettings(options, {
      production: process.env.NODE_ENV === 'production',
      warn: message => app.log.warn(message)
    })
    const path = `${app.prefix}${settings.prefix}`
    const db = withoutDatabase
      ? (await import('./db/no-database.js')).noDatabase(settings.fields)
      : await open(app, path, settings, callerFile(options)).catch(refuseToStart)

    const registrations = registrationsOf(app)
    const docs = 'docs' in options && options.docs ? settings.docs : freeDocsPath(app, settings)
    prepareHost(app)
    // Everything else is in its own scope: the host keeps its parsers, error handler, swagger and jwt. Fastify's error
    // for a slow start shows the names of the functions.
    await app.register(async function restAuthScope (scope) {
      const inbox = addInbox(scope, settings.mailViewer)
      await addOpenapi(scope, { ...settings, docs })
      await scope.register(async function restAuthRoutes (child) {
        if (settings.cookies || settings.social.length > 0) await addCookies(child)
        const name = documentName(child, path)
        const context = await createContext(child, { settings, db, path, name, inbox, ...overrides })
        app.addHook('onClose', () => context.events.close())
        app.addHook('onClose', () => context.outbox.close())
        app.addHook('onClose', async () => context.sweeper.close())
        addFeatures(child, context, feature ? [...features, feature] : features)
        registrations.set(path, createRestAuth(scope, context, registrations))
      }, { prefix: settings.prefix })
    })
    decorate(app, registrations, registrations.get(path))
  }

/** Opens the database, which closes with the app, and brings it up to date. */
async function open (
  app: FastifyInstance, path: string, settings: Settings, optionsFile: string | undefined
): Promise<Database> {
  const { database, fields, existingTable } = settings
  const db = await openDatabase(
    database, fields, error => app.log.error({ err: error }, 'idle database connection failed'), existingTable
  )
  app.addHook('onClose', () => db.close())
  await settle(app, { path, db, settings })
  await prepareDatabase(db, settings, optionsFile)
  return db
}

/** The default path of the documentation, unless the host or an earlier registration has a route there. */
const freeDocsPath = (app: FastifyInstance, { docs }: Settings) =>
  docs !== false && app.hasRoute({ method: 'GET', url: `${app.prefix}${docs}` }) ? false : docs

/** Only `production` turns the strict checks on, so `prod` would silently leave them off. */
function warnOfUnknownEnvironment (app: FastifyInstance): void {
  const { NODE_ENV: environment = '' } = process.env
  if (['', 'development', 'test', 'production'].includes(environment)) return
  app.log.warn(`fastify-rest-auth: NODE_ENV is "${environment}", so the checks for "production" are off`)
}

function addFeatures (app: FastifyInstance, context: Context, features: Feature[]): void {
  const { contract, db, tokenTransport, settings: { errors } } = context
  const serialiserSchemas = createSerialiserSchemas(contract.components, contract.userComponent)
  const routing = prepareRouting(app, { ...tokenTransport, errors, serialiserSchemas })
  addBodyParsers(app)
  addComponents(app, contract.components)
  app.setErrorHandler(createErrorHandler(errors, request => context.sessions.endUnanswered(db, request)))
  app.setValidatorCompiler(createValidatorCompiler(createBodyValidator()))
  app.setSerializerCompiler(compileSerialiser)
  // A reply serializer of the host would bypass the schemas. Fastify's types do not allow unsetting it.
  app.setReplySerializer(undefined as never)
  for (const feature of features) feature(routing.app.withTypeProvider<TypeBoxTypeProvider>(), context)
  routing.finish()
}
