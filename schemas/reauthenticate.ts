/** POST /reauthenticate: step-up authentication, which asks for the password again before a sensitive action. */
import { Type } from '@sinclair/typebox'
import { Password, says, type ContractShape } from './common.js'
import { route } from './route.js'

export const reauthenticateRoutes = (shape: ContractShape) => ({
  reauthenticate: route(shape, {
    operationId: 'reauthenticate',
    limit: 'reauthenticate',
    summary: 'Confirm the password',
    description: 'Call this after a `reauthentication_required` error. The session and its tokens stay the same.',
    tag: 'Session',
    authenticated: true,
    body: Type.Object({ password: Password('The password.') }),
    ...says(shape, 'Password confirmed.'),
    answered: 'The session counts as freshly authenticated.',
    errors: ['server_busy'],
    fields: ['incorrect_password']
  })
})
