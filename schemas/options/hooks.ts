/** The option `hooks`. */
import { Func, Group } from './builders.js'

export const HookOptions = Group({
  registering: Func('`(input, tx)` before the user is stored, inside the transaction. Throw to stop the registration.'),
  registered: Func('`(user, tx)` after the user is stored, inside the transaction. Throw to roll the user back.'),
  loggedIn: Func('`(user, request)` after a session has started.'),
  emailVerified: Func('`(user, tx)` after an address is confirmed, inside the transaction.'),
  userUpdated: Func('`(user, tx)` after `/user` has changed the user, inside the transaction.'),
  passwordChanged: Func('`(user, tx)` after a new password is stored, inside the transaction.'),
  event: Func('`(event)` after each event of docs/events.md. It can\'t refuse anything, and no response waits for it.')
}, 'Functions that the plugin calls at a registration, a login or a change. To refuse one with a 400 response, throw ' +
  'a `Rejection`.')
