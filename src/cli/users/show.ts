/** `fastify-rest-auth users show`: a user, where they are logged in, and with which providers they can log in. */
import { defineCommand } from '../command.js'
import { columns, printable } from '../terminal.js'
import { findUser, userArgument } from './find.js'
import { userFlags, withUsers } from './open.js'

export const showUser = defineCommand({
  argument: userArgument,
  flags: userFlags,
  run: async ({ argument, values }) => await withUsers('users show', values, async opened => {
    const user = await findUser('users show', argument, opened)
    const { sessions: { list }, socialAccounts: { list: listAccounts } } = opened.restAuth
    const [sessions, socialAccounts] = [await list(user.pk), await listAccounts(user.pk)]
    return {
      text: [
        columns(Object.entries(user).map(([name, value]) => [name, shown(value)])),
        ...section('Sessions', sessions),
        ...section('Social accounts', socialAccounts)
      ].join('\n\n'),
      data: { user, sessions, socialAccounts }
    }
  })
})

/** Nothing for an empty list. */
function section (title: string, items: readonly object[]): string[] {
  const [first] = items
  if (!first) return []
  return [`${title}:\n${columns([Object.keys(first), ...items.map(item => Object.values(item).map(shown))])}`]
}

function shown (value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (value instanceof Date) return value.toISOString()
  return printable(typeof value === 'object' ? JSON.stringify(value) : String(value))
}
