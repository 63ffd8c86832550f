/**
 * Another service that accepts access tokens of the app. It needs the app's address but no secret: the app signs with
 * `tokens: { algorithm: 'EdDSA', keys: [process.env.AUTH_KEY] }`.
 */
import { pathToFileURL } from 'node:url'
import Fastify, { type FastifyRequest } from 'fastify'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

/** `issuer` is the app's `publicUrl`. The keys are fetched with the first token and cached. */
export function buildService (issuer = 'http://localhost:3000', keysAt = `${issuer}/auth/.well-known/jwks.json`) {
  const keys = createRemoteJWKSet(new URL(keysAt))
  // Check all of these: a valid signature alone does not mean that the token is for this service.
  const expected = {
    issuer,
    audience: `${issuer}/auth`,
    typ: 'at+jwt',
    algorithms: ['EdDSA'],
    requiredClaims: ['sub', 'exp']
  }

  async function verifyToken ({ headers }: FastifyRequest) {
    const [, token = ''] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? []
    try {
      return (await jwtVerify(token, keys, expected)).payload
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
      throw Object.assign(new Error('The access token is missing or invalid.'), {
        statusCode: 401,
        headers: { 'www-authenticate': 'Bearer error="invalid_token"' }
      })
    }
  }

  const app = Fastify()
  app.get('/orders', async request => {
    const { sub, role } = await verifyToken(request)
    return { of: sub, role, orders: [] }
  })
  return app
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await buildService().listen({ port: 3001 })
  console.log('http://localhost:3001/orders')
}
