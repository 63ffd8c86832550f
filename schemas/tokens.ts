/** What a login or a registration answers with: a short-lived access token, a refresh token, and the user. A refresh answers with the tokens alone. */
import { Type, type Static } from '@sinclair/typebox'
import { componentName, Detail, type ContractShape } from './common.js'
import { UserRef } from './user.js'

export const refreshExample = 'Rk9PQkFSLW9wYXF1ZS0yNTYtYml0LXRva2VuLTAwMDE'
export const accessExample = 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTkzOTFmMiJ9.c2lnbmF0dXJl'

const expiration = (what: string) => Type.String({ format: 'date-time', description: `When the ${what} token expires, UTC.`, examples: ['2026-11-23T18:59:49.244Z'] })

const pair = {
  access: Type.String({ description: 'JWT (RFC 9068) for the Authorization header, as `Bearer …`.', examples: [accessExample] }),
  refresh: Type.String({ description: 'Opaque, 256 bit. Keep it secret; `token/refresh` takes it once, and `logout` ends its session.', examples: [refreshExample] }),
  access_expiration: expiration('access'),
  refresh_expiration: expiration('refresh')
}

export const Tokens = (shape: ContractShape) => Type.Object({ ...pair, user: UserRef(shape) },
  { $id: componentName(shape, 'AuthTokens'), description: 'The tokens of a new session, and its user.' })

export const TokenPair = (shape: ContractShape) => Type.Object(pair,
  { $id: componentName(shape, 'AuthTokenPair'), description: 'The next tokens of a session.' })

export const TokensRef = (shape: ContractShape) => Type.Unsafe<Static<ReturnType<typeof Tokens>>>(Type.Ref(`${componentName(shape, 'AuthTokens')}#`))
export const TokenPairRef = (shape: ContractShape) => Type.Unsafe<Static<ReturnType<typeof TokenPair>>>(Type.Ref(`${componentName(shape, 'AuthTokenPair')}#`))

/** For a route that logs in only where the options say so. */
export const TokensOrDetail = (shape: ContractShape, logsIn: boolean) =>
  Type.Unsafe<Static<ReturnType<typeof Tokens>> | Static<typeof Detail>>(logsIn ? TokensRef(shape) : Detail)
