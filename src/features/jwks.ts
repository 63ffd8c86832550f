/**
 * Lets other services verify access tokens themselves, if these are signed with asymmetric keys.
 *
 *   GET /.well-known/jwks.json   the public keys (RFC 7517)
 */
import type { Feature } from '../context.js'

export const jwks: Feature = (app, { settings: { signing }, contract }) => {
  if (signing.algorithm === 'HS256') return
  const keys = signing.keys.flatMap(({ jwk }) => jwk ?? [])

  app.get('/.well-known/jwks.json', { schema: contract.getJwks }, async (_request, reply) => {
    reply.header('cache-control', 'public, max-age=300')
    return { keys }
  })
}
