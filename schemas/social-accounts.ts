/**
 * The provider accounts that a user can log in with:
 *
 *   POST /:provider/connect                links one (needs recent authentication)
 *   GET  /socialaccounts                   lists them
 *   POST /socialaccounts/:id/disconnect    unlinks one, unless it is the only way to log in (needs it too)
 */
import { Type, type Static } from '@sinclair/typebox'
import { componentName, componentRef, Timestamp, type ContractShape } from './common.js'
import { unwantedBody } from './route-failures.js'
import { route } from './route.js'
import {
  connectCredentials, credentialErrors, operationOf, type ProviderShape, type SocialShape
} from './social-login.js'
import { TokensRef } from './token-pair.js'

export const SocialAccount = (shape: ContractShape) =>
  Type.Object(
    {
      id: Type.String({ description: 'ID of the connection.', examples: ['019391f2-9f0a-7c33-8d1e-6a2b9c4d5e6f'] }),
      provider: Type.String({ description: 'Name of the provider, as in the routes.', examples: ['google'] }),
      uid: Type.String({
        description: 'Permanent ID of the user at the provider.',
        examples: ['110169484474386276334']
      }),
      last_login: Timestamp('Time of the last login with this account (UTC).'),
      date_joined: Timestamp('Time when the account was connected (UTC).')
    },
    {
      $id: componentName(shape, 'AuthSocialAccount'),
      description: 'An account at a provider, which the user can log in with.'
    }
  )

const SocialAccountRef = (shape: ContractShape) =>
  Type.Unsafe<Static<ReturnType<typeof SocialAccount>>>(componentRef(shape, 'AuthSocialAccount'))

export const connectRoute = (shape: SocialShape, provider: ProviderShape) => route(shape, {
  operationId: operationOf('connect', provider),
  summary: `Connect an account at ${provider.label}`,
  description: 'Requires authentication within the last five minutes. Returns new tokens for the session; the old ' +
    'ones stop working.',
  tag: 'Social',
  limit: 'socialConnect',
  authenticated: true,
  ...connectCredentials(provider),
  answer: TokensRef(shape),
  answered: 'The account is connected; the old tokens no longer work.',
  errors: [...credentialErrors(provider), 'social_account_taken', 'reauthentication_required', 'rejected'],
  fields: ['value_not_allowed']
})

export const socialAccountRoutes = (shape: SocialShape) => ({
  listSocialAccounts: route(shape, {
    operationId: 'listSocialAccounts',
    summary: 'List the connected accounts of the user',
    description: 'The accounts at providers that the user can log in with.',
    tag: 'Social',
    authenticated: true,
    answer: Type.Array(SocialAccountRef(shape)),
    answered: 'The accounts, oldest first.'
  }),
  disconnectSocialAccount: route(shape, {
    operationId: 'disconnectSocialAccount',
    summary: 'Disconnect an account at a provider',
    description:
      'Requires authentication within the last five minutes. Returns `last_login_method` if the user has no other ' +
      'way to log in.',
    tag: 'Social',
    params: { id: 'ID of the connection, from the list.' },
    authenticated: true,
    unsafe: true,
    answer: Type.Object({}),
    answered: 'The account is disconnected.',
    errors: ['not_found', 'last_login_method', 'reauthentication_required', ...unwantedBody]
  })
})
