/**
 * The options of the plugin: shape, defaults and what each is for. Unknown keys are refused.
 * The README's table is generated from this file; durations are in seconds.
 */
import { Type, type Static } from '@sinclair/typebox'
import { CookieOptions, CsrfOption } from './cookie-options.js'
import { SocialOptions } from './social-options.js'
import { UserFieldOption } from './user-field-options.js'

const closed = { additionalProperties: false }
const Func = (description: string) =>
  Type.Unsafe<(...parameters: never[]) => unknown>(Type.Function([], Type.Unknown(), { description }))
const Url = (description: string) =>
  Type.String({
    pattern: '^https?://[^/?#@\\s]+(/[^?#\\s]*)?$',
    title: 'an address such as https://app.example',
    description
  })

const AccountOptions = Type.Object({
  loginMethods: Type.Optional(
    Type.Array(Type.Union([Type.Literal('email'), Type.Literal('username')]), {
      minItems: 1,
      uniqueItems: true,
      default: ['email'],
      description: 'By what a user logs in: `email`, `username` or both.'
    })
  ),
  username: Type.Optional(Type.Union([Type.Literal('none'), Type.Literal('optional'), Type.Literal('required')], {
    default: 'none', description: 'Whether users have a name of their own: `none`, `optional`, `required`.'
  })),
  email: Type.Optional(
    Type.Union([Type.Literal('required'), Type.Literal('optional')], {
      default: 'required',
      description:
        'Whether registration insists on an e-mail address: `required`, `optional`. Always unique, without regard to case.'
    })
  ),
  emailVerification: Type.Optional(
    Type.Union([Type.Literal('mandatory'), Type.Literal('optional'), Type.Literal('none')], {
      default: 'optional',
      description:
        '`mandatory`: no login until the link in the mail was followed. `optional`: the mail is sent, and the account works at once. `none`: an address is taken as given.'
    })
  ),
  confirmEmailOnGet: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        'Whether following the link confirms at once and redirects to `urls.login`. By default a page asks for a click, because mail scanners follow links.'
    })
  ),
  loginOnEmailConfirmation: Type.Optional(Type.Boolean({
    default: false, description: 'Whether `verify-email` opens a session and answers with its tokens.'
  })),
  registration: Type.Optional(
    Type.Union(
      [Type.Literal('open'), Type.Literal('closed'), Func('`(request) => true`, or a sentence that says why not.')],
      {
        default: 'open',
        description:
          'Who may register: `open`, `closed`, or a function of the request that answers true, false or a sentence that says why not.'
      }
    )
  ),
  usernameBlocklist: Type.Optional(Type.Array(Type.String({ minLength: 1 }), {
    default: [], description: 'Names nobody may take.'
  })),
  usernameMinLength: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 150, default: 1, description: 'Least characters of a username.' })
  )
}, closed)

const PasswordOptions = Type.Object({
  minLength: Type.Optional(
    Type.Integer({
      minimum: 8,
      maximum: 128,
      default: 8,
      description: 'Least characters (code points). 15 is advised without a second factor.'
    })
  ),
  requireOld: Type.Optional(
    Type.Boolean({ default: true, description: 'Whether changing the password asks for the old one.' })
  ),
  logoutOnChange: Type.Optional(
    Type.Boolean({ default: true, description: 'Whether a change of password ends every other session of the user.' })
  ),
  hash: Type.Optional(Type.Object({
    memoryCost: Type.Optional(
      Type.Integer({
        minimum: 19456,
        maximum: 1048576,
        default: 19456,
        description: 'KiB of memory a hash takes (argon2id).'
      })
    ),
    timeCost: Type.Optional(
      Type.Integer({ minimum: 2, maximum: 20, default: 2, description: 'Passes over that memory.' })
    ),
    parallelism: Type.Optional(Type.Integer({ minimum: 1, maximum: 16, default: 1, description: 'Lanes.' }))
  }, closed)),
  validators: Type.Optional(
    Type.Array(Func('`(password, user) => true`, or a sentence that says what is wrong.'), {
      default: [],
      description:
        'Checks of your own, after length, common, numeric and similar: `(password, user) => true`, or a sentence that says what is wrong.'
    })
  )
}, closed)

