/** POST /:provider: what a provider has handed out is exchanged for the tokens of a new session. */
import { Type, type TObject, type TOptional, type TProperties, type TString } from '@sinclair/typebox'
import { ObjectKnownAs, type ContractShape } from './common.js'
import type { AnswerCode } from './errors.js'
import { route } from './route.js'
import { TokensRef } from './token-pair.js'

/** What a client can see of a configured provider. */
export interface ProviderShape {
  /** A part of the routes. */
  name: string
  label: string
  /** What clients may post, beside a code. */
  takes: { idToken: boolean, accessToken: boolean }
  /** Whether the provider posts to the callback. */
  postsBack: boolean
}

export interface SocialShape extends ContractShape {
  /** Whether users may come from a provider. */
  social: boolean
  email: 'optional' | 'required'
  emailVerification: 'mandatory' | 'optional' | 'none'
}

export type GrantFields = TObject<
  Record<
    'code' | 'code_verifier' | 'redirect_uri' | 'id_token' | 'nonce' | 'access_token' | 'login_code',
    TOptional<TString>
  >
>

/** Blank is as good as absent, as in dj-rest-auth: a form that shows all sends all. */
const text = (maxLength: number, description: string, example: string) =>
  Type.Optional(Type.String({ maxLength, description, examples: [example] }))

function grantProperties ({ label, takes }: ProviderShape): TProperties {
  return {
    code: text(2048, `The code that ${label} sent to your redirect URI.`, 'SplxlOBeZQQYbYS6WxSbIA'),
    code_verifier: text(
      128,
      'The PKCE verifier of the challenge that the code was asked for with (RFC 7636). Send one.',
      'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    ),
    redirect_uri: text(
      2048,
      'The redirect URI that the code was sent to. Default: the callback of the redirect flow.',
      'https://app.example/welcome'
    ),
    ...(takes.idToken && {
      id_token: text(
        8192,
        `Instead of a code: an ID token that ${label} issued to this app. Good once.`,
        'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'
      ),
      nonce: text(
        255,
        'The nonce that the code or the ID token was asked for with; needed where there was one.',
        'n-0S6_WzA2Mj'
      )
    }),
    ...(takes.accessToken && {
      access_token: text(4096, `Instead of a code: an access token that ${label} issued to this app.`, 'ya29.a0AfH6SMB')
    })
  }
}

const loginCode = text(
  128,
  'Instead of a code: what the redirect flow of this browser ended with. Good once, for a minute.',
  'bG9naW4tY29kZS0yNTYtYml0LW9wYXF1ZS0wMDAwMDE'
)

/** What a grant can be refused with, at login and at connect. */
export const grantErrors = ({ takes }: ProviderShape) =>
  [
    'provider_credentials_required',
    ...(takes.idToken || takes.accessToken ? (['provider_token_invalid'] as const) : []),
    'code_exchange_failed',
    'provider_error',
    'provider_unavailable'
  ] as const satisfies readonly AnswerCode[]

export const GrantBody = (provider: ProviderShape) => ObjectKnownAs<GrantFields>(grantProperties(provider))

/** `socialLoginGoogle`. */
export const operationOf = (operation: string, { name }: ProviderShape) =>
  operation + name.replace(/(?:^|-)(.)/g, (_all, letter: string) => letter.toUpperCase())

/** What can keep somebody out whom the provider knows. */
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
  description: 'Opens a session, and an account where there is none yet.',
  tag: 'Social',
  body: ObjectKnownAs<GrantFields>({
    ...grantProperties(provider),
    ...(shape.cookie === undefined && { login_code: loginCode })
  }),
  answer: TokensRef(shape),
  answered: 'Logged in.',
  errors: [
    ...grantErrors(provider),
    ...entryErrors(shape),
    ...(shape.cookie === undefined ? (['state_invalid'] as const) : [])
  ],
  fields: ['value_not_allowed']
})
