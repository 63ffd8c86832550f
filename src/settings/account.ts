/** The cross-checks of `account`: combinations that would lock users out or have no effect. */
import { refuse } from '../lib/refuse-option.js'
import type { Settings } from './types.js'

export function checkAccount ({ loginMethods, username, email, emailVerification, confirmEmailOnGet, loginOnEmailConfirmation, usernameBlocklist, usernameMinLength }: Settings['account']): void {
  if (emailVerification === 'mandatory' && email === 'optional') refuse("account.emailVerification: 'mandatory' needs account.email 'required', or a user without address could never log in")
  if (emailVerification === 'none' && (confirmEmailOnGet || loginOnEmailConfirmation)) refuse("account.emailVerification: 'none' leaves confirmEmailOnGet and loginOnEmailConfirmation without effect")
  if (loginMethods.includes('username') && username === 'none') refuse("account.loginMethods: 'username' needs account.username 'required' or 'optional'")
  if (email === 'optional' && !loginMethods.includes('username')) refuse("account.email: 'optional' needs 'username' among account.loginMethods, or a user without address could not log in")
  if (email === 'optional' && username !== 'required') refuse("account.email: 'optional' needs account.username 'required', or a user could have neither")
  if (username === 'optional' && !loginMethods.includes('email')) refuse("account.username: 'optional' needs 'email' among account.loginMethods, or a user without name could not log in")
  if (username === 'none' && (usernameBlocklist.length > 0 || usernameMinLength > 1)) refuse("account.username: 'none' leaves usernameBlocklist and usernameMinLength without effect")
}
