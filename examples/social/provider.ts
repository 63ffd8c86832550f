/** An OpenID provider to try the example with: it asks for a name and takes any. Never for more than that. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js'
// Not by the package's name: that warns of Node 20.
import { Provider } from 'oidc-provider/lib/provider.js'

interface Options {
  port: number
  client: { clientId: string, clientSecret: unknown } | undefined
  redirectUri: string
}

// Seconds.
const hour = 3600

/** Listens before it answers: the app asks for the issuer's metadata when it starts. */
export async function startProvider ({ port, client, redirectUri }: Options) {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, 'localhost', resolve))
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = new Provider(issuer, {
    adapter: createMemoryAdapter(),
    jwks: { keys: [privateKey.export({ format: 'jwk' })] },
    clients: [{ client_id: client?.clientId, client_secret: client?.clientSecret, redirect_uris: [redirectUri] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name'] },
    // What is left to its defaults, it speaks of.
    ttl: { Interaction: hour, Session: hour, Grant: hour, AccessToken: hour, IdToken: hour, AuthorizationCode: 60 },
    findAccount: (_context: unknown, name: string) => ({
      accountId: name,
      claims: () => ({
        sub: name,
        email: `${name.toLowerCase().replace(/[^a-z0-9]+/g, '.')}@example.com`,
        email_verified: true,
        given_name: name
      })
    })
  })
  server.on('request', provider.callback())
  return { issuer, server }
}
