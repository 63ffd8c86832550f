/** Asymmetric signing keys: read, checked, named by thumbprint, published. Errors never quote the key. */
import {
  createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type JsonWebKey, type KeyObject
} from 'node:crypto'

export type KeyAlgorithm = 'EdDSA' | 'ES256'

/** The public part of a key (RFC 7517, RFC 8037). */
export interface PublicJwk {
  kty: string
  crv: string
  x: string
  y?: string
  kid: string
  use: 'sig'
  alg: KeyAlgorithm
}

export interface SigningKey {
  kid: string
  /** A shared secret, or a key pair as PEM; a key that only verifies has no `private`. */
  secret: string | { private?: string, public: string }
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

/** Reads a PEM (PKCS#8, SPKI) or a JWK (or its JSON). The Error that it throws continues the path of an option. */
export function readSigningKey (given: string | object, algorithm: KeyAlgorithm): SigningKey {
  const { jwk: declared = {}, privateKey, publicKey } = parse(given)
  const { name, hash, fits } = curves[algorithm]
  if (!fits(publicKey)) throw new Error(`has the wrong type; ${algorithm} requires ${name}`)
  if (declared.alg !== undefined && declared.alg !== algorithm && declared.alg !== name) {
    throw new Error(`has alg ${JSON.stringify(declared.alg)} instead of ${algorithm}`)
  }
  if (declared.use !== undefined && declared.use !== 'sig') throw new Error('has a use other than sig')
  // A JWK contains both parts, and Node.js does not compare them.
  if (privateKey && !verify(hash, probe, publicKey, sign(hash, probe, privateKey))) {
    throw new Error('has a public part that does not belong to its private part')
  }
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

/** A new private key: a JWK as one line of JSON, or PKCS#8 PEM. */
export function generateSigningKey (algorithm: KeyAlgorithm, format: 'jwk' | 'pem'): string {
  const { privateKey, publicKey } =
    algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return format === 'pem'
    ? pem(privateKey).trim()
    : JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...publish(publicKey, algorithm) })
}

function parse (given: string | object): { jwk?: JsonWebKey, privateKey?: KeyObject, publicKey: KeyObject } {
  try {
    const jwk = jwkOf(given)
    const key = jwk ? { format: 'jwk', key: jwk } as const : String(given)
    const isPrivate = typeof key === 'string' ? /PRIVATE KEY-----/.test(key) : key.key.d !== undefined
    return {
      ...(jwk && { jwk }),
      ...(isPrivate && { privateKey: createPrivateKey(key) }),
      publicKey: createPublicKey(key)
    }
  } catch {
    // The error of Node.js might quote the key.
    throw new Error('is not a valid key; use PKCS#8 PEM or a JWK')
  }
}

function jwkOf (given: string | object): JsonWebKey | undefined {
  if (typeof given === 'object') return { ...given }
  return given.trim().startsWith('{') ? JSON.parse(given) : undefined
}

function publish (publicKey: KeyObject, alg: KeyAlgorithm): PublicJwk {
  // Every key of these two curves has them (RFC 8037 §2, RFC 7518 §6.2.1); Node.js types all members as optional.
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' }) as Pick<PublicJwk, 'kty' | 'crv' | 'x' | 'y'>
  // RFC 7638 §3.2 and RFC 8037 §2 require these members in this order.
  const kid = createHash('sha256')
    .update(JSON.stringify({ crv, kty, x, ...(y !== undefined && { y }) }))
    .digest('base64url')
  return { kty, crv, x, ...(y !== undefined && { y }), kid, use: 'sig', alg }
}

/** Thumbprints of keys whose private part is public: in RFC 8037 A.1, RFC 7515 A.3, RFC 7517 A.2, and on jwt.io. */
const samples = new Set([
  'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', 'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U',
  'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s', '19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8'
])

function weakness ({ kid, x }: PublicJwk, privateKey: KeyObject | undefined): string | undefined {
  if (samples.has(kid)) return 'is a published example key'
  const { d } = privateKey?.export({ format: 'jwk' }) ?? {}
  // 32 random bytes contain about 30 different values.
  return new Set(Buffer.from(d ?? x, 'base64url')).size < 12 ? 'has too few different bytes' : undefined
}
