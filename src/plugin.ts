/** The table of contents: options → settings → context → features, in order. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { createContract } from '../schemas/index.js'
import { createAccessTokens } from './access-tokens.js'
import { createAccounts } from './accounts.js'
import { createAuthenticate } from './authenticate.js'
import { addBodyParsers } from './bodies.js'
import type { Context, Feature } from './context.js'
import { migrate, pendingStatements } from './db/migrate.js'
import { openDatabase } from './db/open.js'
import { refuseToStart, type Database } from './db/database.js'
import { createErrorHandler } from './errors.js'
import { login } from './features/login.js'
import { logout } from './features/logout.js'
import { passwordChange } from './features/password-change.js'
import { registration } from './features/registration.js'
import { user } from './features/user.js'
import type { HashCost } from './lib/password-hash.js'
import { addComponents, addOpenapi, documentName } from './openapi.js'
import { createPasswords } from './passwords.js'
import { prepareRouting } from './routing.js'
import { createSessions } from './sessions.js'
import { resolveSettings, type Settings } from './settings.js'
import type { RestAuth, User } from './types.js'
import { createUsers } from './users.js'
import { createBodyValidator, createValidatorCompiler } from './validation.js'

const features: Feature[] = [registration, login, logout, user, passwordChange]

/** What tests replace: the time, and the cost of a hash. */
export interface Internals {
  clock?: () => Date
  hashCost?: HashCost
}

/** The plugin, as yet without fastify-plugin around it. */
export const createPlugin = ({ clock = () => new Date(), hashCost }: Internals = {}) => async function restAuth (app: FastifyInstance, options: object): Promise<void> {
  refuseOtherAuthenticate(app)
  const settings = resolveSettings(options, {
    production: process.env.NODE_ENV === 'production',
    warn: message => app.log.warn(message)
  })
  const db = await openDatabase(settings.database, settings.fields, error => app.log.error({ err: error }, 'idle database connection failed')).catch(refuseToStart)
  app.addHook('onClose', () => db.close())
  await prepareDatabase(db, settings).catch(refuseToStart)

  const family = familyOf(app)
  const path = `${app.prefix}${settings.prefix}`
  if (!app.hasDecorator('restAuth')) app.addHook('onRequest', startAnonymous)
  // Whoever came first has the place that is nobody's choice.
  const isTaken = !('docs' in options && options.docs) && app.hasRoute({ method: 'GET', url: `${app.prefix}${settings.docs}` })

  // Everything else lives in a scope of its own: the host keeps its parsers, error handler, swagger and jwt.
  await app.register(async scope => {
    await addOpenapi(scope, isTaken ? { ...settings, docs: false } : settings)
    await scope.register(async child => {
      const context = await createContext(child, { settings, db, clock, hashCost, path, name: documentName(child, path) })
      addFeatures(child, context)
      family.set(path, {
        authenticate: context.authenticate,
        ...createUsers(context),
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

/** Fastify's own refusal does not say what to do. */
function refuseOtherAuthenticate (app: FastifyInstance): void {
  if (!Object.hasOwn(app, 'authenticate') || app.hasDecorator('restAuth')) return
  throw new Error('fastify-rest-auth: the app has an authenticate of its own; register the plugin in a scope: app.register(async scope => { await scope.register(restAuth, auth) })')
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

interface Ingredients {
  settings: Settings
  db: Database
  clock: () => Date
  hashCost: HashCost | undefined
  path: string
  name: string
}

async function createContext (app: FastifyInstance, { settings, db, clock, hashCost, path, name }: Ingredients): Promise<Context> {
  const issuer = settings.publicUrl ?? 'http://localhost'
  const accounts = createAccounts(settings)
  const accessTokens = await createAccessTokens(app, { secrets: settings.secrets, issuer, audience: `${issuer}${path}` })
  return {
    settings,
    contract: createContract({ ...settings.account, fields: settings.fields, errors: settings.errors, requireOldPassword: settings.password.requireOld, name }),
    db,
    clock,
    accounts,
    passwords: createPasswords(settings.password, hashCost ?? settings.password.hash),
    sessions: createSessions(accessTokens, settings.tokens, clock),
    accessTokens,
    authenticate: createAuthenticate({ db, clock, accessTokens, accounts })
  }
}

function addFeatures (app: FastifyInstance, context: Context): void {
  const { contract, settings: { errors } } = context
  const routing = prepareRouting(app, errors)
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
  if (pending.length > 0) throw new Error(`fastify-rest-auth: database: ${pending.length} statements behind; run: npx fastify-rest-auth migrate, or set migrate: true`)
}
