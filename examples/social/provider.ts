/** An OpenID provider to try the example with. It accepts any name and password, so never use it for anything else. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js'
// Not from the package's main module, which prints a warning on Node.js 20.
import { Provider } from 'oidc-provider/lib/provider.js'

interface Options {
  port: number
  client: { clientId: string, clientSecret: unknown } | undefined
  redirectUri: string
}

const hourSeconds = 3600

/** Resolves when it listens: the app fetches the issuer's metadata when it starts. */
export async function startProvider ({ port, client, redirectUri }: Options) {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, 'localhost', resolve))
  // A server that listens on a port has an AddressInfo.
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = new Provider(issuer, {
    adapter: createMemoryAdapter(),
    jwks: { keys: [privateKey.export({ format: 'jwk' })] },
    clients: [{ client_id: client?.clientId, client_secret: client?.clientSecret, redirect_uris: [redirectUri] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name'] },
    // oidc-provider prints a notice for each default that is used.
    ttl: {
      Interaction: hourSeconds,
      Session: hourSeconds,
      Grant: hourSeconds,
      AccessToken: hourSeconds,
      IdToken: hourSeconds,
      AuthorizationCode: 60
    },
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
