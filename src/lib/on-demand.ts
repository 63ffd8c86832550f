/** Returns a function that calls `load` the first time, and afterwards returns the same value. */
export function onDemand<T> (load: () => Promise<T>): () => Promise<T> {
  let loaded: { value: T } | undefined
  return async () => {
    // Not the promise: a failed attempt is repeated.
    loaded ??= { value: await load() }
    return loaded.value
  }
}
