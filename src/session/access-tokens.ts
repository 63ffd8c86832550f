/**
 * Access tokens (RFC 9068). Algorithm, type, issuer and audience are pinned (RFC 8725 §3.1, 3.8, 3.9, 3.11); the times
 * are checked here, with the injected clock, because @fastify/jwt accepts a token without `exp`.
 */
import fastifyJwt, { type JWT } from '@fastify/jwt'
import { Type, type Static } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifyInstance } from 'fastify'
import { failure } from '../errors/failure.js'
import type { SigningKey } from '../lib/signing-keys.js'
import type { Signing } from '../settings/signing.js'

const ClaimSet = Type.Object({
  iss: Type.String(),
  aud: Type.String(),
  sub: Type.String({ minLength: 1, maxLength: 200 }),
  sid: Type.String({ minLength: 1, maxLength: 200 }),
  jti: Type.String({ minLength: 1, maxLength: 200 }),
  iat: Type.Integer(),
  exp: Type.Integer(),
  auth_time: Type.Optional(Type.Integer()),
  amr: Type.Optional(Type.Array(Type.String()))
})
export type Claims = Static<typeof ClaimSet>
const areClaims = TypeCompiler.Compile(ClaimSet)

const Header = TypeCompiler.Compile(
  Type.Object({ kid: Type.Optional(Type.String({ maxLength: 64 })), crit: Type.Optional(Type.Never()) })
)

// How far the clocks of two servers may differ.
const leewaySeconds = 5
// Half of what many proxies allow for all request headers together.
const maxTokenLength = 4096

interface TokenOptions extends Signing {
  issuer: string
  audience: string
}

/** Signs and verifies access tokens. Each key gets its own @fastify/jwt namespace on `app`, a scope of the plugin. */
export async function createAccessTokens (app: FastifyInstance, { keys: signing, ...pinned }: TokenOptions) {
  // Hides the host's `app.jwt`, which would otherwise get the plugin's keys. Only its namespaces are used, so the
  // object has none of the functions that the type promises.
  app.decorate('jwt', Object.create(null) as JWT)
  const keys = new Map<string, JWT>()
  for (const key of signing) keys.set(key.kid, await registerKey(app, key, pinned))
  const [signer] = keys.values()

  /** Throws an Error if the app's claims make the token longer than `read` accepts. */
  function sign (claims: Omit<Claims, 'iss' | 'aud'>, own: Record<string, unknown>): string {
    if (!signer) throw new Error('no key to sign with')
    const token = signer.sign({ ...own, iss: pinned.issuer, aud: pinned.audience, ...claims })
    if (token.length <= maxTokenLength) return token
    throw new Error(
      `fastify-rest-auth: tokens.claims: the access token is ${token.length} bytes long, and the maximum is ` +
      `${maxTokenLength}; return fewer or shorter claims`
    )
  }

  /** The claims of a token signed by one of the keys, even if it has expired. */
  const read = (token: string): Claims | undefined =>
    token.length <= maxTokenLength ? verifiedClaims(keys, token) : undefined

  /** The claims of a token that is valid now; throws `token_expired` or `token_not_valid`. */
  function verify (token: string, now: Date): Claims {
    const claims = read(token)
    if (!claims) throw failure('token_not_valid')
    const seconds = now.getTime() / 1000
    if (claims.exp <= seconds) throw failure('token_expired')
    if (claims.iat > seconds + leewaySeconds) throw failure('token_not_valid')
    return claims
  }

  /** The same, but undefined for an invalid token. */
  function claimsOf (token: string, now: Date): Claims | undefined {
    try {
      return verify(token, now)
    } catch {
      return undefined
    }
  }

  return { sign, read, verify, claimsOf }
}
export type AccessTokens = Awaited<ReturnType<typeof createAccessTokens>>

async function registerKey (
  app: FastifyInstance,
  { kid, secret }: SigningKey,
  { algorithm, issuer, audience }: Omit<TokenOptions, 'keys'>
): Promise<JWT> {
  const namespace = `restAuth ${audience} ${kid}`
  await app.register(fastifyJwt, {
    namespace,
    secret,
    decoratorName: `${namespace} claims`,
    sign: { algorithm, header: { alg: algorithm, typ: 'at+jwt', kid } },
    verify: {
      algorithms: [algorithm],
      allowedIss: issuer,
      allowedAud: audience,
      checkTyp: 'at+jwt',
      ignoreExpiration: true,
      cache: false
    }
  })
  // The types of @fastify/jwt leave namespaces out.
  const jwt = (app.jwt as unknown as Record<string, JWT>)[namespace]
  if (!jwt) throw new Error('@fastify/jwt did not register its namespace')
  return jwt
}

/** Never throws: any defect only makes the token invalid. */
function verifiedClaims (keys: Map<string, JWT>, token: string): Claims | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString())
    const key = Header.Check(header) ? keys.get(header.kid ?? '') : undefined
    const claims: unknown = isCanonical(token.slice(token.lastIndexOf('.') + 1)) ? key?.verify(token) : undefined
    return areClaims.Check(claims) ? claims : undefined
  } catch {
    return undefined
  }
}

/** The last base64url character of a signature has unused bits; only the spelling that was signed counts. */
const isCanonical = (signature: string): boolean =>
  Buffer.from(signature, 'base64url').toString('base64url') === signature
