/** Finds the user that a command names. */
import type { Context } from '../../context.js'
import type { StoredUser } from '../../types.js'
import { printable } from '../terminal.js'
import type { Opened } from './open.js'

export const userArgument = '<pk, address or username>'

/** A key goes before an address, and that before a username: users choose only the last freely. Throws an Error. */
export async function findUser (command: string, text: string, { restAuth, settings }: Opened): Promise<StoredUser> {
  const { find } = restAuth.users
  const pk = readPk(text, settings)
  const found = (pk === undefined ? undefined : await find({ pk: pk as StoredUser['pk'] })) ??
    await find({ email: text }) ?? await find({ username: text })
  if (found) return found
  throw new Error(`${command}: there is no user "${printable(text)}"`)
}

/** Undefined if keys are integers and the text is not one. */
export const readPk = (text: string, { account }: Context['settings']): string | number | undefined =>
  account.pk === 'string' ? text : /^[1-9]\d{0,15}$/.test(text) ? Number(text) : undefined

/** What people call the user. */
export function nameOfUser ({ pk, email, ...rest }: StoredUser): string {
  const username = 'username' in rest && typeof rest.username === 'string' ? rest.username : undefined
  return printable([email ?? username, `(${pk})`].filter(part => part !== undefined).join(' '))
}
