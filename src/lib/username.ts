/** Usernames: their stored form, and when two are the same. */

/** The form that is stored and shown: NFKC, as in Django, which unifies look-alikes of one character. */
export const normalizeUsername = (username: string): string => username.trim().normalize('NFKC')

// They shape letters, and in some fonts do nothing that one could see.
const joiners = /[\u200C\u200D]/g

/**
 * The form to compare: full case folding (Unicode, chapter 3.13), for which JavaScript has no function, and no joiners.
 * Dotless `ı` counts as `i`. Gives the same result on every database. Folded twice, because `ß` with an accent becomes
 * two letters, of which the second and the accent are one character.
 */
export const usernameKey = (username: string): string => fold(fold(username.trim().replace(joiners, '')))

// Lower case first: `ẞ` is an upper case to which `ß` has no way. NFKC again: `Ϊ́` is two characters, but `ΐ` is one.
const fold = (text: string) =>
  text.normalize('NFKC').toLowerCase().normalize('NFKC').toUpperCase().toLowerCase()

/**
 * The key that names with `ẞ` once had. The migration that folds it leaves it alone where the two names it kept apart
 * both have an account.
 */
export const formerUsernameKey = (username: string): string =>
  normalizeUsername(username).toUpperCase().toLowerCase()
