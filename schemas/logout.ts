/**
 * Sessions end on the server:
 *
 *   POST /logout       that of the access token, of the refresh token, or of both
 *   POST /logout/all   every one of the user
 */
import { Type } from '@sinclair/typebox'
import { Detail, type ContractShape } from './common.js'
import { route, unwantedBody } from './route.js'
import { refreshExample } from './token-pair.js'

export const logoutRoutes = (shape: ContractShape) => ({
  logout: route(shape, {
    operationId: 'logout',
    summary: 'Log out',
    description:
      'Ends the session named by the Authorization header, by `refresh`, or by both. Idempotent: stale, unknown or missing credentials are no error.',
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
    answered: 'Logged out, or was not logged in.'
  }),
  logoutAll: route(shape, {
    operationId: 'logoutAll',
    summary: 'Log out everywhere',
    description: 'Ends every session of the user, this one too.',
    tag: 'Session',
    authenticated: true,
    unsafe: true,
    answer: Detail,
    answered: 'Logged out.',
    errors: unwantedBody
  })
})
