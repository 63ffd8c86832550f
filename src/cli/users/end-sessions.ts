/** `fastify-rest-auth users end-sessions`. */
import { defineCommand } from '../command.js'
import { findUser, nameOfUser, userArgument } from './find.js'
import { userFlags, withUsers } from './open.js'

export const endSessions = defineCommand({
  argument: userArgument,
  flags: userFlags,
  notes: 'Access tokens of routes with stateless: true, and at other services, are valid until they expire.',
  run: async ({ argument, values }) => await withUsers('users end-sessions', values, async opened => {
    const user = await findUser('users end-sessions', argument, opened)
    const { list, endAll } = opened.restAuth.sessions
    const { length: count } = await list(user.pk)
    await endAll(user.pk)
    const text = `${nameOfUser(user)}: ${count} ${count === 1 ? 'session' : 'sessions'} ended`
    return { text, data: { pk: user.pk, ended: count } }
  })
})
