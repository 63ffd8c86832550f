/**
 * The options of the plugin: their shape, their defaults and what each is for. Unknown keys are refused.
 * The table in the README is generated from these schemas; durations are in seconds.
 */
import { Type } from '@sinclair/typebox'
import { AccountOptions, PasswordOptions } from './options/account.js'
import { SiteOptions, UrlOptions } from './options/addresses.js'
import { AuditOptions } from './options/audit.js'
import { Choice, Group, Text, Url } from './options/builders.js'
import { DatabaseOptions } from './options/database.js'
import { HookOptions } from './options/hooks.js'
import { LimitOptions } from './options/limits.js'
import { MailOptions } from './options/mail.js'
import { SessionOptions } from './options/sessions.js'
import { SocialOptions } from './options/social.js'
import { TokenOptions } from './options/tokens.js'
import { UserFieldOption } from './options/user-field.js'

export type { CheckedOptions } from './options/types.js'

const pathPattern = '^(/[A-Za-z0-9._~-]+)+$'

export const Options = Group({
  prefix: Type.String({
    pattern: pathPattern,
    title: 'a path such as /auth',
    default: '/auth',
    description: 'Path where the routes are mounted.'
  }),
  secret: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
    description: 'At least 32 random bytes. Signs the access tokens, unless `tokens.keys` do; refresh tokens and ' +
      'mailed links are derived from it. To rotate it, give an array: the first secret signs, the others still ' +
      'verify. Required in production; in development, a random one is generated at each start.'
  }),
  publicUrl: Url(
    'an address such as https://app.example',
    'Public address of the app. Mailed links begin with it; it is also the issuer of the tokens and the server in ' +
    'the OpenAPI document. Required in production.'
  ),
  database: Type.Union([Text(), DatabaseOptions, Type.Object({})], {
    title: 'a SQLite file, a postgres:// URL or a Drizzle instance',
    default: 'auth.sqlite',
    description: 'A SQLite file, `:memory:`, `postgres://…`, or your Drizzle instance. The long form has `url` or ' +
      '`drizzle`, and the options below.'
  }),
  migrate: Type.Boolean({
    description: 'Create the tables and the columns of user fields at start. ' +
      'Default: `true` on SQLite, `false` on PostgreSQL.'
  }),
  account: AccountOptions,
  userFields: Type.Record(Type.String(), UserFieldOption, {
    description: 'Your own fields of the user. Default: `first_name` and `last_name`, as in Django.'
  }),
  password: PasswordOptions,
  tokens: TokenOptions,
  sessions: SessionOptions,
  social: SocialOptions,
  urls: UrlOptions,
  site: SiteOptions,
  mail: MailOptions,
  limits: LimitOptions,
  audit: AuditOptions,
  errors: Choice(['problem', 'drf'], {
    default: 'problem',
    description: 'Format of error responses: `problem` (RFC 9457) or `drf` (Django REST framework).'
  }),
  docs: Type.Union([Type.Literal(false), Type.String({ pattern: pathPattern, title: 'a path such as /docs' })], {
    description: 'Path of Swagger UI, with the document at `…/json` and `…/yaml`; `false` to serve none. ' +
      'Default: `/docs`; `false` in production, or if the app registers `@fastify/swagger` itself.'
  }),
  hooks: HookOptions
})
/** The options as an app may pass them, such as from its environment: an undefined one takes its default. */
export type GivenOptions<T> = {
  // Fastify declares `prefix` as well, and without undefined.
  [Name in keyof T]: Name extends 'prefix' ? T[Name] : T[Name] | undefined
}
