/** `app.restAuth.passwords`: for login methods of the app's own. */
import type { Context } from '../context.js'
import type { RestAuth } from '../rest-auth.js'
import { findUser } from '../store/users.js'
import { withoutQueryValues } from './without-query-values.js'

type Options = Pick<Context, 'db' | 'userRecords' | 'passwords'>

export function createPasswordsApi ({ db, userRecords, passwords }: Options): RestAuth['passwords'] {
  async function verify ({ pk }: Parameters<RestAuth['passwords']['verify']>[0], password: string): Promise<boolean> {
    if (typeof password !== 'string') throw new TypeError('passwords.verify: the password must be a string')
    const user = await findUser(db, userRecords.storedPk(pk))
    // Without such a user, too, the whole work is done, as at a login.
    return await passwords.verify(user?.isActive ? user.passwordHash : undefined, password)
  }

  return withoutQueryValues({ verify })
}
