/** Passwords made of what anybody can look up: the user's address and name, and the name of the site (ASVS 6.1.2). */

// As many digits would be a password of their own.
const enoughOthers = 20

/**
 * The name of the text whose words, alone or with words of the other texts, are all the letters of the password;
 * undefined if it has other letters. Digits, spaces and punctuation do not count: people add `1` and `2024!`.
 */
export function contextOf (password: string, texts: ReadonlyArray<readonly [name: string, text: string]>) {
  const letters = lettersOf(password)
  if (letters === '' || [...password].length - [...letters].length >= enoughOthers) return undefined
  const words = texts.flatMap(([name, text]) => wordsOf(text).map(word => ({ name, word })))
  const ends = new Set([0])
  for (const start of ends) {
    for (const { word } of words) if (letters.startsWith(word, start)) ends.add(start + word.length)
  }
  return ends.has(letters.length) ? words.find(({ word }) => letters.includes(word))?.name : undefined
}

const lettersOf = (text: string) => text.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{M}]/gu, '')

/** The words of four letters and more. The parts of an address, and the text as a whole, count as words too. */
function wordsOf (text: string): string[] {
  const parts = [text, ...text.split('@')]
  const words = [...parts, ...text.split(/[^\p{L}\p{M}]+/u)].map(lettersOf)
  return [...new Set(words)].filter(word => [...word].length >= 4)
}
