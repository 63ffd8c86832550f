/** POST /:provider: exchanges credentials from a provider for the tokens of a new session. */
import { Type, type TObject, type TOptional, type TProperties, type TString } from '@sinclair/typebox'
import { ObjectKnownAs, type ContractShape } from './common.js'
import type { AnswerCode } from './errors.js'
import { route } from './route.js'
import { setsCookies, TokensRef } from './token-pair.js'

/** What a client can see of a configured provider. */
export interface ProviderShape {
  /** The `:provider` of the routes. */
  name: string
  label: string
  /** What clients may post besides a code. */
  takes: { idToken: boolean, accessToken: boolean }
  /** Whether the provider posts to the callback. */
  postsBack: boolean
}

export interface SocialShape extends ContractShape {
  /** Whether any provider is configured. */
  social: boolean
  email: 'optional' | 'required'
  emailVerification: 'mandatory' | 'optional' | 'none'
}

export type CredentialFields = TObject<
  Record<
    'code' | 'code_verifier' | 'redirect_uri' | 'id_token' | 'nonce' | 'access_token' | 'login_code',
    TOptional<TString>
  >
>

/** Blank means absent, as in dj-rest-auth: a form with all fields sends them all. */
const text = (maxLength: number, description: string, example: string) =>
  Type.Optional(Type.String({ maxLength, description, examples: [example] }))

const idTokenExample = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'

function credentialProperties ({ label, takes }: ProviderShape): TProperties {
  return {
    code: text(2048, `Authorization code that ${label} sent to your redirect URI.`, 'SplxlOBeZQQYbYS6WxSbIA'),
    code_verifier: text(
      128,
      'PKCE code verifier for the challenge of the authorization request (RFC 7636). Recommended.',
      'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    ),
    redirect_uri: text(
      2048,
      'Redirect URI that received the code. Default: the callback of the redirect flow.',
      'https://app.example/welcome'
    ),
    ...(takes.idToken && {
      id_token: text(
        8192,
        `Instead of a code: an ID token that ${label} issued to this app. Can be used once.`,
        idTokenExample
      ),
      nonce: text(
        255,
        'Nonce of the request for the code or the ID token. Required if the request had one.',
        'n-0S6_WzA2Mj'
      )
    }),
    ...((takes.idToken || takes.accessToken) && { access_token: accessToken(label, takes) })
  }
}

/** Front ends written for dj-rest-auth post an ID token in this field, too. */
function accessToken (label: string, takes: ProviderShape['takes']) {
  const accepted = [
    ...(takes.accessToken ? [`an access token that ${label} issued to this app`] : []),
    ...(takes.idToken ? ['the ID token, for clients that cannot send it as `id_token`'] : [])
  ]
  const example = takes.accessToken ? 'ya29.a0AfH6SMB' : idTokenExample
  return text(8192, `Instead of a code: ${accepted.join(', or ')}.`, example)
}

const loginCode = text(
  128,
  'Instead of a code: the login code from the end of the redirect flow in this browser. Can be used once, within a ' +
  'minute.',
  'bG9naW4tY29kZS0yNTYtYml0LW9wYXF1ZS0wMDAwMDE'
)

/** The errors of provider credentials, at login and at connect. */
export const credentialErrors = ({ takes }: ProviderShape) =>
  [
    'provider_credentials_required',
    ...(takes.idToken || takes.accessToken ? (['provider_token_invalid'] as const) : []),
    'code_exchange_failed',
    'provider_error',
    'provider_unavailable'
  ] as const satisfies readonly AnswerCode[]

/** One for each way: a code or a token, never both. */
const credentialExamples = (properties: TProperties) =>
  [['code', 'code_verifier', 'redirect_uri'], ['id_token'], ['access_token'], ['login_code']]
    .filter(([first = '']) => first in properties)
    .map(names => Object.fromEntries(names.map(name => [name, properties[name]?.examples[0]])))

/** The body of a route, with its examples. */
const credentials = (properties: TProperties) =>
  ({ body: ObjectKnownAs<CredentialFields>(properties), bodies: credentialExamples(properties) })

export const connectCredentials = (provider: ProviderShape) => credentials(credentialProperties(provider))

/** An operation ID such as `socialLoginGoogle`. */
export const operationOf = (operation: string, { name }: ProviderShape) =>
  operation + name.replace(/(?:^|-)(.)/g, (_all, letter: string) => letter.toUpperCase())

/** Why a login can fail although the provider confirmed the identity. */
const entryErrors = ({ email, emailVerification }: SocialShape) =>
  [
    'account_exists',
    'invalid_credentials',
    'registration_closed',
    'rejected',
    ...(emailVerification === 'mandatory' ? (['email_not_verified'] as const) : []),
    ...(email === 'required' ? (['provider_email_missing'] as const) : [])
  ] as const satisfies readonly AnswerCode[]

export const socialLoginRoute = (shape: SocialShape, provider: ProviderShape) => route(shape, {
  operationId: operationOf('socialLogin', provider),
  summary: `Log in with ${provider.label}`,
  description: 'Starts a session, and creates an account if there is none yet.',
  tag: 'Social',
  limit: 'socialLogin',
  ...credentials({ ...credentialProperties(provider), ...(!setsCookies(shape) && { login_code: loginCode }) }),
  answer: TokensRef(shape),
  answered: 'The user is logged in.',
  errors: [
    ...credentialErrors(provider),
    ...entryErrors(shape),
    ...(setsCookies(shape) ? [] : (['state_invalid'] as const))
  ],
  fields: ['value_not_allowed']
})
