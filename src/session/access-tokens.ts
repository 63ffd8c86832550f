/**
 * Access tokens: JWTs as RFC 9068 profiles them, signed by the first key, verified by all.
 *
 * Algorithm, type, issuer and audience are pinned (RFC 8725 §3.1, 3.8, 3.9, 3.11); the times are checked here,
 * against the injected clock, because @fastify/jwt accepts a token without `exp`.
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
  exp: Type.Integer()
})
export type Claims = Static<typeof ClaimSet>
const areClaims = TypeCompiler.Compile(ClaimSet)

const Header = TypeCompiler.Compile(
  Type.Object({ kid: Type.Optional(Type.String({ maxLength: 64 })), crit: Type.Optional(Type.Never()) })
)

/** Seconds by which clocks may differ. */
const leewaySeconds = 5
/** Characters: half of what many proxies allow for all headers of a request. */
const maxTokenLength = 4096

interface TokenOptions extends Signing {
  issuer: string
  audience: string
}

/** `app` is a scope of ours: each key gets a namespace there, which leaves the host's `app.jwt` as it is. */
export async function createAccessTokens (app: FastifyInstance, { keys: signing, ...pinned }: TokenOptions) {
  // Shadows the host's, which would otherwise be given our keys.
  app.decorate('jwt', Object.create(null) as JWT)
  const keys = new Map<string, JWT>()
  for (const key of signing) keys.set(key.kid, await registerKey(app, key, pinned))
  const [signer] = keys.values()

  return {
    /** Throws an Error where the app's own claims make the token longer than `read` would accept. */
    sign: (claims: Pick<Claims, 'sub' | 'sid' | 'jti' | 'iat' | 'exp'>, own: Record<string, unknown>): string => {
      if (!signer) throw new Error('no key to sign with')
      const token = signer.sign({ ...own, iss: pinned.issuer, aud: pinned.audience, ...claims })
      if (token.length > maxTokenLength) {
        throw new Error(
          `fastify-rest-auth: tokens.claims: the access token has ${token.length} bytes, of ${maxTokenLength} at most; claim less`
        )
      }
      return token
    },

    /** The claims of a token that is ours, in time or not. */
    read: (token: string): Claims | undefined => token.length <= maxTokenLength ? read(keys, token) : undefined,

    /** The claims of a token that is ours and valid now; throws `token_expired` or `token_not_valid`. */
    verify (token: string, now: Date): Claims {
      const claims = this.read(token)
      if (!claims) throw failure('token_not_valid')
      const seconds = now.getTime() / 1000
      if (claims.exp <= seconds) throw failure('token_expired')
      if (claims.iat > seconds + leewaySeconds) throw failure('token_not_valid')
      return claims
    }
  }
}
export type AccessTokens = Awaited<ReturnType<typeof createAccessTokens>>

async function registerKey (app: FastifyInstance, { kid, secret }: SigningKey, { algorithm, issuer, audience }: Omit<TokenOptions, 'keys'>): Promise<JWT> {
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

/** The last character of a signature has bits to spare: of its spellings only the one we signed is the token. */
const isCanonical = (signature: string): boolean =>
  Buffer.from(signature, 'base64url').toString('base64url') === signature
