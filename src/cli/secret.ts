/** `fastify-rest-auth secret`: generates a value for the option `secret` or `tokens.keys`, or rotates the secret. */
import { mintToken } from '../lib/secrets.js'
import { generateSigningKey } from '../lib/signing-keys.js'
import { defineCommand, type Outcome } from './command.js'
import { optionFlags } from './load-options.js'

export const secret = defineCommand({
  flags: {
    algorithm: {
      type: 'string',
      value: '<name>',
      summary: 'EdDSA or ES256: a private key for tokens.keys, as a JWK on one line; default: HS256'
    },
    pem: { type: 'boolean', summary: 'the private key as PKCS#8 PEM' },
    rotate: {
      type: 'boolean',
      summary: 'a new secret, followed by the current ones, from AUTH_SECRET or your options'
    },
    options: optionFlags.options
  },
  run: async ({ values: { algorithm = 'HS256', pem = false, rotate = false, options } }) => {
    if (!rotate && options !== undefined) throw new Error('secret: --options requires --rotate')
    if (!rotate) return secretCommand(algorithm, pem)
    if (algorithm !== 'HS256' || pem) {
      throw new Error('secret: --rotate is for the option secret; docs/signing.md tells how to rotate tokens.keys')
    }
    const { rotateSecret } = await import('./secret-rotation.js')
    return await rotateSecret(options)
  }
})

/** A new secret; with `EdDSA` or `ES256` a private key, as the JSON of a JWK or as PKCS#8 PEM. */
export function secretCommand (algorithm: string, pem: boolean): Outcome {
  const text = generate(algorithm, pem)
  return { text, data: { secret: text } }
}

function generate (algorithm: string, pem: boolean): string {
  if (algorithm === 'EdDSA' || algorithm === 'ES256') return generateSigningKey(algorithm, pem ? 'pem' : 'jwk')
  if (algorithm !== 'HS256') throw new Error('secret: --algorithm must be HS256, EdDSA or ES256')
  if (pem) throw new Error('secret: --pem requires --algorithm EdDSA or ES256')
  return mintToken()
}
