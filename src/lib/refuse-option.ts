/** Refuses an option, by its path. */
export const refuseOption = (problem: string): never => { throw new Error(`fastify-rest-auth: ${problem}`) }
