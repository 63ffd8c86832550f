/** `app.restAuth.users.list`. */
import type { Context } from '../context.js'
import type { UserRow } from '../db/tables.js'
import type { RestAuth } from '../rest-auth.js'
import { listUsers } from '../store/user-list.js'
import type { StoredUser } from '../types.js'
import { checkLimit } from './check-limit.js'

type Options = Pick<Context, 'db' | 'userRecords' | 'settings'>

const maxIdentifierLength = 254

export function createUserList (
  { db, userRecords, settings: { account } }: Options,
  toUser: (row: UserRow) => StoredUser
): RestAuth['users']['list'] {
  return async function list ({ after, limit = 100, search = '' } = {}) {
    checkLimit('users.list', limit)
    if (typeof search !== 'string') throw new TypeError('users.list: search must be a string')
    // Throws a TypeError for a key of the other kind.
    if (after !== undefined) userRecords.storedPk(after)
    const part = search.trim()
    // No address or username is so long or has this character, and the databases refuse both.
    if (part.length > maxIdentifierLength || part.includes('\0')) return []
    const rows = await listUsers(db, { after, limit, search: part, byInteger: account.pk === 'integer' })
    return rows.map(toUser)
  }
}
