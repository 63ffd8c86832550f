/**
 * Logout ends sessions on the server:
 *
 *   POST /logout       ends the session of the access token, of the refresh token, or of both
 *   POST /logout/all   ends every session of the user
 */
import { Type, type TObject, type TOptional } from '@sinclair/typebox'
import { Detail, ObjectKnownAs, type ContractShape } from './common.js'
import { route, unwantedBody } from './route.js'
import { refreshExample } from './token-pair.js'

const refresh = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  maxLength: 4096,
  description: 'The refresh token of the session to end.',
  examples: [refreshExample]
})

const isOpaque = ({ format }: ContractShape) => format === 'opaque'

export const logoutRoutes = (shape: ContractShape) => ({
  logout: route(shape, {
    operationId: 'logout',
    summary: 'Log out',
    description: `Ends the session of ${isOpaque(shape) ? 'the key' : 'the access token, of `refresh`, or of both'}. ` +
      'Idempotent: expired, unknown or missing credentials are not an error.',
    tag: 'Session',
    authenticated: 'optional',
    body: ObjectKnownAs<TObject<{ refresh: TOptional<typeof refresh> }>>(
      isOpaque(shape) ? {} : { refresh: Type.Optional(refresh) }
    ),
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
