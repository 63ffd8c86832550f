/** `fastify-rest-auth users delete`. */
import { defineCommand } from '../command.js'
import { ask, isInteractive } from '../terminal.js'
import { findUser, nameOfUser, userArgument } from './find.js'
import { userFlags, withUsers } from './open.js'

export const deleteUser = defineCommand({
  argument: userArgument,
  flags: { yes: { type: 'boolean', summary: 'delete without a question' }, ...userFlags },
  run: async ({ argument, values: { yes = false, ...values } }) =>
    await withUsers('users delete', values, async opened => {
      const user = await findUser('users delete', argument, opened)
      if (!yes) await confirm(nameOfUser(user))
      const deleted = await opened.restAuth.users.delete(user.pk)
      if (!deleted) throw new Error('users delete: the user no longer exists')
      return { text: `${nameOfUser(user)}: deleted`, data: { pk: user.pk, deleted } }
    })
})

/** Throws an Error unless somebody on a terminal agrees. */
async function confirm (name: string): Promise<void> {
  if (!isInteractive()) throw new Error('users delete: there is no terminal to confirm on; give --yes')
  const [answer = ''] = await ask([`Delete ${name}? Type yes: `])
  if (answer.trim() !== 'yes') throw new Error('users delete: cancelled')
}
