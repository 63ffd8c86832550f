/** GET /.well-known/jwks.json: the keys that verify the access tokens, where those are signed asymmetrically. */
import { Type } from '@sinclair/typebox'
import type { ContractShape } from './common.js'
import { route } from './route.js'

// Nothing else is serialised: a private member could not get out.
const PublicKey = Type.Object({
  kty: Type.String({ description: 'Kind of key: `OKP` (Ed25519) or `EC`.', examples: ['OKP'] }),
  crv: Type.String({ description: 'Its curve.', examples: ['Ed25519'] }),
  x: Type.String({ examples: ['11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'] }),
  y: Type.Optional(Type.String({ description: 'Of an `EC` key.' })),
  kid: Type.String({
    description: 'Thumbprint of the key (RFC 7638): what tokens name it by.',
    examples: ['kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k']
  }),
  use: Type.String({ examples: ['sig'] }),
  alg: Type.String({ description: 'The one algorithm it is for.', examples: ['EdDSA'] })
})

export const jwksRoutes = (shape: ContractShape) => ({
  getJwks: route(shape, {
    operationId: 'getJwks',
    summary: 'Read the keys that verify access tokens',
    description: 'A JWK Set (RFC 7517). May be kept for five minutes.',
    tag: 'Session',
    answer: Type.Object({
      keys: Type.Array(PublicKey, { description: 'The first signs; the others are on their way in or out.' })
    }),
    answered: 'The public keys.'
  })
})
