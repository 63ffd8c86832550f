/** Verifies an ID token (OpenID Connect Core §3.1.3.7). Errors never contain anything from the token. */
import { createHash } from 'node:crypto'
import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyResult } from 'jose'
import type { IdClaims, Provider } from '../providers/provider.js'
import { ProviderError, type ProviderErrorCode } from './provider-error.js'

export interface IdTokenExpectations {
  keys: JWTVerifyGetKey
  provider: Provider
  audiences: readonly string[]
  /** Undefined: any, or none. */
  nonce: string | undefined
  /** The access token of the same response, for `at_hash`. */
  accessToken?: string | undefined
  now: Date
  /** Thrown for an invalid token: who is to blame, the provider or the client that posted it. */
  failureCode: Extract<ProviderErrorCode, 'provider_error' | 'provider_token_invalid'>
}

/** No HMAC, or everybody who knows the public key could sign with it; and not `none` (RFC 8725 §3.1). */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const clockToleranceSeconds = 60

/** The verified claims. Throws a ProviderError with `failureCode`, or what fetching the keys throws. */
export async function verifyIdToken (
  token: string,
  expected: IdTokenExpectations
): Promise<IdClaims & { exp: number }> {
  const { payload, protectedHeader } = await verifySignature(token, expected)
  const failed = firstFailedCheck(payload, protectedHeader, expected)
  if (failed) throw new ProviderError(expected.failureCode, `ID token: ${failed}`)
  // firstFailedCheck has just checked the types of `iss`, `sub` and `exp`.
  return payload as IdClaims & { exp: number }
}

async function verifySignature (
  token: string,
  { keys, audiences, now, failureCode }: IdTokenExpectations
): Promise<JWTVerifyResult> {
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
    const code = error instanceof errors.JOSEError ? error.code : 'unusable key'
    const isClaimError = error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired
    throw new ProviderError(failureCode, `ID token: ${code}${isClaimError ? ` (${error.claim})` : ''}`)
  }
}

function firstFailedCheck (
  claims: JWTPayload,
  { alg, typ }: { alg: string, typ?: string },
  { provider, audiences, nonce, accessToken, now }: IdTokenExpectations
): string | undefined {
  const { iss, sub, aud, azp, exp, iat, nonce: given, at_hash: hash } = claims
  const isIssuer = (iss: string, sub: string) =>
    iss === provider.issuer || provider.acceptsIssuer?.(iss, { ...claims, iss, sub }) === true
  const checks: Record<string, boolean> = {
    iss: typeof iss === 'string' && isIssuer(iss, sub ?? ''),
    sub: typeof sub === 'string' && sub !== '',
    azp: azp === undefined ? !Array.isArray(aud) || aud.length === 1 : audiences.some(audience => audience === azp),
    iat: typeof iat === 'number' && iat <= now.getTime() / 1000 + clockToleranceSeconds,
    // Used tokens are stored until then, so it must be a valid date.
    exp: typeof exp === 'number' && exp < 1e10,
    nonce: nonce === undefined || given === nonce || (given === undefined && provider.sendsNonce === false),
    at_hash: hash === undefined || accessToken === undefined || hash === halfHash(accessToken, alg),
    typ: isIdToken(claims, typ)
  }
  return Object.keys(checks).find(claim => !checks[claim])
}

/** The same key also signs access tokens (RFC 9068) and logout tokens; Keycloak has a claim `typ` for the kind. */
const isIdToken = ({ typ, events }: JWTPayload, header = 'JWT') =>
  /^(application\/)?jwt$/i.test(header) && events === undefined && (typ === undefined || typ === 'ID')

/** `at_hash` (§3.1.3.6): the left half of the hash that the algorithm uses; Ed25519 uses SHA-512. */
function halfHash (accessToken: string, alg: string): string {
  const hash = createHash(`sha${/\d{3}$/.exec(alg)?.[0] ?? '512'}`).update(accessToken).digest()
  return hash.subarray(0, hash.length / 2).toString('base64url')
}

/** Whether a JWT, not verified yet, names one of these audiences. A JWT access token has a scope (RFC 9068 §2.2.3). */
export function hasAudience (token: string, audiences: readonly string[]): boolean {
  try {
    const { aud = [], scope, scp } = decodeJwt(token)
    return scope === undefined && scp === undefined && [aud].flat().some(audience => audiences.includes(audience))
  } catch {
    return false
  }
}
