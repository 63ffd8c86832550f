/**
 * Verifies an ID token (OpenID Connect Core §3.1.3.7): signed by the provider with an asymmetric key, issued by it, for this
 * app, now, for this login. What fails is told by a word, never by the token's content.
 */
import { createHash } from 'node:crypto'
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyResult } from 'jose'
import type { IdClaims, Provider } from '../providers/provider.js'
import { ProviderError, type ProviderErrorCode } from './provider-error.js'

export interface Expected {
  keys: JWTVerifyGetKey
  provider: Provider
  /** Whose token it may be. */
  audiences: readonly string[]
  /** Undefined: whatever it is. */
  nonce: string | undefined
  /** That came along. */
  accessToken?: string | undefined
  now: Date
  /** What a token that fails is: the provider's fault, or that of who posted it. */
  failureCode: Extract<ProviderErrorCode, 'provider_error' | 'provider_token_invalid'>
}

/** A shared secret as the key would let anybody sign who knows the public one, and `none` anybody at all (RFC 8725 §3.1). */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** Seconds that clocks may differ by. */
const clockToleranceSeconds = 60

/** The claims of a token, all checked. Throws `blame`, and what finding the keys does. */
export async function verifyIdToken (token: string, expected: Expected): Promise<IdClaims & { exp: number }> {
  const { payload, protectedHeader } = await verifySignature(token, expected)
  const wrong = firstFailedCheck(payload, protectedHeader, expected)
  if (wrong) throw new ProviderError(expected.failureCode, `ID token: ${wrong}`)
  // Strings and numbers, as was just checked.
  return payload as IdClaims & { exp: number }
}

async function verifySignature (token: string, { keys, audiences, now, failureCode }: Expected): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, keys, {
      algorithms,
      audience: [...audiences],
      currentDate: now,
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat']
    })
  } catch (error) {
    if (error instanceof ProviderError) throw error
    const { code, claim } = error as errors.JWTClaimValidationFailed
    throw new ProviderError(
      failureCode,
      `ID token: ${error instanceof errors.JOSEError ? code : 'unusable key'}${claim ? ` (${claim})` : ''}`
    )
  }
}

function firstFailedCheck (claims: JWTPayload, { alg, typ }: { alg: string, typ?: string }, { provider, audiences, nonce, accessToken, now }: Expected): string | undefined {
  const { iss, sub, aud, azp, exp, iat, nonce: given, at_hash: hash } = claims
  const isIssuer =
    iss === provider.issuer || (typeof iss === 'string' && provider.acceptsIssuer?.(iss, claims as IdClaims) === true)
  const checks: Record<string, boolean> = {
    iss: isIssuer,
    sub: typeof sub === 'string' && sub !== '',
    azp: azp === undefined ? !Array.isArray(aud) || aud.length === 1 : audiences.includes(azp as string),
    iat: typeof iat === 'number' && iat <= now.getTime() / 1000 + clockToleranceSeconds,
    // What is kept until then has to have a date.
    exp: typeof exp === 'number' && exp < 1e10,
    nonce: nonce === undefined || given === nonce || (given === undefined && provider.sendsNonce === false),
    at_hash: hash === undefined || accessToken === undefined || hash === halfHash(accessToken, alg),
    typ: isIdToken(claims, typ)
  }
  return Object.keys(checks).find(claim => !checks[claim])
}

/** The same key signs access tokens (RFC 9068) and logout tokens; Keycloak tells its kinds apart by a claim. */
const isIdToken = ({ typ, events }: JWTPayload, header = 'JWT') =>
  /^(application\/)?jwt$/i.test(header) && events === undefined && (typ === undefined || typ === 'ID')

/** §3.1.3.6: the left half of the hash that the algorithm uses; Ed25519 uses SHA-512. */
function halfHash (accessToken: string, alg: string): string {
  const hash = createHash(`sha${/\d{3}$/.exec(alg)?.[0] ?? '512'}`).update(accessToken).digest()
  return hash.subarray(0, hash.length / 2).toString('base64url')
}
