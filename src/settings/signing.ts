/** What is wrong with the options `tokens.algorithm` and `tokens.keys` is told at start, in one line, without the key. */
import { refuseOption } from '../lib/refuse-option.js'
import { keyId } from '../lib/secrets.js'
import { readSigningKey, type KeyAlgorithm, type SigningKey } from '../lib/signing-keys.js'

/** One algorithm a deployment, and its keys: the first signs, all verify. */
export interface Signing {
  algorithm: 'HS256' | KeyAlgorithm
  keys: readonly SigningKey[]
}

export function resolveSigning (algorithm: Signing['algorithm'], keys: Array<string | object> | undefined, secrets: readonly string[]): Signing {
  if (algorithm === 'HS256') {
    if (keys) refuseOption("tokens.keys: HS256 signs with secret; set tokens.algorithm to 'EdDSA' or 'ES256'")
    return { algorithm, keys: secrets.map(secret => ({ kid: keyId(secret), secret })) }
  }
  const command = `npx fastify-rest-auth secret --algorithm ${algorithm}`
  if (!keys) return refuseOption(`tokens.keys: ${algorithm} needs a private key; make one with: ${command}`)
  const read = keys.map((key, index) => readOrRefuse(`tokens.keys[${index}]`, key, algorithm, command))
  const [signer] = read
  if (typeof signer?.secret === 'object' && signer.secret.private === undefined) { refuseOption('tokens.keys[0]: signs, so it must be private') }
  if (new Set(read.map(({ kid }) => kid)).size < read.length) { refuseOption('tokens.keys: the same one stands in the list twice') }
  return { algorithm, keys: read }
}

function readOrRefuse (option: string, key: string | object, algorithm: KeyAlgorithm, command: string): SigningKey {
  try {
    return readSigningKey(key, algorithm)
  } catch (error) {
    return refuseOption(`${option}: ${(error as Error).message}; make one with: ${command}`)
  }
}
