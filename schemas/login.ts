/** POST /login: exchanges an identifier and its password for the tokens of a new session. */
import { Type, type TObject, type TOptional, type TString } from '@sinclair/typebox'
import { Email, ObjectKnownAs, Password, type ContractShape } from './common.js'
import { route } from './route.js'
import { TokensRef } from './token-pair.js'

export interface LoginShape extends ContractShape {
  loginMethods: readonly ('email' | 'username')[]
  emailVerification: 'mandatory' | 'optional' | 'none'
}

function loginBody ({ loginMethods }: LoginShape) {
  // Blank means absent, as in dj-rest-auth: a form with both fields sends both.
  const properties = {
    ...(loginMethods.includes('username') && {
      username: Type.Optional(loginMethods.includes('email')
        ? Type.String({ maxLength: 254, description: 'The username or the e-mail address.', examples: ['alice'] })
        : Type.String({ maxLength: 150, examples: ['alice'] }))
    }),
    ...(loginMethods.includes('email') && { email: Type.Optional(Type.String({ ...Email, minLength: 0 })) }),
    password: Password('The password.')
  }
  return ObjectKnownAs<TObject<{ username: TOptional<TString>; email: TOptional<TString>; password: TString }>>(
    properties
  )
}

const identifiers = { email: 'alice@example.com', username: 'alice' }

/** What a login must include, in the message of `identifier_required`. */
export const identifierIn = ({ length, 0: first }: LoginShape['loginMethods']) =>
  length === 2 ? 'either "username" or "email"' : `"${first}"`

/** The token with which the attempts of a device count apart from those of strangers. */
function deviceHeaders ({ limited, deliveries = ['body'] }: LoginShape) {
  if (!limited?.has('login') || !deliveries.includes('body')) return {}
  return {
    headers: {
      'Device-Token': 'The token of this device, from an earlier login. With it, failures elsewhere do not count.'
    },
    answerHeaders: { 'Device-Token': 'A token for this device. Store it, and send it with each login.' }
  }
}

export const loginRoutes = (shape: LoginShape) => ({
  login: route(shape, {
    operationId: 'login',
    limit: 'login',
    summary: 'Log in',
    description: 'Starts a session. An unknown user, a wrong password and a deactivated account return the same ' +
      'response.' + (shape.emailVerification === 'mandatory'
      ? ' `email_not_verified` is returned only if the password is correct.'
      : ''),
    tag: 'Session',
    body: loginBody(shape),
    ...deviceHeaders(shape),
    bodies: shape.loginMethods.map(method => ({ [method]: identifiers[method], password: 'Sup3r-secret-pw' })),
    answer: TokensRef(shape),
    answered: 'The user is logged in.',
    samples: { identifier: identifierIn(shape.loginMethods) },
    errors: [
      'identifier_required',
      'invalid_credentials',
      ...(shape.emailVerification === 'mandatory' ? (['email_not_verified'] as const) : []),
      'rejected',
      'server_busy'
    ],
    fields: ['value_not_allowed']
  })
})
