/**
 * Users see where they are logged in, and end sessions they do not recognise:
 *
 *   GET    /sessions       lists the sessions, newest first
 *   DELETE /sessions/:id   ends one
 */
import { Type, type Static } from '@sinclair/typebox'
import { componentName, componentRef, Timestamp, type ContractShape } from './common.js'
import { PageQuery } from './paging.js'
import { unwantedBody } from './route-failures.js'
import { route } from './route.js'

export const nullableText = (description: string, example: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description, examples: [example] })

export const Session = (shape: ContractShape) => Type.Object({
  id: Type.String({
    description: 'ID of the session. It gives no access to the session.',
    examples: ['019391f2-9f0a-7c33-8d1e-6a2b9c4d5e6f']
  }),
  ip: nullableText('IP address of the login.', '203.0.113.7'),
  user_agent: nullableText('User agent of the login, as the client reported it.', 'Mozilla/5.0'),
  created_at: Timestamp('Time of the login (UTC).'),
  last_seen_at: Timestamp('Time of the last use, to the minute (UTC).'),
  expires_at: Timestamp('Time when the session ends at the latest (UTC).', 'inAMonth'),
  current: Type.Boolean({ description: 'Whether this request belongs to the session.', examples: [true] })
}, { $id: componentName(shape, 'AuthSession'), description: 'A session: one login of the user.' })

const SessionRef = (shape: ContractShape) =>
  Type.Unsafe<Static<ReturnType<typeof Session>>>(componentRef(shape, 'AuthSession'))

export const sessionRoutes = (shape: ContractShape) => {
  const common = { tag: 'Session', authenticated: true }
  return {
    listSessions: route(shape, {
      ...common,
      operationId: 'listSessions',
      summary: 'List the sessions of the user',
      description: 'One for each login that has not ended yet, with where it came from.',
      query: PageQuery,
      answer: Type.Array(SessionRef(shape)),
      answered: 'The sessions, newest first.'
    }),
    endSession: route(shape, {
      ...common,
      unsafe: true,
      operationId: 'endSession',
      summary: 'End a session of the user',
      description: 'Its tokens stop working. The current session can be ended as well.',
      params: { id: 'ID of the session, from the list.' },
      status: 204,
      answer: Type.Null(),
      answered: 'The session has ended.',
      errors: ['not_found', ...unwantedBody]
    })
  }
}
