/** Usernames: what may be one, and when two are the same. */

/** As stored and shown: NFKC, so that look-alikes of one character are one character (as Django does). */
export const normalizeUsername = (username: string): string => username.trim().normalize('NFKC')

/** What uniqueness and login compare: without regard to case, equal on every database. */
export const usernameKey = (username: string): string => normalizeUsername(username).toUpperCase().toLowerCase()
