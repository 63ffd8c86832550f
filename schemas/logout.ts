/** POST /logout: ends the session of the access token, of the refresh token, or of both. */
import { Type } from '@sinclair/typebox'
import { Detail, type ContractShape } from './common.js'
import { route } from './route.js'
import { refreshExample } from './tokens.js'

export const logoutRoutes = (shape: ContractShape) => ({
  logout: route(shape, {
    operationId: 'logout',
    summary: 'Log out',
    description: 'Ends the session named by the Authorization header, by `refresh`, or by both. Idempotent: stale, unknown or missing credentials are no error.',
    tag: 'Session',
    authenticated: 'optional',
    body: Type.Object({
      refresh: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 4096, description: 'The refresh token of the session to end.', examples: [refreshExample] }))
    }),
    answer: Detail,
    answered: 'Logged out, or was not logged in.'
  })
})
