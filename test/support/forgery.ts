/** Decodes tokens and signs them anew, with each algorithm: as the plugin does, and as an attacker would. */
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { secret, sqliteBuild, story, t, type Build, type Test } from './build.js'

export type Json = Record<string, unknown>

export interface Scheme {
  algorithm: 'HS256' | 'EdDSA' | 'ES256'
  /** Options of an app that signs with it. */
  options: object
  /**
   * Signs any header and claims: as the plugin would or, with a key, by HMAC. Both may be JSON text, for JSON that
   * JSON.stringify cannot write.
   */
  forge: (header: Json | string, claims: Json | string, key?: string | Buffer, hash?: string) => string
  privateKey?: KeyObject
}

export const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
export const parse = (part = ''): Json => JSON.parse(Buffer.from(part, 'base64url').toString()) as Json

/** The decoded parts of a token. */
export function open (token: string) {
  const [header = '', claims = '', signature = ''] = token.split('.')
  return {
    header: parse(header),
    claims: parse(claims),
    input: `${header}.${claims}`,
    parts: [header, claims, signature] as const
  }
}

export const without = (object: Json, name: string): Json =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))

/** The signature of a text by a private key, in the form of JWS (RFC 7515). */
export const signature = (
  text: string, privateKey: KeyObject, hash = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256'
): string =>
  sign(
    hash, Buffer.from(text),
    privateKey.asymmetricKeyType === 'ec' ? { key: privateKey, dsaEncoding: 'ieee-p1363' } : privateKey
  ).toString('base64url')

export const generate = (algorithm: 'EdDSA' | 'ES256' | 'RS256'): KeyObject =>
  (algorithm === 'EdDSA'
    ? generateKeyPairSync('ed25519')
    : algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  ).privateKey

export const forgeWith = (own: (text: string) => string): Scheme['forge'] => (header, claims, key, hash = 'sha256') => {
  const text = `${encode(header)}.${encode(claims)}`
  return `${text}.${key === undefined ? own(text) : createHmac(hash, key).update(text).digest('base64url')}`
}

function asymmetric (algorithm: 'EdDSA' | 'ES256'): Scheme {
  const privateKey = generate(algorithm)
  const keys = [privateKey.export({ format: 'jwk' })]
  return {
    algorithm,
    options: { tokens: { algorithm, keys } },
    forge: forgeWith(text => signature(text, privateKey)),
    privateKey
  }
}

export const hs256: Scheme = {
  algorithm: 'HS256',
  options: {},
  forge: forgeWith(text => createHmac('sha256', secret).update(text).digest('base64url'))
}
export const schemes: readonly Scheme[] = [hs256, asymmetric('EdDSA'), asymmetric('ES256')]

/** Tests a rule with each algorithm: HS256 on each database, the others, which do not touch it, on one. */
export function everyAlgorithm (title: string, tell: (t: Test, build: Build, scheme: Scheme) => Promise<void>): void {
  for (const scheme of schemes) {
    if (scheme === hs256) {
      story(title, async (t, build) => await tell(t, build, scheme))
      continue
    }
    const build: Build = async (t, given = {}) =>
      await sqliteBuild(t, { ...given, options: { ...scheme.options, ...given.options } })
    t.test(`${title} (${scheme.algorithm})`, async t => await tell(t, build, scheme))
  }
}
