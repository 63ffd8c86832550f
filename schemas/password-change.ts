/** POST /password/change: a logged-in user who knows the old password sets a new one. */
import { Type, type TObject, type TOptional, type TString } from '@sinclair/typebox'
import { ObjectKnownAs, Password, says, type ContractShape } from './common.js'
import { passwordFieldCodes } from './errors.js'
import { route } from './route.js'

export interface PasswordChangeShape extends ContractShape {
  requireOldPassword: boolean
}

// Differs from registration's example, so that trying the routes in order works.
const newExample = 'An0ther-secret-pw'

export const newPasswordFields = {
  new_password1: Password('The new password.', newExample),
  new_password2: Type.Optional(Password('The new password again. If sent, it must equal `new_password1`.', newExample))
}

function passwordChangeBody ({ requireOldPassword }: PasswordChangeShape) {
  const properties = {
    ...(requireOldPassword && { old_password: Password('The current password.') }),
    ...newPasswordFields
  }
  return ObjectKnownAs<
    TObject<{ old_password: TOptional<TString>; new_password1: TString; new_password2: TOptional<TString> }>
  >(properties)
}

export const passwordChangeRoutes = (shape: PasswordChangeShape) => ({
  changePassword: route(shape, {
    operationId: 'changePassword',
    limit: 'passwordChange',
    summary: 'Change the password',
    description: 'Ends every other session of the user, unless the app turns this off.',
    tag: 'Password',
    authenticated: true,
    body: passwordChangeBody(shape),
    ...says(shape, 'New password has been saved.'),
    answered: 'The new password is set.',
    errors: ['rejected', 'server_busy'],
    fields: ['wrong_password', 'value_not_allowed', ...passwordFieldCodes]
  })
})
