/**
 * Users see what has happened to their account, if the app stores it (option `audit`):
 *
 *   GET /events   lists the events, newest first
 */
import { Type, type Static } from '@sinclair/typebox'
import { componentName, componentRef, OneOf, Timestamp, type ContractShape } from './common.js'
import { eventTypes, type EventType } from './events.js'
import { PageQuery } from './paging.js'
import { route } from './route.js'
import { nullableText } from './sessions.js'

// `Object.keys` forgets the type of a literal's keys.
const types = Object.keys(eventTypes) as EventType[]

export const AuthEvent = (shape: ContractShape) => Type.Object({
  id: Type.String({ description: 'ID of the event.', examples: ['019391f2-9f0a-7c33-8d1e-6a2b9c4d5e6f'] }),
  type: Type.Unsafe<EventType>({ ...OneOf(types, 'What has happened.'), examples: ['login_succeeded'] }),
  outcome: OneOf(['success', 'failure'], 'Whether it succeeded.'),
  at: Timestamp('When it happened (UTC).'),
  session_id: nullableText('ID of the session that it belongs to.', '019391f2-9f0a-7c33-8d1e-6a2b9c4d5e6f'),
  ip: nullableText('IP address that it came from; null if the app itself did it.', '203.0.113.7'),
  user_agent: nullableText('User agent, as the client reported it.', 'Mozilla/5.0'),
  provider: Type.Optional(Type.String({ description: 'The provider of a social login.' })),
  fields: Type.Optional(Type.Array(Type.String(), { description: 'The names of the fields that were changed.' })),
  new_device: Type.Optional(Type.Boolean({ description: 'Whether the device and network were new.' }))
}, { $id: componentName(shape, 'AuthEvent'), description: 'Something that has happened to an account.' })

const AuthEventRef = (shape: ContractShape) =>
  Type.Unsafe<Static<ReturnType<typeof AuthEvent>>>(componentRef(shape, 'AuthEvent'))

export const eventRoutes = (shape: ContractShape) => ({
  listEvents: route(shape, {
    operationId: 'listEvents',
    summary: 'List what has happened to the account',
    description: 'Logins, failed ones too, changes of the password, and so on, as long as the app keeps them.',
    tag: 'Session',
    authenticated: true,
    query: PageQuery,
    answer: Type.Array(AuthEventRef(shape)),
    answered: 'The events, newest first.'
  })
})