const TokenOptions = Type.Object({
  algorithm: Type.Optional(
    Type.Union([Type.Literal('HS256'), Type.Literal('EdDSA'), Type.Literal('ES256')], {
      default: 'HS256',
      description:
        'What signs the access tokens: `HS256` by `secret`; `EdDSA` or `ES256` by `tokens.keys`, so that other services can verify them.'
    })
  ),
  keys: Type.Optional(
    Type.Array(Type.Union([Type.String(), Type.Object({})], { title: 'PKCS#8 PEM or a JWK' }), {
      minItems: 1,
      description:
        'The private keys of `EdDSA` or `ES256`, each PKCS#8 PEM or a JWK. The first signs, all verify and are published; those after it may be public ones.'
    })
  ),
  claims: Type.Optional(
    Func('`(user) => object`: claims of your own for the access token, computed each time one is made.')
  ),
  access: Type.Optional(
    Type.Integer({ minimum: 30, maximum: 3600, default: 300, description: 'How long an access token lives.' })
  ),
  refresh: Type.Optional(Type.Object({
    idle: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: 2592000,
        default: 604800,
        description: 'How long a refresh token is good for: a session that is not refreshed for so long is over.'
      })
    ),
    absolute: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: 2592000,
        default: 2592000,
        description: 'How long a session lives at most.'
      })
    )
  }, closed)),
  refreshGrace: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 60,
      default: 10,
      description:
        'How long a refresh token that was just used still answers, with the same successor: two tabs, a lost answer. `0`: not at all.'
    })
  ),
  cookies: Type.Optional(
    Type.Union([Type.Literal(false), CookieOptions], {
      default: false,
      description:
        'Whether tokens travel in cookies that no script can read, and in no body: `{}` for all defaults. See docs/cookies.md.'
    })
  ),
  csrf: Type.Optional(CsrfOption),
  emailVerification: Type.Optional(
    Type.Integer({
      minimum: 300,
      maximum: 604800,
      default: 86400,
      description: 'How long the link lives that confirms an address.'
    })
  ),
  passwordReset: Type.Optional(
    Type.Integer({
      minimum: 300,
      maximum: 86400,
      default: 1800,
      description: 'How long the link lives that resets a password.'
    })
  )
}, closed)

const UrlOptions = Type.Object({
  login: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Where people log in: an address, or a path such as `/login`. Mails link to it, and the built-in pages end there.'
    })
  ),
  socialLogin: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Where a login by a provider ends, unless it was started with `next`: an address or a path. Where tokens travel in bodies it gets `#provider=…&login_code=…` to post; where something went wrong, `?error=…`.'
    })
  ),
  next: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description:
        'Where else `next` may lead than to paths of `publicUrl`: origins of your front ends, such as `https://app.example`.'
    })
  ),
  emailConfirmation: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Your own page for the link that confirms an address, with `{key}` in it. Default: a built-in page.'
    })
  ),
  passwordReset: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Your own page for the link that resets a password, with `{uid}` and `{token}` in it. Default: a built-in page.'
    })
  )
}, closed)

const SiteOptions = Type.Object({
  name: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'What mails and pages call the app: `{{ site_name }}`. Default: the host of `publicUrl`.'
    })
  ),
  domain: Type.Optional(
    Type.String({
      minLength: 1,
      pattern: '^[A-Za-z0-9.:\\[\\]-]+$',
      title: 'a host name such as app.example',
      description: '`{{ site_domain }}` in mails. Default: the host of `publicUrl`.'
    })
  )
}, closed)

const MailOptions = Type.Object({
  transport: Type.Optional(
    Type.Union(
      [
        Type.String({ minLength: 1 }),
        Func('`async ({ to, from, subject, text, html, headers }) => {}`'),
        Type.Object({})
      ],
      {
        title: "'console', an SMTP URL, nodemailer options or transport, or a function",
        default: 'console',
        description:
          '`console`, `smtp://…`, nodemailer options or transport, or an async function of `{ to, from, subject, text, html, headers }`. Production refuses `console`: it prints links that open accounts.'
      }
    )
  ),
  from: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'The sender: `App <noreply@app.example>`. Default: `site.name` and noreply at `site.domain`.'
    })
  ),
  subjectPrefix: Type.Optional(
    Type.String({
      pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$',
      title: 'one line of text',
      description: 'Put before every subject. Default `[site.name] `.'
    })
  ),
  templates: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'A folder whose files win over the built-in ones of the same name, one by one.'
    })
  ),
  variables: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: 'Variables of your own for the templates: values, or functions of the user.'
    })
  ),
  filters: Type.Optional(
    Type.Record(Type.String(), Func('`(value, ...arguments) => value`'), {
      description: 'Liquid filters of your own: `(value, ...arguments) => value`.'
    })
  ),
  tags: Type.Optional(
    Type.Record(Type.String(), Func('`(...arguments) => text`'), {
      description: 'Liquid tags of your own: `(...arguments) => text`.'
    })
  )
}, closed)

