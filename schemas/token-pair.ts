/** What a login or a registration answers with: a short-lived access token, a refresh token, and the user. A refresh answers with the tokens alone. */
import { Type, type Static, type TObject, type TOptional, type TString } from '@sinclair/typebox'
import { componentName, Detail, ObjectKnownAs, type ContractShape } from './common.js'
import { UserRef } from './user.js'

export const refreshExample = 'Rk9PQkFSLW9wYXF1ZS0yNTYtYml0LXRva2VuLTAwMDE'
export const accessExample = 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTkzOTFmMiJ9.c2lnbmF0dXJl'

const expiration = (what: string) =>
  Type.String({
    format: 'date-time',
    description: `When the ${what} token expires, UTC.`,
    examples: ['2026-11-23T18:59:49.244Z']
  })

type PairProperties = {
  access: TOptional<TString>
  refresh: TOptional<TString>
  access_expiration: TString
  refresh_expiration: TString
}

/** Where tokens travel in cookies, no body has them. */
const pair = ({ cookie }: ContractShape) => ({
  ...(cookie === undefined && {
    access: Type.String({
      description: 'JWT (RFC 9068) for the Authorization header, as `Bearer …`.',
      examples: [accessExample]
    }),
    refresh: Type.String({
      description: 'Opaque, 256 bit. Keep it secret; `token/refresh` takes it once, and `logout` ends its session.',
      examples: [refreshExample]
    })
  }),
  access_expiration: expiration('access'),
  refresh_expiration: expiration('refresh')
})

const described = ({ cookie }: ContractShape, what: string) =>
  cookie === undefined ? `${what}.` : `${what}; the tokens are set as cookies.`

export const Tokens = (shape: ContractShape) =>
  ObjectKnownAs<TObject<PairProperties & { user: ReturnType<typeof UserRef> }>>(
    { ...pair(shape), user: UserRef(shape) },
    {
      $id: componentName(shape, 'AuthTokens'),
      description: described(shape, 'The tokens of a new session, and its user')
    }
  )

export const TokenPair = (shape: ContractShape) => ObjectKnownAs<TObject<PairProperties>>(pair(shape),
  { $id: componentName(shape, 'AuthTokenPair'), description: described(shape, 'The next tokens of a session') })

export const TokensRef = (shape: ContractShape) =>
  Type.Unsafe<Static<ReturnType<typeof Tokens>>>(Type.Ref(`${componentName(shape, 'AuthTokens')}#`))
export const TokenPairRef = (shape: ContractShape) =>
  Type.Unsafe<Static<ReturnType<typeof TokenPair>>>(Type.Ref(`${componentName(shape, 'AuthTokenPair')}#`))

/** For a route that logs in only where the options say so. */
export const TokensOrDetail = (shape: ContractShape, logsIn: boolean) =>
  Type.Unsafe<Static<ReturnType<typeof Tokens>> | Static<typeof Detail>>(logsIn ? TokensRef(shape) : Detail)
