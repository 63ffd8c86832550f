/** `fastify-rest-auth secret`: generates a value for the option `secret` or `tokens.keys`. */
import { mintToken } from '../lib/secrets.js'
import { generateSigningKey } from '../lib/signing-keys.js'

/** A new secret; with `EdDSA` or `ES256` a private key, as the JSON of a JWK or as PKCS#8 PEM. */
export function secretCommand (algorithm: string, pem: boolean): string {
  if (algorithm === 'EdDSA' || algorithm === 'ES256') return generateSigningKey(algorithm, pem ? 'pem' : 'jwk')
  if (algorithm !== 'HS256') throw new Error('secret: --algorithm must be HS256, EdDSA or ES256')
  if (pem) throw new Error('secret: --pem requires --algorithm EdDSA or ES256')
  return mintToken()
}
