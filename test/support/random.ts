/** Mulberry32: the same numbers in every run. The moments they lead to still depend on the machine. */
export function createRandom (state: number): () => number {
  return () => {
    state = (state + 0x6D2B79F5) | 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
}
