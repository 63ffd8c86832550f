/** The options `tokens.algorithm` and `tokens.keys`, checked at start. No error quotes a key. */
import { orRefuse, refuseOption } from '../lib/refuse-option.js'
import { keyId } from '../lib/secrets.js'
import { readSigningKey, type KeyAlgorithm, type SigningKey } from '../lib/signing-keys.js'

/** The algorithm of the access tokens, and its keys: the first signs, all verify. */
export interface Signing {
  algorithm: 'HS256' | KeyAlgorithm
  keys: readonly SigningKey[]
}

/** The keys to sign and verify with. Throws an Error that names the invalid option. */
export function resolveSigning (
  algorithm: Signing['algorithm'],
  keys: ReadonlyArray<string | object> | undefined,
  secrets: readonly string[]
): Signing {
  if (algorithm === 'HS256') {
    if (keys) {
      refuseOption(
        'tokens.keys: has no effect with HS256, which signs with secret; set tokens.algorithm to EdDSA or ES256'
      )
    }
    return { algorithm, keys: secrets.map(secret => ({ kid: keyId(secret), secret })) }
  }
  const hint = `generate one with: npx fastify-rest-auth secret --algorithm ${algorithm}`
  if (!keys) refuseOption(`tokens.keys: ${algorithm} requires a private key; ${hint}`)
  const read = keys.map((key, index) => orRefuse(
    () => readSigningKey(key, algorithm),
    problem => `tokens.keys[${index}]: ${problem}; ${hint}`
  ))
  const [signer] = read
  if (typeof signer?.secret === 'object' && signer.secret.private === undefined) {
    refuseOption('tokens.keys[0]: must be a private key, because the first key signs')
  }
  if (new Set(read.map(({ kid }) => kid)).size < read.length) refuseOption('tokens.keys: contains a duplicate')
  return { algorithm, keys: read }
}
