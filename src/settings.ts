/** Options become frozen settings, once: defaults, checks, cross-checks. What is wrong is told in one line. */
import { randomBytes } from 'node:crypto'
import { Kind, type TObject, type TSchema } from '@sinclair/typebox'
import { Value, type ValueError } from '@sinclair/typebox/value'
import { Options, type CheckedOptions } from '../schemas/options.js'
import { defaultUserFields, type FieldSpec } from '../schemas/user-fields.js'
import { resolveCookies, resolveCsrf, type CookieSettings, type CsrfSettings, type GivenCookies } from './cookie-settings.js'
import { isPostgres } from './db/open.js'
import { isOwnPath } from './lib/own-paths.js'
import { weakness } from './lib/secrets.js'
import type { Extensions } from './mail/liquid.js'
import { checkMail, resolveUrls } from './mail-settings.js'
import { resolveSocial } from './social-settings.js'
import type { SocialSettings } from './oauth/types.js'
import { resolveSigning, type Signing } from './token-settings.js'
import type { BaseUser, PasswordValidator, RegistrationGuard } from './types.js'
import { describeFields } from './user-field-settings.js'
import { refuse } from './lib/refuse-option.js'

type Filled<T> = T extends readonly unknown[] | ((...parameters: never[]) => unknown) ? T : T extends object ? { [K in keyof T]-?: Filled<NonNullable<T[K]>> } : T
type Given<T> = { [K in keyof T]-?: T[K] | undefined }
type Option<Name extends keyof CheckedOptions> = Filled<NonNullable<CheckedOptions[Name]>>
type Hook = (subject: BaseUser | Record<string, unknown>, context: unknown) => unknown

export interface Settings {
  prefix: string
  /** The first signs, all verify. */
  secrets: readonly string[]
  /** Of the access tokens. */
  signing: Signing
  publicUrl: string | undefined
  database: unknown
  migrate: boolean
  account: Omit<Option<'account'>, 'registration'> & { registration: 'open' | 'closed' | RegistrationGuard }
  fields: readonly FieldSpec[]
  password: Omit<Option<'password'>, 'validators'> & { validators: readonly PasswordValidator[] }
  tokens: Omit<Option<'tokens'>, 'claims' | 'keys' | keyof GivenCookies> & { claims: ((user: BaseUser & Record<string, unknown>) => unknown) | undefined }
  /** Undefined where tokens travel in bodies and the Authorization header. */
  cookies: CookieSettings | undefined
  csrf: CsrfSettings | undefined
  /** `next`: origins. */
  urls: Given<Omit<Option<'urls'>, 'next'>> & { next: readonly string[] }
  site: Given<Option<'site'>>
  social: readonly SocialSettings[]
  mail: Given<Omit<Option<'mail'>, keyof Extensions>> & { [Name in keyof Extensions]: Extensions[Name] | undefined }
  errors: 'problem' | 'drf'
  docs: string | false
  /** Where development shows the last mails. */
  mailViewer: string | false
  hooks: Partial<Record<keyof NonNullable<CheckedOptions['hooks']>, Hook>>
}

/** Checks the options and fills in the defaults. `warn` hears what is fine in development only. */
export function resolveSettings (options: object, { production, warn }: { production: boolean, warn: (message: string) => void }): Settings {
  for (const error of Value.Errors(Options, options)) refuse(describe(withinUnion(error)))
  // Checked the line above: what is filled has the schema's shape.
  const filled = fill(Options, options as Record<string, unknown>) as unknown as Omit<Settings, 'social'> & Pick<CheckedOptions, 'secret' | 'docs' | 'migrate' | 'userFields' | 'social'> & { tokens: GivenCookies & { keys?: Array<string | object> } }
  const { account, tokens: { keys, ...tokens } } = filled
  checkAccount(account)
  const urls = resolveUrls(filled.urls, production)
  checkMail(filled.mail, production)
  if (filled.publicUrl !== undefined && !URL.canParse(filled.publicUrl)) refuse('publicUrl: must be an address such as https://app.example')
  if (tokens.refresh.idle > tokens.refresh.absolute) refuse('tokens.refresh.idle: must not be more than tokens.refresh.absolute, when the session ends')
  if (filled.docs && isOwnPath(filled.docs, filled.prefix, Object.keys(filled.social ?? {}))) refuse('docs: must not be where the routes are; choose another path')
  if (production) checkProduction(filled)
  const { userFields, secret, social, ...rest } = filled
  const secrets = resolveSecrets(secret, warn)
  return Object.freeze({
    ...rest,
    secrets,
    tokens,
    urls,
    signing: resolveSigning(tokens.algorithm, keys, secrets),
    publicUrl: filled.publicUrl?.replace(/\/+$/, ''),
    cookies: resolveCookies(tokens, production),
    csrf: resolveCsrf(tokens, production),
    social: resolveSocial(social, { production }),
    migrate: filled.migrate ?? !isPostgres(filled.database),
    docs: filled.docs ?? (production ? false : '/docs'),
    // Whatever docs says: the mails hold links that open accounts. And whoever forgot NODE_ENV is in production all the same.
    mailViewer: production || isPublished(filled.publicUrl) || filled.docs === false ? false : `${filled.docs ?? '/docs'}/mail`,
    fields: describeFields(userFields ?? defaultUserFields)
  })
}

