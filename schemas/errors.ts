/**
 * Everything that can go wrong, in one table. The code is the contract (stable, machine-readable); the message is
 * dj-rest-auth's own text where it has one. `shownIn` is where Django REST framework puts the message: beside a
 * `field`, in `detail`, or, for the whole `object`, in `non_field_errors`. `docs/errors.md` is generated from it.
 */
export const errors = {
  validation_error: { status: 400, message: 'The request is not valid.', shownIn: 'object' },
  not_an_object: { status: 400, message: 'Invalid data. Expected a dictionary, but got {type}.', shownIn: 'object' },
  malformed_body: { status: 400, message: 'JSON parse error - {reason}', shownIn: 'detail' },
  bad_request: { status: 400, message: 'The request could not be understood.', shownIn: 'detail' },
  identifier_required: { status: 400, message: 'Must include {identifier} and "password".', shownIn: 'object' },
  invalid_credentials: { status: 400, message: 'Unable to log in with provided credentials.', shownIn: 'object' },
  email_not_verified: { status: 400, message: 'E-mail is not verified.', shownIn: 'object' },
  provider_credentials_required: {
    status: 400, message: 'Incorrect input. access_token or code is required.', shownIn: 'object'
  },
  provider_token_invalid: { status: 400, message: 'Incorrect value', shownIn: 'object' },
  code_exchange_failed: { status: 400, message: 'Failed to exchange code for access token', shownIn: 'object' },
  provider_denied: { status: 400, message: 'The provider did not confirm the login.', shownIn: 'object' },
  state_invalid: {
    status: 400,
    message: 'The login was not started in this browser, took too long, or has ended already.',
    shownIn: 'object'
  },
  next_not_allowed: { status: 400, message: 'The login may not end at that address.', shownIn: 'object' },
  account_exists: { status: 400, message: 'User is already registered with this e-mail address.', shownIn: 'object' },
  social_account_taken: {
    status: 400, message: 'The social account is already connected to a different account.', shownIn: 'object'
  },
  last_login_method: {
    status: 400,
    message: 'Without this account there would be no way to log in. Set a password first.',
    shownIn: 'object'
  },
  rejected: { status: 400, message: 'The request was rejected.', shownIn: 'object' },
  not_authenticated: { status: 401, message: 'Authentication credentials were not provided.', shownIn: 'detail' },
  bad_authorization_header: {
    status: 401, message: 'Authorization header must contain two space-delimited values', shownIn: 'detail'
  },
  token_not_valid: { status: 401, message: 'Given token not valid for any token type', shownIn: 'detail' },
  token_expired: { status: 401, message: 'Token is expired', shownIn: 'detail' },
  user_not_found: { status: 401, message: 'User not found', shownIn: 'detail' },
  user_inactive: { status: 401, message: 'User is inactive', shownIn: 'detail' },
  reauthentication_required: { status: 401, message: 'Confirm your password.', shownIn: 'detail' },
  registration_closed: {
    status: 403, message: 'You do not have permission to perform this action.', shownIn: 'detail'
  },
  csrf_failed: { status: 403, message: 'CSRF Failed: {problem}', shownIn: 'detail' },
  not_found: { status: 404, message: 'Not found.', shownIn: 'detail' },
  verification_key_invalid: { status: 404, message: 'Not found.', shownIn: 'detail' },
  method_not_allowed: { status: 405, message: 'Method "{method}" not allowed.', shownIn: 'detail' },
  body_too_large: { status: 413, message: 'The request body is too large.', shownIn: 'detail' },
  unsupported_media_type: { status: 415, message: 'Unsupported media type "{type}" in request.', shownIn: 'detail' },
  too_many_requests: {
    status: 429, message: 'Request was throttled. Expected available in {seconds} seconds.', shownIn: 'detail'
  },
  internal_error: { status: 500, message: 'The server failed to answer the request.', shownIn: 'detail' },
  provider_error: { status: 502, message: 'The provider gave no usable answer.', shownIn: 'detail' },
  provider_email_missing: { status: 502, message: 'The provider gave no e-mail address.', shownIn: 'detail' },
  provider_unavailable: {
    status: 503, message: 'The provider can not be reached. Try again shortly.', shownIn: 'detail'
  },
  server_busy: { status: 503, message: 'The server is busy. Try again shortly.', shownIn: 'detail' },
  service_unavailable: { status: 503, message: 'The service is temporarily unavailable.', shownIn: 'detail' },

  required: { status: 400, message: 'This field is required.', shownIn: 'field' },
  null: { status: 400, message: 'This field may not be null.', shownIn: 'field' },
  blank: { status: 400, message: 'This field may not be blank.', shownIn: 'field' },
  invalid: { status: 400, message: 'Enter a valid value.', shownIn: 'field' },
  invalid_type: { status: 400, message: 'Not a valid {type}.', shownIn: 'field' },
  invalid_choice: { status: 400, message: '"{value}" is not a valid choice.', shownIn: 'field' },
  invalid_email: { status: 400, message: 'Enter a valid email address.', shownIn: 'field' },
  invalid_username: {
    status: 400,
    message: 'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
    shownIn: 'field'
  },
  max_length: { status: 400, message: 'Ensure this field has no more than {limit} characters.', shownIn: 'field' },
  min_length: { status: 400, message: 'Ensure this field has at least {limit} characters.', shownIn: 'field' },
  max_value: { status: 400, message: 'Ensure this value is less than or equal to {limit}.', shownIn: 'field' },
  min_value: { status: 400, message: 'Ensure this value is greater than or equal to {limit}.', shownIn: 'field' },
  null_characters_not_allowed: { status: 400, message: 'Null characters are not allowed.', shownIn: 'field' },
  surrogate_characters_not_allowed: {
    status: 400, message: 'Surrogate characters are not allowed: U+{codePoint}.', shownIn: 'field'
  },
  email_taken: { status: 400, message: 'User is already registered with this e-mail address.', shownIn: 'field' },
  username_taken: { status: 400, message: 'A user with that username already exists.', shownIn: 'field' },
  username_not_allowed: {
    status: 400, message: 'Username can not be used. Please use other username.', shownIn: 'field'
  },
  value_taken: { status: 400, message: 'This field must be unique.', shownIn: 'field' },
  token_invalid: { status: 400, message: 'Invalid value', shownIn: 'field' },
  wrong_password: {
    status: 400, message: 'Your old password was entered incorrectly. Please enter it again.', shownIn: 'field'
  },
  incorrect_password: { status: 400, message: 'The password is not correct.', shownIn: 'field' },
  password_mismatch: { status: 400, message: "The two password fields didn't match.", shownIn: 'field' },
  password_too_short: {
    status: 400, message: 'This password is too short. It must contain at least {limit} characters.', shownIn: 'field'
  },
  password_too_common: { status: 400, message: 'This password is too common.', shownIn: 'field' },
  password_entirely_numeric: { status: 400, message: 'This password is entirely numeric.', shownIn: 'field' },
  password_too_similar: { status: 400, message: 'The password is too similar to the {attribute}.', shownIn: 'field' },
  password_not_allowed: { status: 400, message: 'This password can not be used.', shownIn: 'field' },
  value_not_allowed: { status: 400, message: 'This value can not be used.', shownIn: 'field' }
} as const satisfies Record<string, ErrorRow>

