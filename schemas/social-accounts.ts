/**
 * By what else a user can log in:
 *
 *   POST /:provider/connect                one more
 *   GET  /socialaccounts                   which there are
 *   POST /socialaccounts/:id/disconnect    one less, but never the last
 */
import { Type, type Static } from '@sinclair/typebox'
import { componentName, type ContractShape } from './common.js'
import { route, unwantedBody } from './route.js'
import { grantErrors, GrantBody, operationOf, type ProviderShape, type SocialShape } from './social-login.js'
import { TokensRef } from './token-pair.js'

const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-11-23T18:59:49.244Z'] })

export const SocialAccount = (shape: ContractShape) =>
  Type.Object(
    {
      id: Type.String({ description: 'Names the connection.', examples: ['019391f2-9f0a-7c33-8d1e-6a2b9c4d5e6f'] }),
      provider: Type.String({ description: 'The provider, as in the routes.', examples: ['google'] }),
      uid: Type.String({
        description: "The user's own, unchangeable name there.",
        examples: ['110169484474386276334']
      }),
      last_login: time('When it was last used, UTC.'),
      date_joined: time('When it was connected, UTC.')
    },
    {
      $id: componentName(shape, 'AuthSocialAccount'),
      description: 'An account at a provider that its user can log in with.'
    }
  )

const SocialAccountRef = (shape: ContractShape) =>
  Type.Unsafe<Static<ReturnType<typeof SocialAccount>>>(Type.Ref(`${componentName(shape, 'AuthSocialAccount')}#`))

export const connectRoute = (shape: SocialShape, provider: ProviderShape) => route(shape, {
  operationId: operationOf('connect', provider),
  summary: `Let the user log in with ${provider.label}, too`,
  description:
    'Wants a password that was given, or a login that was made, in the last five minutes. The session goes on under new tokens.',
  tag: 'Social',
  authenticated: true,
  body: GrantBody(provider),
  answer: TokensRef(shape),
  answered: 'Connected; the old tokens are good for nothing.',
  errors: [...grantErrors(provider), 'social_account_taken', 'reauthentication_required', 'rejected'],
  fields: ['value_not_allowed']
})

export const socialAccountRoutes = (shape: SocialShape) => ({
  listSocialAccounts: route(shape, {
    operationId: 'listSocialAccounts',
    summary: 'List the accounts that the user can log in with',
    tag: 'Social',
    authenticated: true,
    answer: Type.Array(SocialAccountRef(shape)),
    answered: 'The accounts, oldest first.'
  }),
  disconnectSocialAccount: route(shape, {
    operationId: 'disconnectSocialAccount',
    summary: 'Disconnect an account',
    description: 'Refused where it is the last way in.',
    tag: 'Social',
    authenticated: true,
    unsafe: true,
    answer: Type.Object({}),
    answered: 'Disconnected.',
    errors: ['not_found', 'last_login_method', ...unwantedBody]
  })
})