/** Whether the app is reached by others than its developer, as far as its address tells. */
const isPublished = (publicUrl = '') => publicUrl.startsWith('https:') && !['localhost', '127.0.0.1', '[::1]'].includes(new URL(publicUrl).hostname)

/** Where one of several kinds was given as an object, what is wrong is wrong within it. */
function withinUnion (error: ValueError): ValueError {
  const { schema: { anyOf }, value, errors } = error
  const index = anyOf?.findIndex(({ properties }: TSchema) => properties && Object.keys(properties).length > 0) ?? -1
  const [inner] = typeof value === 'object' && value !== null && !Array.isArray(value) ? errors[index] ?? [] : []
  return inner ?? error
}

/** `account.username: must be …`, `tokens.acces: unknown option`; never the value, which may be a secret. */
export function describe ({ path, schema, message }: ValueError): string {
  const name = path.slice(1).replaceAll('/', '.')
  return message === 'Unexpected property' ? `${name}: unknown option` : `${name}: must be ${inWords(schema)}`
}

const typeNames: Record<string, string> = { boolean: 'true or false', Function: 'a function', object: 'an object' }

/** What a schema asks for; its title says it, where the keywords would not. */
function inWords ({ title, anyOf, const: literal, type, items, minimum, maximum, minLength, minItems, uniqueItems }: TSchema): string {
  if (title !== undefined) return title
  if (literal !== undefined) return JSON.stringify(literal)
  if (anyOf) return anyOf.map(inWords).join(' or ')
  if (type === 'integer') return `a whole number from ${minimum} to ${maximum}`
  if (type === 'array') return `a list${minItems ? ', not empty' : ''}${uniqueItems ? ', without repetition' : ''}, each item ${inWords(items)}`
  return typeNames[type] ?? `a string${minLength ? ', not empty' : ''}`
}

function fill (schema: TObject, given: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [
    name,
    property[Kind] === 'Object' ? fill(property as TObject, given[name] as Record<string, unknown>) : given[name] ?? property.default
  ]))
}

function resolveSecrets (secret: string | string[] | undefined, warn: (message: string) => void): string[] {
  if (secret === undefined) {
    warn('fastify-rest-auth: no secret is set; a random one is used, and every access token ends when the server stops')
    return [randomBytes(32).toString('base64url')]
  }
  const secrets = [secret].flat()
  for (const [index, one] of secrets.entries()) {
    const weak = weakness(one)
    if (weak) refuse(`${Array.isArray(secret) ? `secret[${index}]` : 'secret'}: ${weak}; make one with: npx fastify-rest-auth secret`)
  }
  if (new Set(secrets).size < secrets.length) refuse('secret: the same one stands in the list twice')
  return secrets
}

function checkAccount ({ loginMethods, username, email, emailVerification, confirmEmailOnGet, loginOnEmailConfirmation, usernameBlocklist, usernameMinLength }: Settings['account']): void {
  if (emailVerification === 'mandatory' && email === 'optional') refuse("account.emailVerification: 'mandatory' needs account.email 'required', or a user without address could never log in")
  if (emailVerification === 'none' && (confirmEmailOnGet || loginOnEmailConfirmation)) refuse("account.emailVerification: 'none' leaves confirmEmailOnGet and loginOnEmailConfirmation without effect")
  if (loginMethods.includes('username') && username === 'none') refuse("account.loginMethods: 'username' needs account.username 'required' or 'optional'")
  if (email === 'optional' && !loginMethods.includes('username')) refuse("account.email: 'optional' needs 'username' among account.loginMethods, or a user without address could not log in")
  if (email === 'optional' && username !== 'required') refuse("account.email: 'optional' needs account.username 'required', or a user could have neither")
  if (username === 'optional' && !loginMethods.includes('email')) refuse("account.username: 'optional' needs 'email' among account.loginMethods, or a user without name could not log in")
  if (username === 'none' && (usernameBlocklist.length > 0 || usernameMinLength > 1)) refuse("account.username: 'none' leaves usernameBlocklist and usernameMinLength without effect")
}

function checkProduction ({ secret, publicUrl }: { secret?: unknown, publicUrl: string | undefined }): void {
  if (secret === undefined) refuse('secret: required in production; make one with: npx fastify-rest-auth secret')
  if (publicUrl === undefined) refuse('publicUrl: required in production, such as https://app.example')
  if (!publicUrl?.startsWith('https:')) refuse('publicUrl: must be https in production')
}
