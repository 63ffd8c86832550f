/**
 * Everything that can go wrong, in one table: code → [status, message, where it shows].
 *
 * The code is the contract (stable, machine-readable), the message is dj-rest-auth's own text. The third
 * column says where Django REST framework puts the message: beside a `field`, in `detail`, or (`object`)
 * among the `non_field_errors`. `docs/errors.md` is generated from this table.
 */
export const errors = {
  validation_error: [400, 'The request is not valid.', 'object'],
  not_an_object: [400, 'Invalid data. Expected a dictionary, but got {type}.', 'object'],
  malformed_body: [400, 'JSON parse error - {reason}', 'detail'],
  bad_request: [400, 'The request could not be understood.', 'detail'],
  identifier_required: [400, 'Must include {identifier} and "password".', 'object'],
  invalid_credentials: [400, 'Unable to log in with provided credentials.', 'object'],
  email_not_verified: [400, 'E-mail is not verified.', 'object'],
  provider_credentials_required: [400, 'Incorrect input. access_token or code is required.', 'object'],
  provider_token_invalid: [400, 'Incorrect value', 'object'],
  code_exchange_failed: [400, 'Failed to exchange code for access token', 'object'],
  provider_denied: [400, 'The provider did not confirm the login.', 'object'],
  state_invalid: [400, 'The login was not started in this browser, took too long, or has ended already.', 'object'],
  next_not_allowed: [400, 'The login may not end at that address.', 'object'],
  account_exists: [400, 'User is already registered with this e-mail address.', 'object'],
  social_account_taken: [400, 'The social account is already connected to a different account.', 'object'],
  last_login_method: [400, 'Without this account there would be no way to log in. Set a password first.', 'object'],
  rejected: [400, 'The request was rejected.', 'object'],
  not_authenticated: [401, 'Authentication credentials were not provided.', 'detail'],
  bad_authorization_header: [401, 'Authorization header must contain two space-delimited values', 'detail'],
  token_not_valid: [401, 'Given token not valid for any token type', 'detail'],
  token_expired: [401, 'Token is expired', 'detail'],
  user_not_found: [401, 'User not found', 'detail'],
  user_inactive: [401, 'User is inactive', 'detail'],
  reauthentication_required: [401, 'Confirm your password.', 'detail'],
  registration_closed: [403, 'You do not have permission to perform this action.', 'detail'],
  csrf_failed: [403, 'CSRF Failed: {problem}', 'detail'],
  not_found: [404, 'Not found.', 'detail'],
  verification_key_invalid: [404, 'Not found.', 'detail'],
  method_not_allowed: [405, 'Method "{method}" not allowed.', 'detail'],
  body_too_large: [413, 'The request body is too large.', 'detail'],
  unsupported_media_type: [415, 'Unsupported media type "{type}" in request.', 'detail'],
  internal_error: [500, 'The server failed to answer the request.', 'detail'],
  provider_error: [502, 'The provider gave no usable answer.', 'detail'],
  provider_email_missing: [502, 'The provider gave no e-mail address.', 'detail'],
  provider_unavailable: [503, 'The provider can not be reached. Try again shortly.', 'detail'],
  server_busy: [503, 'The server is busy. Try again shortly.', 'detail'],
  service_unavailable: [503, 'The service is temporarily unavailable.', 'detail'],

  required: [400, 'This field is required.', 'field'],
  null: [400, 'This field may not be null.', 'field'],
  blank: [400, 'This field may not be blank.', 'field'],
  invalid: [400, 'Enter a valid value.', 'field'],
  invalid_type: [400, 'Not a valid {type}.', 'field'],
  invalid_choice: [400, '"{value}" is not a valid choice.', 'field'],
  invalid_email: [400, 'Enter a valid email address.', 'field'],
  invalid_username: [
    400,
    'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
    'field'
  ],
  max_length: [400, 'Ensure this field has no more than {limit} characters.', 'field'],
  min_length: [400, 'Ensure this field has at least {limit} characters.', 'field'],
  max_value: [400, 'Ensure this value is less than or equal to {limit}.', 'field'],
  min_value: [400, 'Ensure this value is greater than or equal to {limit}.', 'field'],
  null_characters_not_allowed: [400, 'Null characters are not allowed.', 'field'],
  surrogate_characters_not_allowed: [400, 'Surrogate characters are not allowed: U+{codePoint}.', 'field'],
  email_taken: [400, 'User is already registered with this e-mail address.', 'field'],
  username_taken: [400, 'A user with that username already exists.', 'field'],
  username_not_allowed: [400, 'Username can not be used. Please use other username.', 'field'],
  value_taken: [400, 'This field must be unique.', 'field'],
  token_invalid: [400, 'Invalid value', 'field'],
  wrong_password: [400, 'Your old password was entered incorrectly. Please enter it again.', 'field'],
  incorrect_password: [400, 'The password is not correct.', 'field'],
  password_mismatch: [400, 'The two password fields didn\'t match.', 'field'],
  password_too_short: [400, 'This password is too short. It must contain at least {limit} characters.', 'field'],
  password_too_common: [400, 'This password is too common.', 'field'],
  password_entirely_numeric: [400, 'This password is entirely numeric.', 'field'],
  password_too_similar: [400, 'The password is too similar to the {attribute}.', 'field'],
  password_not_allowed: [400, 'This password can not be used.', 'field'],
  value_not_allowed: [400, 'This value can not be used.', 'field']
} as const satisfies Record<string, readonly [status: number, message: string, shows: 'field' | 'object' | 'detail']>

export type ErrorTable = typeof errors
/** Every stable error code. */
export type Code = keyof ErrorTable
/** The codes that stand beside a field, in `errors[].code`. */
export type FieldCode = { [C in Code]: ErrorTable[C][2] extends 'field' ? C : never }[Code]
/** The codes that name a whole answer, in `code`. */
export type AnswerCode = Exclude<Code, FieldCode>

// The table is its own list: what `keys` and `filter` forget of the types is said again here.
const codes = Object.keys(errors) as Code[]
export const fieldCodes = codes.filter(code => errors[code][2] === 'field') as FieldCode[]
export const answerCodes = codes.filter(code => errors[code][2] !== 'field') as AnswerCode[]

/** What the contract alone (types, lengths, formats) can find wrong with a field of a body. */
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

/** Where the codes are explained, each under its own name: the published package's page answers wherever it is installed from. */
export const manual = 'https://unpkg.com/fastify-rest-auth/docs/errors.md'

/** The message of a code with its placeholders filled. */
export function messageOf (code: Code, values: Record<string, string | number> = {}): string {
  return errors[code][1].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}
