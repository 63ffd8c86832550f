/**
 * What login and registration return: a short-lived access token, a refresh token, and the user; a refresh returns the
 * tokens alone. With `tokens.format: 'opaque'` it is one key instead.
 */
import { Type, type Static, type TObject, type TOptional, type TProperties, type TString } from '@sinclair/typebox'
import {
  componentName, componentRef, ObjectKnownAs, says, Timestamp, type ContractShape, type Delivery
} from './common.js'
import { UserRef } from './user.js'

export const refreshExample = 'Rk9PQkFSLW9wYXF1ZS0yNTYtYml0LXRva2VuLTAwMDE'
export const accessExample = 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTkzOTFmMiJ9.c2lnbmF0dXJl'
export const keyExample = 'fra_b3BhcXVlLTI1Ni1iaXQta2V5LW9mLWEtc2Vzc2lvbiEPosYmz'

type TokenProperties = {
  [Name in 'access' | 'refresh' | 'key' | 'access_expiration' | 'refresh_expiration' | 'key_expiration']:
  TOptional<TString>
}
type KnownTokens = TObject<TokenProperties>
type KnownSession = TObject<TokenProperties & { user: ReturnType<typeof UserRef> }>

const pair = ({ rotates = true }: ContractShape, delivery: Delivery): TProperties => ({
  ...(delivery !== 'cookies' && {
    access: Type.String({
      description: 'JWT (RFC 9068) for the header `Authorization: Bearer …`.',
      examples: [accessExample]
    })
  }),
  ...(delivery === 'body' && {
    refresh: Type.String({
      description: 'Opaque. Keep it secret: `token/refresh` accepts it ' +
        `${rotates ? 'once' : 'until the session ends'}, and \`logout\` ends its session.`,
      examples: [refreshExample]
    })
  }),
  access_expiration: Timestamp('Time when the access token expires (UTC).', 'inFiveMinutes'),
  refresh_expiration: Timestamp('Time when the refresh token expires (UTC).', 'inAWeek')
})

const key = (delivery: Delivery): TProperties => ({
  ...(delivery === 'body' && {
    key: Type.String({
      description: 'For the header `Authorization: Token …` or `Authorization: Bearer …`. Keep it secret: it is ' +
        'valid until the session ends.',
      examples: [keyExample]
    })
  }),
  key_expiration: Timestamp('Time when the key expires unless it is used before then (UTC).', 'inAWeek')
})

const tokenProperties = (shape: ContractShape, delivery: Delivery) =>
  shape.format === 'opaque' ? key(delivery) : pair(shape, delivery)

export const deliveriesOf = ({ deliveries = ['body'] }: ContractShape): readonly Delivery[] => deliveries

/** Whether a browser gets tokens in cookies. */
export const setsCookies = (shape: ContractShape): boolean => deliveriesOf(shape).some(delivery => delivery !== 'body')

const inCookies = {
  body: '',
  cookies: ' The tokens themselves are set as cookies.',
  'refresh-cookie': ' The refresh token is set as a cookie.'
}

/** Where each client gets what, if pages and apps differ. */
function descriptionOf (shape: ContractShape, what: string, delivery: Delivery): string {
  const reader = deliveriesOf(shape).length === 1
    ? ''
    : delivery === 'body' ? ' For clients that are no page in a browser.' : ' For pages in a browser.'
  return `${what}.${inCookies[delivery]}${reader}`
}

/** The name of the component for one way of delivery; pages have one of their own beside that of the apps. */
const nameOf = (shape: ContractShape, base: string, delivery: Delivery) =>
  deliveriesOf(shape).length > 1 && delivery !== 'body' ? `${base}InCookies` : base

const sessionName = ({ format }: ContractShape) => format === 'opaque' ? 'AuthKey' : 'AuthTokens'
const pairName = 'AuthTokenPair'

const sessionOf = (shape: ContractShape, delivery: Delivery) =>
  ObjectKnownAs<KnownSession>({ ...tokenProperties(shape, delivery), user: UserRef(shape) }, {
    $id: componentName(shape, nameOf(shape, sessionName(shape), delivery)),
    description: descriptionOf(shape, 'A new session and its user', delivery)
  })

const pairOf = (shape: ContractShape, delivery: Delivery) =>
  ObjectKnownAs<KnownTokens>(tokenProperties(shape, delivery), {
    $id: componentName(shape, nameOf(shape, pairName, delivery)),
    description: descriptionOf(shape, 'The next tokens of a session', delivery)
  })

/** The components of all ways of delivery. */
export const tokenComponents = (shape: ContractShape) => deliveriesOf(shape).flatMap(delivery =>
  [sessionOf(shape, delivery), ...(shape.format === 'opaque' ? [] : [pairOf(shape, delivery)])])

/** The component, or one of two. */
function refTo (shape: ContractShape, base: string): object {
  const refs = deliveriesOf(shape).map(delivery => componentRef(shape, nameOf(shape, base, delivery)))
  return refs.length === 1 ? refs[0] ?? {} : { anyOf: refs }
}

export const TokensRef = (shape: ContractShape) =>
  Type.Unsafe<Static<KnownSession>>(refTo(shape, sessionName(shape)))
export const TokenPairRef = (shape: ContractShape) => Type.Unsafe<Static<KnownTokens>>(refTo(shape, pairName))

/** The response of a route that logs in only under some options, and else says `detail`. */
export const tokensOr = (shape: ContractShape, logsIn: boolean, detail: string) => {
  const { answer, example } = logsIn ? { answer: TokensRef(shape), example: undefined } : says(shape, detail)
  return { answer: Type.Unsafe<Static<KnownSession> | Static<typeof answer>>(answer), example }
}
