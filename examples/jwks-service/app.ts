/**
 * Another service that lets in whoever holds an access token of the app: it knows the app's address, and no secret. The
 * app signs by `tokens: { algorithm: 'EdDSA', keys: [process.env.AUTH_KEY] }`.
 */
import { pathToFileURL } from 'node:url'
import Fastify, { type FastifyRequest } from 'fastify'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

/** `issuer` is the app's `publicUrl`; the keys are fetched when the first token comes, and kept. */
export function buildService (issuer = 'http://localhost:3000', keysAt = `${issuer}/auth/.well-known/jwks.json`) {
  const keys = createRemoteJWKSet(new URL(keysAt))
  // All of it: a key that fits is not yet a token for here.
  const expected = {
    issuer,
    audience: `${issuer}/auth`,
    typ: 'at+jwt',
    algorithms: ['EdDSA'],
    requiredClaims: ['sub', 'exp']
  }

  async function holder ({ headers }: FastifyRequest) {
    const [, token = ''] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? []
    try {
      return (await jwtVerify(token, keys, expected)).payload
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
      throw Object.assign(new Error('Not a token of ours.'), {
        statusCode: 401,
        headers: { 'www-authenticate': 'Bearer error="invalid_token"' }
      })
    }
  }

  const app = Fastify()
  app.get('/orders', async request => {
    const { sub, role } = await holder(request)
    return { of: sub, role, orders: [] }
  })
  return app
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await buildService().listen({ port: 3001 })
  console.log('http://localhost:3001/orders')
}
