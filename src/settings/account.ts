/** The cross-checks of `account`: combinations that would lock users out or have no effect. */
import { AccountOptions } from '../../schemas/options/account.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { Settings } from './types.js'

export function checkAccount (account: Settings['account']): void {
  const { loginMethods, username, email, emailVerification } = account
  const byUsername = loginMethods.includes('username')
  const rows: Array<[isWrong: boolean, message: string]> = [
    [emailVerification === 'mandatory' && email === 'optional',
      "emailVerification: 'mandatory' requires account.email 'required', or users without an address can't log in"],
    [emailVerification === 'none' && account.confirmEmailOnGet,
      "confirmEmailOnGet: has no effect when account.emailVerification is 'none'"],
    [emailVerification === 'none' && account.loginOnEmailConfirmation,
      "loginOnEmailConfirmation: has no effect when account.emailVerification is 'none'"],
    [emailVerification === 'none' && account.resendInterval !== AccountOptions.properties.resendInterval.default,
      "resendInterval: has no effect when account.emailVerification is 'none'"],
    [byUsername && username === 'none',
      "loginMethods: 'username' requires account.username 'required' or 'optional'"],
    [email === 'optional' && !byUsername,
      "email: 'optional' requires 'username' in account.loginMethods, or users without an address can't log in"],
    [email === 'optional' && username !== 'required',
      "email: 'optional' requires account.username 'required', or users could have neither"],
    [username === 'optional' && !loginMethods.includes('email'),
      "username: 'optional' requires 'email' in account.loginMethods, or users without a username can't log in"],
    [username === 'none' && account.usernameBlocklist.length > 0,
      "usernameBlocklist: has no effect when account.username is 'none'"],
    [username === 'none' && account.usernameMinLength > 1,
      "usernameMinLength: has no effect when account.username is 'none'"]
  ]
  for (const [isWrong, message] of rows) if (isWrong) refuseOption(`account.${message}`)
}
