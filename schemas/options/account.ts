/** The options `account` and `password`. */
import { Type } from '@sinclair/typebox'
import { Choice, days, Func, Group, Seconds, Text } from './builders.js'
import { ExistingTableOptions } from './existing-table.js'

export const AccountOptions = Group({
  loginMethods: Type.Array(Choice(['email', 'username']), {
    minItems: 1,
    uniqueItems: true,
    default: ['email'],
    description: 'Accepted login identifiers: `email`, `username` or both.'
  }),
  username: Choice(['none', 'optional', 'required'], {
    default: 'none',
    description: 'Whether users have a username: `none`, `optional` or `required`.'
  }),
  email: Choice(['required', 'optional'], {
    default: 'required',
    description: 'Whether registration requires an e-mail address: `required` or `optional`. ' +
      'Addresses are always unique, ignoring case.'
  }),
  emailVerification: Choice(['mandatory', 'optional', 'none'], {
    default: 'optional',
    description: '`mandatory`: users cannot log in before they follow the link in the mail. ' +
      '`optional`: the mail is sent, but the account works at once. `none`: addresses are accepted unverified.'
  }),
  confirmEmailOnGet: Type.Boolean({
    default: false,
    description: 'Confirm the address as soon as the link is opened, then redirect to `urls.login`. ' +
      'By default, a page asks for a click first, because mail scanners open links.'
  }),
  loginOnEmailConfirmation: Type.Boolean({
    default: false,
    description: 'Log the user in when `verify-email` succeeds, and return the tokens.'
  }),
  resendInterval: Seconds(30, 1 * days, 180,
    'Minimum time between two confirmation mails to one address. A request within that time sends no mail, but ' +
    'makes the link of the last mail valid for longer.'),
  registration: Type.Union([Type.Literal('open'), Type.Literal('closed'), Func('`(request) => boolean | string`')], {
    default: 'open',
    description: 'Who may register: `open`, `closed`, or a function of the request that returns `true`, `false` ' +
      'or a sentence that explains why not.'
  }),
  usernameBlocklist: Type.Array(Text(), { default: [], description: 'Usernames that nobody may choose.' }),
  usernameMinLength: Type.Integer({
    minimum: 1, maximum: 150, default: 1, description: 'Minimum username length.'
  }),
  pk: Choice(['string', 'integer'], {
    default: 'string',
    description: 'Type of `pk`, the key of a user. `string`: new users get a UUIDv7. `integer`, for a database ' +
      'from Django: new users get the next number, and every key must be a positive integer.'
  }),
  table: ExistingTableOptions
}, 'Who may register, and what an account needs: address, username, verification.')

const HashOptions = Group({
  memoryCost: Type.Integer({
    minimum: 19456, maximum: 1048576, default: 19456, description: 'Memory per password hash (argon2id), in KiB.'
  }),
  timeCost: Type.Integer({ minimum: 2, maximum: 20, default: 2, description: 'Number of passes over that memory.' }),
  parallelism: Type.Integer({ minimum: 1, maximum: 16, default: 1, description: 'Number of parallel lanes.' })
}, 'The work of a password hash (argon2id).')

export const PasswordOptions = Group({
  minLength: Type.Integer({
    minimum: 8,
    maximum: 128,
    default: 8,
    description: 'Minimum password length in code points. 15 is recommended without a second factor.'
  }),
  requireOld: Type.Boolean({ default: true, description: 'Ask for the old password when a user changes it.' }),
  logoutOnChange: Type.Boolean({
    default: true, description: "End the user's other sessions when the password changes."
  }),
  hash: HashOptions,
  validators: Type.Array(Func('`(password, user) => true | string`'), {
    default: [],
    description: 'Your own checks, run after the built-in ones (length, common, numeric, similar): ' +
      '`(password, user) => true`, or a sentence that explains what is wrong.'
  })
}, 'What passwords must be like, how they are hashed and changed.')
