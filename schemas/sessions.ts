/**
 * A user sees where he is logged in, and ends what he does not know:
 *
 *   GET    /sessions       the sessions, newest first
 *   DELETE /sessions/:id   ends one
 */
import { Type, type Static } from '@sinclair/typebox'
import { componentName, type ContractShape } from './common.js'
import { route, unwantedBody } from './route.js'

const nullableText = (description: string, example: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description, examples: [example] })
const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-11-23T18:59:49.244Z'] })

export const Session = (shape: ContractShape) => Type.Object({
  id: Type.String({
    description: 'Names the session, and opens nothing.',
    examples: ['019391f2-9f0a-7c33-8d1e-6a2b9c4d5e6f']
  }),
  ip: nullableText('The address of the login.', '203.0.113.7'),
  user_agent: nullableText('What the login was made with, as the client calls itself.', 'Mozilla/5.0'),
  created_at: time('When the login was, UTC.'),
  last_seen_at: time('When it was last used, to the minute, UTC.'),
  expires_at: time('When it ends at the latest, UTC.'),
  current: Type.Boolean({ description: 'Whether it is the session of this request.' })
}, { $id: componentName(shape, 'AuthSession'), description: 'Where a user is logged in.' })

const SessionRef = (shape: ContractShape) =>
  Type.Unsafe<Static<ReturnType<typeof Session>>>(Type.Ref(`${componentName(shape, 'AuthSession')}#`))

export const sessionRoutes = (shape: ContractShape) => {
  const common = { tag: 'Session', authenticated: true }
  return {
    listSessions: route(shape, {
      ...common,
      operationId: 'listSessions',
      summary: 'List the sessions of the user',
      answer: Type.Array(SessionRef(shape)),
      answered: 'The sessions, newest first.'
    }),
    endSession: route(shape, {
      ...common,
      unsafe: true,
      operationId: 'endSession',
      summary: 'End a session of the user',
      description: 'Its tokens are good for nothing from then on. This session can be ended too.',
      status: 204,
      answer: Type.Null(),
      answered: 'The session has ended.',
      errors: ['not_found', ...unwantedBody]
    })
  }
}
