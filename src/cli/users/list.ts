/** `fastify-rest-auth users list`. */
import type { StoredUser } from '../../types.js'
import { defineCommand } from '../command.js'
import { columns, printable } from '../terminal.js'
import { readPk } from './find.js'
import { userFlags, withUsers } from './open.js'

const defaultLimit = 100

export const listUsers = defineCommand({
  flags: {
    search: { type: 'string', value: '<text>', summary: 'a part of the address or the username, in any case' },
    limit: { type: 'string', value: '<count>', summary: `how many at most, up to 1000; default: ${defaultLimit}` },
    after: { type: 'string', value: '<pk>', summary: 'only users after this key: the next page' },
    ...userFlags
  },
  notes: 'With --json, each line is a user.',
  run: async ({ values: { search = '', limit: given = String(defaultLimit), after, ...values } }) =>
    await withUsers('users list', values, async ({ restAuth, settings }) => {
      const limit = Number(given)
      const pk = after === undefined ? undefined : readPk(after, settings)
      if (after !== undefined && pk === undefined) throw new Error('users list: --after must be the key of a user')
      const users = await restAuth.users.list({ search, limit, after: pk as StoredUser['pk'] | undefined })
      const last = users.at(-1)
      return {
        text: tableOf(users, settings.account.username !== 'none'),
        data: users,
        note: last && users.length === limit ? `There may be more: --after ${last.pk}` : undefined
      }
    })
})

function tableOf (users: readonly StoredUser[], hasUsernames: boolean): string {
  const head = ['pk', 'email', ...(hasUsernames ? ['username'] : []), 'verified', 'active', 'created', 'last login']
  const rows = users.map(user => [
    String(user.pk),
    user.email ?? '',
    ...(hasUsernames && 'username' in user ? [String(user.username ?? '')] : []),
    user.email_verified ? 'yes' : 'no',
    user.is_active ? 'yes' : 'no',
    toDay(user.created_at),
    user.last_login ? toDay(user.last_login) : 'never'
  ].map(printable))
  return columns([head, ...rows])
}

const toDay = (time: Date): string => time.toISOString().slice(0, 10)
