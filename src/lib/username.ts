/** Usernames: their stored form, and when two are the same. */

/** The form that is stored and shown: NFKC, as in Django, which unifies look-alikes of one character. */
export const normalizeUsername = (username: string): string => username.trim().normalize('NFKC')

/** The form to compare: ignores case, and gives the same result on every database. */
export const usernameKey = (username: string): string => normalizeUsername(username).toUpperCase().toLowerCase()
