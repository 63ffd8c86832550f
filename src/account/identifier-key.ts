/** The account that a login names, as its limits count it. */
import { canonicalEmail } from '../lib/email.js'
import { usernameKey } from '../lib/username.js'

/**
 * One key for all spellings of an identifier. A `username` may be an address, too, but it is folded like a username:
 * it may be the name of a user.
 */
export const identifierKey = (email = '', username = ''): string =>
  usernameKey(email ? canonicalEmail(email) ?? email : username)
