/** The option `tokens`. */
import { Type } from '@sinclair/typebox'
import { Choice, days, Func, Group, Seconds } from './builders.js'
import { CookieOptions, CsrfOption } from './cookies.js'

// Browsers keep no cookie longer (RFC 6265bis §5.5), and nobody would notice a session that never ends.
const longestSession = 400 * days

export const TokenOptions = Group({
  format: Choice(['jwt', 'opaque'], {
    default: 'jwt',
    description: 'What a client gets at login: `jwt`: a short-lived access token and a refresh token; `opaque`: one ' +
      'key, valid until its session ends, as in dj-rest-auth without JWTs. See docs/tokens.md.'
  }),
  algorithm: Choice(['HS256', 'EdDSA', 'ES256'], {
    default: 'HS256',
    description: 'Signature algorithm of the access tokens: `HS256` uses `secret`; `EdDSA` and `ES256` use ' +
      '`tokens.keys`, so that other services can verify them.'
  }),
  keys: Type.Array(Type.Union([Type.String(), Type.Object({})], { title: 'PKCS#8 PEM or a JWK' }), {
    minItems: 1,
    description: 'Private keys for `EdDSA` or `ES256`, each PKCS#8 PEM or a JWK. The first one signs; all of them ' +
      'verify and are published. All but the first may be public keys.'
  }),
  claims: Func('`(user) => object`: your own claims for the access token, computed whenever one is issued.'),
  access: Seconds(30, 1 * days, 300,
    'Lifetime of an access token. More than 3600 logs a warning at start: after a logout, `stateless` routes accept ' +
    'the token until it expires.'),
  refresh: Group({
    idle: Seconds(60, longestSession, 7 * days,
      'Lifetime of a refresh token. A session that is not refreshed for this long ends.'),
    absolute: Seconds(60, longestSession, 30 * days, 'Maximum lifetime of a session, however often it is refreshed.'),
    rotate: Type.Boolean({
      default: true,
      description: 'Replace the refresh token whenever it is used, so that the use of a stolen one is noticed. ' +
        '`false`: it stays the same until the session ends, for clients that keep their first one.'
    })
  }, 'Refresh tokens, and how long a session lives.'),
  refreshGrace: Seconds(0, 60, 10,
    'How long a used refresh token still returns the same successor, for two tabs or a lost response. ' +
    '`0` turns this off.'),
  cookies: Type.Union([Type.Literal(false), CookieOptions], {
    default: false,
    description: 'Send the tokens in cookies that scripts cannot read, and not in response bodies. ' +
      '`{}` takes all defaults. See docs/cookies.md.'
  }),
  csrf: CsrfOption,
  emailVerification: Seconds(300, 30 * days, 1 * days, 'Lifetime of the link that confirms an address.'),
  passwordReset: Seconds(300, 3 * days, 1800, 'Lifetime of the link that resets a password.')
}, 'What clients get at login: its format, lifetimes, and whether it travels in cookies.')
