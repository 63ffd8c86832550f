/** POST /reauthenticate: who is logged in gives the password again, for what asks for a recent one. */
import { Type } from '@sinclair/typebox'
import { Detail, Password, type ContractShape } from './common.js'
import { route } from './route.js'

export const reauthenticateRoutes = (shape: ContractShape) => ({
  reauthenticate: route(shape, {
    operationId: 'reauthenticate',
    summary: 'Confirm the password',
    description: 'For what answers `reauthentication_required`. The session and its tokens stay as they are.',
    tag: 'Session',
    authenticated: true,
    body: Type.Object({ password: Password('The password.') }),
    answer: Detail,
    answered: 'The session counts as newly authenticated.',
    errors: ['server_busy'],
    fields: ['incorrect_password']
  })
})
