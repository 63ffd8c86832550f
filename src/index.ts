/**
 * fastify-rest-auth: registration, login, sessions, user details and passwords for Fastify, in one plugin.
 *
 *     const auth = defineRestAuth({ … })
 *     declare module 'fastify-rest-auth' { interface Register { auth: typeof auth } }
 *     await app.register(restAuth, auth)
 */
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { CheckedOptions } from '../schemas/options.js'
import type { UserField, UserFields } from '../schemas/user-fields.js'
import { createPlugin } from './plugin.js'
import type { DefaultUserFields, DefinedOptions, RestAuthOptions } from './types.js'

/** The plugin. Registering it throws an Error that names the invalid option, if there is one. */
export const restAuth: FastifyPluginAsync<RestAuthOptions<any, any>> = fp(createPlugin(), {
  fastify: '5.x',
  name: 'fastify-rest-auth'
})
export default restAuth

/**
 * Returns the options unchanged, with the types that follow from them. They are checked when the plugin is registered.
 */
export const defineRestAuth = <
  const F extends UserFields = DefaultUserFields,
  const A extends NonNullable<CheckedOptions['account']> = {}
>(options: RestAuthOptions<F, A> & { userFields?: OnlyKnown<F> }): DefinedOptions<F, A> => options

/** TypeScript does not look for unknown keys in a value that it infers a type from. This type rejects them. */
type OnlyKnown<F extends UserFields> = {
  [Name in keyof F]: { [Key in Exclude<keyof F[Name], keyof UserField>]?: never }
}

export { Failure, Rejection } from './errors/failure.js'
export type {
  BaseUser,
  HooksOf,
  NewUser,
  OutgoingMail,
  PasswordValidator,
  Register,
  RegistrationGuard,
  RestAuthOptions,
  Tx,
  User,
  UserChanges
} from './types.js'
export { defineProvider } from './providers/provider.js'
export { providers } from './providers/built-in.js'
export type { Endpoints, Grant, IdClaims, Profile, Provider } from './providers/provider.js'
export type { ProviderTokens } from './oauth/types.js'
export type {
  AccessClaims, Authenticate, AuthenticateHook, AuthenticateOptions, RestAuth, QueuedMail, Session,
  SocialAccount
} from './rest-auth.js'
export type { UserField, UserFields } from '../schemas/user-fields.js'
export type { AnswerCode, Code, FieldCode } from '../schemas/errors.js'
