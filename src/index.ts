/**
 * fastify-rest-auth: registration, login, sessions, user details and passwords for Fastify, in one plugin.
 *
 *     const auth = defineRestAuth({ … })
 *     declare module 'fastify-rest-auth' { interface Register { auth: typeof auth } }
 *     await app.register(restAuth, auth)
 */
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { UserFields } from '../schemas/user-fields.js'
import { rememberCaller } from './lib/caller-file.js'
import { createPlugin } from './plugin.js'
import type { DefinedOptions, PluginOptions, RestAuthOptions } from './settings/given-options.js'
import type { Account, DefaultUserFields } from './types.js'
import type { CheckedFields } from './user-types.js'

/** The plugin. Registering it throws an Error that names the invalid option, if there is one. */
export const restAuth: FastifyPluginAsync<PluginOptions> = fp(createPlugin(), {
  fastify: '5.x',
  name: 'fastify-rest-auth'
})
export default restAuth

/**
 * Returns the options unchanged, with the types that follow from them. They are checked when the plugin is registered.
 */
export const defineRestAuth = <
  Username extends Account['username'],
  Email extends Account['email'],
  Pk extends Account['pk'],
  const F extends UserFields = DefaultUserFields,
  const Claims extends object = {}
>(
    options: RestAuthOptions<F, { username: Username, email: Email, pk: Pk }, Claims> & {
      userFields?: CheckedFields<F, { username: Username, email: Email, pk: Pk }>
    }
  ): DefinedOptions<F, { username: Username, email: Email, pk: Pk }, Claims> => {
  rememberCaller(options, defineRestAuth)
  return options
}

export { authenticate, requireUser } from './server-api/require-user.js'
export type { RequireUserOptions } from './server-api/require-user.js'
export { Failure, Rejection } from './errors/failure.js'
export type { DefinedOptions, HooksOf, RestAuthOptions } from './settings/given-options.js'
export type {
  Account,
  AuthEvent,
  BaseUser,
  DefaultUserFields,
  ImportedUser,
  NewUser,
  OutgoingMail,
  PasswordValidator,
  Register,
  RegisteredPath,
  RegistrationGuard,
  StoredUser,
  Tx,
  User,
  UserChanges
} from './types.js'
export { defineProvider } from './providers/provider.js'
export { providers } from './providers/built-in.js'
export type { Endpoints, Grant, IdClaims, Profile, Provider } from './providers/provider.js'
export type { ProviderTokens } from './oauth/types.js'
export type {
  AccessClaims, Authenticate, AuthenticateHook, AuthenticateOptions, ImportReport, LoginAnswer, QueuedMail, Session,
  SocialAccount
} from './api-types.js'
export type { RestAuth } from './rest-auth.js'
export type { UserField, UserFields } from '../schemas/user-fields.js'
export type { AnswerCode, Code, FieldCode } from '../schemas/errors.js'
export type { EventDetails, EventType } from '../schemas/events.js'