const HookOptions = Type.Object({
  registering: Type.Optional(
    Func('`(input, tx)` before the user is stored, inside the transaction: a throw stops the registration.')
  ),
  registered: Type.Optional(
    Func('`(user, tx)` after the user is stored, inside the transaction: a throw rolls the user back.')
  ),
  loggedIn: Type.Optional(Func('`(user, request)` after a session has opened.')),
  emailVerified: Type.Optional(Func('`(user, tx)` after an address was confirmed, inside the transaction.')),
  userUpdated: Type.Optional(Func('`(user, tx)` after `/user` was written, inside the transaction.')),
  passwordChanged: Type.Optional(Func('`(user, tx)` after a new password was stored, inside the transaction.'))
}, closed)

export const Options = Type.Object({
  prefix: Type.Optional(
    Type.String({
      pattern: '^(/[A-Za-z0-9._~-]+)+$',
      title: 'a path such as /auth',
      default: '/auth',
      description: 'Where the routes are mounted.'
    })
  ),
  secret: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
    description:
      '32 random bytes or more: signs the access tokens, unless `tokens.keys` do; refresh tokens and mailed links are derived from it. An array rotates: the first signs, the others still verify. Required in production; in development a random one is made at each start.'
  })),
  publicUrl: Type.Optional(
    Url(
      'The address people reach the app at: mailed links begin with it. Issuer of the tokens, server in the OpenAPI document. Required in production.'
    )
  ),
  database: Type.Optional(Type.Union([Type.String({ minLength: 1 }), Type.Object({})], {
    title: 'a SQLite file, a postgres:// URL or a Drizzle instance',
    default: 'auth.sqlite',
    description: 'A SQLite file, `:memory:`, `postgres://…`, or your Drizzle instance.'
  })),
  migrate: Type.Optional(
    Type.Boolean({
      description:
        'Whether tables and user-field columns are made at start. Default `true` on SQLite, `false` on PostgreSQL.'
    })
  ),
  account: Type.Optional(AccountOptions),
  userFields: Type.Optional(Type.Record(Type.String(), UserFieldOption, {
    description: 'Fields of your own on the user. Default `first_name` and `last_name`, as in Django.'
  })),
  password: Type.Optional(PasswordOptions),
  tokens: Type.Optional(TokenOptions),
  social: Type.Optional(SocialOptions),
  urls: Type.Optional(UrlOptions),
  site: Type.Optional(SiteOptions),
  mail: Type.Optional(MailOptions),
  errors: Type.Optional(Type.Union([Type.Literal('problem'), Type.Literal('drf')], {
    default: 'problem', description: 'Shape of the errors: `problem` (RFC 9457) or `drf` (Django REST framework).'
  })),
  docs: Type.Optional(
    Type.Union(
      [Type.Literal(false), Type.String({ pattern: '^(/[A-Za-z0-9._~-]+)+$', title: 'a path such as /docs' })],
      {
        description:
          'Where Swagger UI, `…/json` and `…/yaml` are served; `false` for nowhere. Default `/docs`, and `false` in production or where the app has `@fastify/swagger` of its own.'
      }
    )
  ),
  hooks: Type.Optional(HookOptions)
}, closed)
export type CheckedOptions = Static<typeof Options>
/** As an app may give them, straight from its environment: what is undefined takes its default. `prefix` is Fastify's, too. */
export type GivenOptions = {
  [Name in keyof CheckedOptions]: Name extends 'prefix' ? CheckedOptions[Name] : CheckedOptions[Name] | undefined
}
