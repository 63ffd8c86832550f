/** An OpenID provider to try the example with: it asks for a name and takes any. Never for more than that. */
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

interface Client {
  port: number
  client: { clientId: string, clientSecret: unknown } | undefined
  redirectUri: string
}

export async function startProvider ({ port, client, redirectUri }: Client) {
  const issuer = `http://localhost:${port}`
  const provider = new Provider(issuer, {
    clients: [{ client_id: client?.clientId ?? '', client_secret: String(client?.clientSecret), redirect_uris: [redirectUri] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name'] },
    // Else they are told to whoever asks with the access token, and stand in no ID token.
    conformIdTokenClaims: false,
    findAccount: (_context: unknown, name: string) => ({
      accountId: name,
      claims: () => ({ sub: name, email: `${name.toLowerCase().replace(/[^a-z0-9]+/g, '.')}@example.com`, email_verified: true, given_name: name })
    })
  })
  const server = createServer(provider.callback())
  await new Promise<void>(resolve => server.listen(port, 'localhost', resolve))
  return server
}
