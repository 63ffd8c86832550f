/** Returns a function that calls `load` the first time, and afterwards returns the same value. */
export function onDemand<T> (load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  // The promise, so that calls at the same time load once; but not a failed one, so that the next call tries again.
  return async () => await (loading ??= load().catch(error => { loading = undefined; throw error }))
}
