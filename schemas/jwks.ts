/** GET /.well-known/jwks.json: the keys that verify access tokens, if those are signed asymmetrically. */
import { Type } from '@sinclair/typebox'
import type { ContractShape } from './common.js'
import { route } from './route.js'

// Only these members are serialised, so a private one cannot leak.
const PublicKey = Type.Object({
  kty: Type.String({ description: 'Key type: `OKP` (Ed25519) or `EC`.', examples: ['OKP'] }),
  crv: Type.String({ description: 'Curve of the key.', examples: ['Ed25519'] }),
  x: Type.String({ examples: ['11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'] }),
  y: Type.Optional(Type.String({ description: 'Only for `EC` keys.' })),
  kid: Type.String({
    description: 'Key ID, as in the header of tokens: the thumbprint of the key (RFC 7638).',
    examples: ['kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k']
  }),
  use: Type.String({ examples: ['sig'] }),
  alg: Type.String({ description: 'The only algorithm that the key is for.', examples: ['EdDSA'] })
})

export const jwksRoutes = (shape: ContractShape) => ({
  getJwks: route(shape, {
    operationId: 'getJwks',
    summary: 'Read the keys that verify access tokens',
    description: 'A JWK Set (RFC 7517). It may be cached for five minutes.',
    tag: 'Session',
    answer: Type.Object({
      keys: Type.Array(PublicKey, { description: 'The first key signs; the others are being rotated in or out.' })
    }),
    answered: 'The public keys.'
  })
})
