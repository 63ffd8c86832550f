/** Refuses an option, by its path. */
export const refuse = (problem: string): never => { throw new Error(`fastify-rest-auth: ${problem}`) }
