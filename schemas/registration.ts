/** POST /registration: creates an account and its first session or, with mandatory verification, sends a mail. */
import { Type, type TObject, type TOptional, type TProperties, type TSchema, type TString } from '@sinclair/typebox'
import { ObjectKnownAs, Password } from './common.js'
import { passwordFieldCodes } from './errors.js'
import { inputOf, nullable } from './field-input.js'
import { route } from './route.js'
import { tokensOr } from './token-pair.js'
import { EmailField, takenCodes, type AccountShape } from './user.js'
import { Username } from './username.js'

type RegistrationBody = TObject<{
  username: TOptional<TString>
  email: TOptional<TString>
  password1: TString
  password2: TOptional<TString>
}>

function registrationBody (shape: AccountShape) {
  const properties: TProperties = {
    ...usernameProperty(shape),
    email: EmailField(shape),
    password1: Password('The password.'),
    password2: Type.Optional(Password('The password again. If sent, it must equal `password1`.'))
  }
  for (const field of [...shape.fields, ...shape.unstoredFields ?? []]) {
    if (field.registration === 'hidden') continue
    const { default: value } = field
    const input = { ...inputOf(shape, field), ...(value !== undefined && { default: value }) }
    properties[field.name] = field.required ? input : Type.Optional(input)
  }
  return ObjectKnownAs<RegistrationBody>(properties)
}

export function usernameProperty (shape: AccountShape): { username?: TSchema } {
  if (shape.username === 'none') return {}
  const username = Username(shape.usernameMinLength)
  return { username: shape.username === 'required' ? username : Type.Optional(nullable(username, true)) }
}

export const registrationRoutes = (shape: AccountShape) => {
  const isMandatory = shape.emailVerification === 'mandatory'
  const register = route(shape, {
    operationId: 'register',
    limit: 'registration',
    summary: 'Create an account',
    description: 'Stores a user and ' + (isMandatory
      ? 'sends a mail with a link to the address. Nobody can log in before the link was followed.'
      : 'starts a session, as a login does.'),
    tag: 'Account',
    body: registrationBody(shape),
    status: 201,
    ...tokensOr(shape, !isMandatory, 'Verification e-mail sent.'),
    answered: isMandatory
      ? 'A mail is on its way to the address; the account works once the link in it was followed. The response is ' +
        'the same if the address already has an account.'
      : 'The account exists and the user is logged in.',
    errors: ['rejected', 'registration_closed', 'server_busy'],
    fields: [
      ...(isMandatory ? [] : (['email_taken'] as const)),
      ...takenCodes(shape, field => field.registration !== 'hidden'),
      ...passwordFieldCodes
    ]
  })
  return { register }
}
