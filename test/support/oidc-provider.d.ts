/** What the tests use of oidc-provider, which has no types, beyond what examples/social does. */

declare module 'oidc-provider/lib/provider.js' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export interface Context {
    method: string
    path: string
    query: Record<string, string>
    headers: IncomingMessage['headers']
    req: IncomingMessage
    res: ServerResponse
    body: unknown
    status: number
    set: (headers: Record<string, string>) => void
    /** Absent where the path is none of the provider's. */
    oidc?: { body?: Record<string, string>, client?: { clientId: string }, session?: { accountId: string } }
  }

  interface Grant {
    addOIDCScope: (scope: string) => void
    save: () => Promise<string>
  }

  export interface Provider {
    Grant: new (of: { clientId: string, accountId: string }) => Grant
    use (middleware: (context: Context, next: () => Promise<void>) => Promise<void>): this
    on (event: 'server_error', listener: (context: Context, error: Error) => void): this
    interactionDetails (request: IncomingMessage, response: ServerResponse): Promise<{ uid: string }>
    interactionResult (request: IncomingMessage, response: ServerResponse, result: object): Promise<string>
  }
}
