/** Refuses a configuration: `problem` begins with the path of the option at fault, and never quotes a secret. */
export function refuseOption (problem: string): never {
  throw new Error(`fastify-rest-auth: ${problem}`)
}

/** Returns what `work` returns. An error that it throws becomes a refusal; `describe` gets its message. */
export function orRefuse<T> (work: () => T, describe: (message: string) => string): T {
  try {
    return work()
  } catch (error) {
    return refuseOption(describe(error instanceof Error ? error.message : String(error)))
  }
}
