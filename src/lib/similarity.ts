/** How similar a password is to another text, measured as Django's UserAttributeSimilarityValidator does. */

/** Python's `difflib.SequenceMatcher.quick_ratio`: an upper bound of the similarity, from 0 to 1. */
export function quickRatio (a: string, b: string): number {
  const available = new Map<string, number>()
  for (const character of b) available.set(character, (available.get(character) ?? 0) + 1)
  let matches = 0
  for (const character of a) {
    const left = available.get(character) ?? 0
    if (left > 0) matches++
    available.set(character, left - 1)
  }
  const total = [...a].length + [...b].length
  return total === 0 ? 1 : 2 * matches / total
}

/** Whether the password is too similar to the value as a whole or to one of its words. */
export function isSimilar (password: string, value: string): boolean {
  const lowered = password.toLowerCase()
  return [...value.toLowerCase().split(/\W+/), value.toLowerCase()].some(part => {
    // As in Django, words much shorter than the password are skipped.
    const isTooShort = lowered.length >= 10 * part.length && part.length < 0.35 * lowered.length
    return part !== '' && !isTooShort && quickRatio(lowered, part) >= 0.7
  })
}
