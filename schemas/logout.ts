/**
 * Logout ends sessions on the server:
 *
 *   POST /logout       ends the session of the access token, of the refresh token, or of both
 *   POST /logout/all   ends every session of the user
 */
import { Type, type TObject, type TOptional } from '@sinclair/typebox'
import { ObjectKnownAs, says, type ContractShape } from './common.js'
import { unwantedBody } from './route-failures.js'
import { route } from './route.js'
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
    ...says(shape, 'Successfully logged out.'),
    answered: 'The user is logged out, or was not logged in.'
  }),
  logoutAll: route(shape, {
    operationId: 'logoutAll',
    summary: 'Log out everywhere',
    description: 'Ends every session of the user, including this one.',
    tag: 'Session',
    authenticated: true,
    unsafe: true,
    ...says(shape, 'Successfully logged out.'),
    answered: 'The user is logged out everywhere.',
    errors: unwantedBody
  })
})
