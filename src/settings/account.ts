/** The cross-checks of `account`: combinations that would lock users out or have no effect. */
import { refuseOption } from '../lib/refuse-option.js'
import type { Settings } from './types.js'

export function checkAccount ({ loginMethods, username, email, emailVerification, confirmEmailOnGet, loginOnEmailConfirmation, usernameBlocklist, usernameMinLength }: Settings['account']): void {
  if (emailVerification === 'mandatory' && email === 'optional') {
    refuseOption(
      "account.emailVerification: 'mandatory' needs account.email 'required', or a user without address could never log in"
    )
  }
  if (emailVerification === 'none' && (confirmEmailOnGet || loginOnEmailConfirmation)) {
    refuseOption(
      "account.emailVerification: 'none' leaves confirmEmailOnGet and loginOnEmailConfirmation without effect"
    )
  }
  if (loginMethods.includes('username') && username === 'none') { refuseOption("account.loginMethods: 'username' needs account.username 'required' or 'optional'") }
  if (email === 'optional' && !loginMethods.includes('username')) {
    refuseOption(
      "account.email: 'optional' needs 'username' among account.loginMethods, or a user without address could not log in"
    )
  }
  if (email === 'optional' && username !== 'required') { refuseOption("account.email: 'optional' needs account.username 'required', or a user could have neither") }
  if (username === 'optional' && !loginMethods.includes('email')) {
    refuseOption(
      "account.username: 'optional' needs 'email' among account.loginMethods, or a user without name could not log in"
    )
  }
  if (username === 'none' && (usernameBlocklist.length > 0 || usernameMinLength > 1)) { refuseOption("account.username: 'none' leaves usernameBlocklist and usernameMinLength without effect") }
}
