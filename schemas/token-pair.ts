/**
 * What login and registration return: a short-lived access token, a refresh token, and the user. A refresh returns the
 * tokens alone.
 */
import { Type, type Static, type TObject, type TOptional, type TString } from '@sinclair/typebox'
import { componentName, componentRef, Detail, ObjectKnownAs, Timestamp, type ContractShape } from './common.js'
import { UserRef } from './user.js'

export const refreshExample = 'Rk9PQkFSLW9wYXF1ZS0yNTYtYml0LXRva2VuLTAwMDE'
export const accessExample = 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTkzOTFmMiJ9.c2lnbmF0dXJl'

type PairProperties = {
  access: TOptional<TString>
  refresh: TOptional<TString>
  access_expiration: TString
  refresh_expiration: TString
}

/** If tokens travel in cookies, no body contains them. */
const pair = ({ cookie, rotates = true }: ContractShape) => ({
  ...(cookie === undefined && {
    access: Type.String({
      description: 'JWT (RFC 9068) for the header `Authorization: Bearer …`.',
      examples: [accessExample]
    }),
    refresh: Type.String({
      description: 'Opaque. Keep it secret: `token/refresh` accepts it ' +
        `${rotates ? 'once' : 'until the session ends'}, and \`logout\` ends its session.`,
      examples: [refreshExample]
    })
  }),
  access_expiration: Timestamp('Time when the access token expires (UTC).'),
  refresh_expiration: Timestamp('Time when the refresh token expires (UTC).')
})

const described = ({ cookie }: ContractShape, what: string) =>
  cookie === undefined ? `${what}.` : `${what}; the tokens themselves are set as cookies.`

export const Tokens = (shape: ContractShape) =>
  ObjectKnownAs<TObject<PairProperties & { user: ReturnType<typeof UserRef> }>>(
    { ...pair(shape), user: UserRef(shape) },
    {
      $id: componentName(shape, 'AuthTokens'),
      description: described(shape, 'The tokens of a new session and its user')
    }
  )

export const TokenPair = (shape: ContractShape) => ObjectKnownAs<TObject<PairProperties>>(pair(shape),
  { $id: componentName(shape, 'AuthTokenPair'), description: described(shape, 'The next tokens of a session') })

export const TokensRef = (shape: ContractShape) =>
  Type.Unsafe<Static<ReturnType<typeof Tokens>>>(componentRef(shape, 'AuthTokens'))
export const TokenPairRef = (shape: ContractShape) =>
  Type.Unsafe<Static<ReturnType<typeof TokenPair>>>(componentRef(shape, 'AuthTokenPair'))

/** The response of a route that logs in only under some options. */
export const TokensOrDetail = (shape: ContractShape, logsIn: boolean) =>
  Type.Unsafe<Static<ReturnType<typeof Tokens>> | Static<typeof Detail>>(logsIn ? TokensRef(shape) : Detail)