interface ErrorRow { status: number, message: string, shownIn: 'field' | 'object' | 'detail' }

export type ErrorTable = typeof errors
/** Every stable error code. */
export type Code = keyof ErrorTable
/** The codes of a single field, in `errors[].code`. */
export type FieldCode = { [C in Code]: ErrorTable[C]['shownIn'] extends 'field' ? C : never }[Code]
/** The codes of a whole response, in `code`. */
export type AnswerCode = Exclude<Code, FieldCode>

export type ErrorStatus = ErrorTable[AnswerCode]['status']

const isFieldCode = (code: Code): code is FieldCode => errors[code].shownIn === 'field'
// `Object.keys` forgets the type of a literal's keys.
const codes = Object.keys(errors) as Code[]
export const fieldCodes = codes.filter(isFieldCode)
export const answerCodes = codes.filter((code): code is AnswerCode => !isFieldCode(code))

/** The codes that validation against the contract (types, lengths, formats) can find in a body. */
export const contractFieldCodes = [
  'required', 'null', 'blank', 'invalid', 'invalid_type', 'invalid_choice', 'invalid_email', 'invalid_username',
  'max_length', 'min_length', 'max_value', 'min_value', 'null_characters_not_allowed',
  'surrogate_characters_not_allowed'
] as const satisfies readonly FieldCode[]

/** What can be wrong with a new password. */
export const passwordFieldCodes = [
  'password_mismatch', 'password_too_short', 'password_too_common', 'password_entirely_numeric',
  'password_too_similar', 'password_not_allowed'
] as const satisfies readonly FieldCode[]

/** The page that explains every code under its own heading; it comes with the published package. */
export const manual = 'https://unpkg.com/fastify-rest-auth/docs/errors.md'

/** The message of a code with its placeholders filled. */
export function messageOf (code: Code, values: Record<string, string | number> = {}): string {
  return errors[code].message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}
