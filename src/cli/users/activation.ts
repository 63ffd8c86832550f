/** `fastify-rest-auth users deactivate` and `activate`. */
import type { RestAuth } from '../../rest-auth.js'
import { defineCommand } from '../command.js'
import { findUser, nameOfUser, userArgument } from './find.js'
import { userFlags, withUsers } from './open.js'

type Change = (users: RestAuth['users']) => RestAuth['users']['activate']

const changing = (command: string, done: string, change: Change) => defineCommand({
  argument: userArgument,
  flags: userFlags,
  run: async ({ argument, values }) => await withUsers(command, values, async opened => {
    const { pk } = await findUser(command, argument, opened)
    const user = await change(opened.restAuth.users)(pk)
    // Another process may have deleted the user meanwhile.
    if (!user) throw new Error(`${command}: the user no longer exists`)
    return { text: `${nameOfUser(user)}: ${done}`, data: user }
  })
})

export const deactivateUser = changing('users deactivate', 'deactivated', users => users.deactivate)
export const activateUser = changing('users activate', 'active', users => users.activate)
