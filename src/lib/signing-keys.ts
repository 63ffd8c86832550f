/**
 * Asymmetric signing keys: read from PEM or JWK, checked, named by their thumbprint, published without their
 * private half. What is wrong with one is told without a word of the key.
 */
import {
  createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type JsonWebKey,
  type KeyObject
} from 'node:crypto'

export type KeyAlgorithm = 'EdDSA' | 'ES256'

/** RFC 7517, RFC 8037: what anybody may know of a key. */
export interface PublicJwk {
  kty: string
  crv: string
  x: string
  y?: string
  kid: string
  use: 'sig'
  alg: KeyAlgorithm
}

/** What signs or verifies the tokens that name it. */
export interface SigningKey {
  kid: string
  /** The text of a shared secret; or PEM, where `private` is absent from a key that only verifies. */
  secret: string | { private?: string, public: string }
  /** Of an asymmetric key. */
  jwk?: PublicJwk
}

const curves = {
  EdDSA: { name: 'Ed25519', hash: null, fits: ({ asymmetricKeyType }: KeyObject) => asymmetricKeyType === 'ed25519' },
  ES256: {
    name: 'P-256',
    hash: 'sha256',
    fits: ({ asymmetricKeyDetails }: KeyObject) => asymmetricKeyDetails?.namedCurve === 'prime256v1'
  }
} as const

/** Reads a PEM (PKCS#8, or SPKI for one that only verifies) or a JWK, which may be its JSON text; throws an Error that says what is wrong. */
export function readSigningKey (given: string | object, algorithm: KeyAlgorithm): SigningKey {
  const { jwk: declared = {}, privateKey, publicKey } = parse(given)
  const { name, hash, fits } = curves[algorithm]
  if (!fits(publicKey)) throw new Error(`is no ${name} key, which ${algorithm} needs`)
  if (declared.alg !== undefined && declared.alg !== algorithm && declared.alg !== name) { throw new Error(`says alg ${JSON.stringify(declared.alg)}, and not ${algorithm}`) }
  if (declared.use !== undefined && declared.use !== 'sig') throw new Error('is not for signatures, as its use says')
  // A JWK states both halves, and nobody else compares them.
  if (privateKey && !verify(hash, probe, publicKey, sign(hash, probe, privateKey))) { throw new Error('has a public half that is of another key') }
  const jwk = publish(publicKey, algorithm)
  const weak = weakness(jwk, privateKey)
  if (weak) throw new Error(weak)
  return {
    kid: jwk.kid,
    secret: { ...(privateKey && { private: pem(privateKey) }), public: pem(publicKey) },
    jwk
  }
}

const probe = Buffer.from('probe')
const pem = (key: KeyObject) =>
  key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }).toString()

/** A new private key: as the JSON of a JWK, which fits in a line, or as PKCS#8 PEM. */
export function generateSigningKey (algorithm: KeyAlgorithm, format: 'jwk' | 'pem'): string {
  const { privateKey, publicKey } =
    algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return format === 'pem'
    ? pem(privateKey).trim()
    : JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...publish(publicKey, algorithm) })
}

function parse (given: string | object): { jwk?: JsonWebKey, privateKey?: KeyObject, publicKey: KeyObject } {
  try {
    const jwk =
      typeof given === 'object'
        ? (given as JsonWebKey)
        : given.trim().startsWith('{')
          ? (JSON.parse(given) as JsonWebKey)
          : undefined
    const isPrivate = jwk ? jwk.d !== undefined : /PRIVATE KEY-----/.test(given as string)
    const key = jwk ? { format: 'jwk', key: jwk } as const : given as string
    return {
      ...(jwk && { jwk }),
      ...(isPrivate && { privateKey: createPrivateKey(key) }),
      publicKey: createPublicKey(key)
    }
  } catch {
    // Whatever Node.js says of it may quote it.
    throw new Error('is no key: give PKCS#8 PEM or a JWK')
  }
}

function publish (publicKey: KeyObject, alg: KeyAlgorithm): PublicJwk {
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' }) as { kty: string, crv: string, x: string, y?: string }
  // RFC 7638 §3.2, RFC 8037 §2: these members, in this order.
  const kid = createHash('sha256')
    .update(JSON.stringify({ crv, kty, x, ...(y !== undefined && { y }) }))
    .digest('base64url')
  return { kty, crv, x, ...(y !== undefined && { y }), kid, use: 'sig', alg }
}

/** Thumbprints of keys whose private half is printed: in RFC 8037 A.1, RFC 7515 A.3, RFC 7517 A.2, and on jwt.io. */
const samples = new Set([
  'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', 'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U',
  'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s', '19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8'
])

function weakness ({ kid, x }: PublicJwk, privateKey: KeyObject | undefined): string | undefined {
  if (samples.has(kid)) return 'is a published sample'
  const { d } = privateKey?.export({ format: 'jwk' }) ?? {}
  // 32 random bytes have 30 different ones.
  return new Set(Buffer.from(d ?? x, 'base64url')).size < 12 ? 'repeats itself' : undefined
}
