/**
 * Access tokens: JWTs as RFC 9068 profiles them, signed with HS256 by the first secret, verified by all.
 *
 * Algorithm, type, issuer and audience are pinned (RFC 8725 §3.1, 3.8, 3.9, 3.11); the times are checked here,
 * against the injected clock, because @fastify/jwt accepts a token without `exp`.
 */
import fastifyJwt, { type JWT } from '@fastify/jwt'
import { Type, type Static } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifyInstance } from 'fastify'
import { failure } from './errors.js'
import { keyId } from './lib/secrets.js'

const ClaimSet = Type.Object({
  iss: Type.String(),
  aud: Type.String(),
  sub: Type.String({ minLength: 1, maxLength: 200 }),
  sid: Type.String({ minLength: 1, maxLength: 200 }),
  jti: Type.String({ minLength: 1, maxLength: 200 }),
  iat: Type.Integer(),
  exp: Type.Integer()
})
export type Claims = Static<typeof ClaimSet>
const areClaims = TypeCompiler.Compile(ClaimSet)

const Header = TypeCompiler.Compile(Type.Object({ kid: Type.Optional(Type.String({ maxLength: 64 })), crit: Type.Optional(Type.Never()) }))

/** Seconds by which clocks may differ. */
const leeway = 5
const longest = 4096

export interface TokenOptions {
  secrets: readonly string[]
  issuer: string
  audience: string
}

/** `app` is a scope of ours: each secret gets a namespace there, which leaves the host's `app.jwt` as it is. */
export async function createAccessTokens (app: FastifyInstance, { secrets, issuer, audience }: TokenOptions) {
  // Shadows the host's, which would otherwise be given our keys.
  app.decorate('jwt', Object.create(null) as JWT)
  const keys = new Map<string, JWT>()
  for (const secret of secrets) keys.set(keyId(secret), await registerKey(app, secret, { issuer, audience }))
  const [signer] = keys.values()

  return {
    sign: (claims: Pick<Claims, 'sub' | 'sid' | 'jti' | 'iat' | 'exp'>): string => {
      if (!signer) throw new Error('no secret to sign with')
      return signer.sign({ iss: issuer, aud: audience, ...claims })
    },

    /** The claims of a token that is ours, in time or not. */
    read: (token: string): Claims | undefined => token.length <= longest ? read(keys, token) : undefined,

    /** The claims of a token that is ours and valid now; throws `token_expired` or `token_not_valid`. */
    verify (token: string, now: Date): Claims {
      const claims = this.read(token)
      if (!claims) throw failure('token_not_valid')
      const seconds = now.getTime() / 1000
      if (claims.exp <= seconds) throw failure('token_expired')
      if (claims.iat > seconds + leeway) throw failure('token_not_valid')
      return claims
    }
  }
}
export type AccessTokens = Awaited<ReturnType<typeof createAccessTokens>>

async function registerKey (app: FastifyInstance, secret: string, { issuer, audience }: { issuer: string, audience: string }): Promise<JWT> {
  const namespace = `restAuth ${audience} ${keyId(secret)}`
  await app.register(fastifyJwt, {
    namespace,
    secret,
    decoratorName: `${namespace} claims`,
    sign: { algorithm: 'HS256', header: { alg: 'HS256', typ: 'at+jwt', kid: keyId(secret) } },
    verify: { algorithms: ['HS256'], allowedIss: issuer, allowedAud: audience, checkTyp: 'at+jwt', ignoreExpiration: true, cache: false }
  })
  // Its types know of no namespaces.
  const jwt = (app.jwt as unknown as Record<string, JWT>)[namespace]
  if (!jwt) throw new Error('@fastify/jwt did not register its namespace')
  return jwt
}

/** Never throws: whatever is wrong with a token, it is not valid. */
function read (keys: Map<string, JWT>, token: string): Claims | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString())
    const key = Header.Check(header) ? keys.get(header.kid ?? '') : undefined
    const claims: unknown = isCanonical(token.slice(token.lastIndexOf('.') + 1)) ? key?.verify(token) : undefined
    return areClaims.Check(claims) ? claims : undefined
  } catch {
    return undefined
  }
}

/** 256 bits leave two over in the last character: of the four spellings only the one we signed is the token. */
const isCanonical = (signature: string): boolean => Buffer.from(signature, 'base64url').toString('base64url') === signature
