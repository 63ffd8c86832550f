/** How a test kit reaches the plugin: by a member of the options that only `createTestKit` sets. */

export const testKitKey = Symbol('fastify-rest-auth/testing')

/** What the kit replaces; nothing without a kit. Throws an Error in production. */
export function testKitOf (options: object): object {
  const kit: unknown = Reflect.get(Object(options), testKitKey)
  if (typeof kit !== 'object' || kit === null) return {}
  refuseInProduction()
  return kit
}

/** In production, times, passwords and mails must be real. */
export function refuseInProduction (): void {
  if (process.env.NODE_ENV !== 'production') return
  throw new Error('fastify-rest-auth/testing is for tests: it does not work where NODE_ENV is "production"')
}
