/**
 * Logout ends sessions on the server:
 *
 *   POST /logout       ends the session of the access token, of the refresh token, or of both
 *   POST /logout/all   ends every session of the user
 */
import { Type } from '@sinclair/typebox'
import { Detail, type ContractShape } from './common.js'
import { route, unwantedBody } from './route.js'
import { refreshExample } from './token-pair.js'

export const logoutRoutes = (shape: ContractShape) => ({
  logout: route(shape, {
    operationId: 'logout',
    summary: 'Log out',
    description: 'Ends the session of the access token, of `refresh`, or of both. Idempotent: expired, unknown or ' +
      'missing credentials are not an error.',
    tag: 'Session',
    authenticated: 'optional',
    body: Type.Object({
      refresh: Type.Optional(
        Type.Unsafe<string | null>({
          type: ['string', 'null'],
          maxLength: 4096,
          description: 'The refresh token of the session to end.',
          examples: [refreshExample]
        })
      )
    }),
    answer: Detail,
    answered: 'The user is logged out, or was not logged in.'
  }),
  logoutAll: route(shape, {
    operationId: 'logoutAll',
    summary: 'Log out everywhere',
    description: 'Ends every session of the user, including this one.',
    tag: 'Session',
    authenticated: true,
    unsafe: true,
    answer: Detail,
    answered: 'The user is logged out everywhere.',
    errors: unwantedBody
  })
})
