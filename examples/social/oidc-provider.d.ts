/** Types for the parts of oidc-provider that provider.ts uses: the package has none. */

declare module 'oidc-provider/lib/provider.js' {
  import type { RequestListener } from 'node:http'

  export class Provider {
    constructor (issuer: string, configuration: object)
    callback (): RequestListener
  }
}

declare module 'oidc-provider/lib/adapters/memory_adapter.js' {
  export const createMemoryAdapter: () => unknown
}
