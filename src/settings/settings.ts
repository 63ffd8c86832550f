/** Options become frozen settings, once: defaults, checks, cross-checks. What is wrong is told in one line. */
import { randomBytes } from 'node:crypto'
import { Kind, type TObject } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Options, type CheckedOptions } from '../../schemas/options.js'
import { defaultUserFields } from '../../schemas/user-fields.js'
import { isPostgres } from '../db/open.js'
import { refuseOption } from '../lib/refuse-option.js'
import { weakness } from '../lib/secrets.js'
import { checkAccount } from './account.js'
import { resolveCookies, resolveCsrf, type GivenCookies } from './cookies.js'
import { checkMail } from './mail.js'
import { optionError, withinUnion } from './option-errors.js'
import { isOwnPath } from './reserved-paths.js'
import { resolveSigning } from './signing.js'
import { resolveSocial } from './social.js'
import type { Settings } from './types.js'
import { resolveUrls } from './urls.js'
import { resolveUserFields } from './user-fields.js'

/** Checks the options and fills in the defaults. `warn` hears what is fine in development only. */
export function resolveSettings (options: object, { production, warn }: { production: boolean, warn: (message: string) => void }): Settings {
  for (const error of Value.Errors(Options, options)) refuseOption(optionError(withinUnion(error)))
  // Checked the line above: what is filled has the schema's shape.
  const filled = fill(Options, options as Record<string, unknown>) as unknown as Omit<Settings, 'social'> &
    Pick<CheckedOptions, 'secret' | 'docs' | 'migrate' | 'userFields' | 'social'> & {
      tokens: GivenCookies & { keys?: Array<string | object> }
    }
  const { account, tokens: { keys, ...tokens } } = filled
  checkAccount(account)
  const urls = resolveUrls(filled.urls, production)
  checkMail(filled.mail, production)
  if (filled.publicUrl !== undefined && !URL.canParse(filled.publicUrl)) { refuseOption('publicUrl: must be an address such as https://app.example') }
  if (tokens.refresh.idle > tokens.refresh.absolute) { refuseOption('tokens.refresh.idle: must not be more than tokens.refresh.absolute, when the session ends') }
  if (filled.docs && isOwnPath(filled.docs, filled.prefix, Object.keys(filled.social ?? {}))) { refuseOption('docs: must not be where the routes are; choose another path') }
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
    mailViewer:
      production || isPublished(filled.publicUrl) || filled.docs === false ? false : `${filled.docs ?? '/docs'}/mail`,
    fields: resolveUserFields(userFields ?? defaultUserFields)
  })
}

/** Whether the app is reached by others than its developer, as far as its address tells. */
const isPublished = (publicUrl = '') =>
  publicUrl.startsWith('https:') && !['localhost', '127.0.0.1', '[::1]'].includes(new URL(publicUrl).hostname)

function fill (schema: TObject, given: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [
    name,
    property[Kind] === 'Object'
      ? fill(property as TObject, given[name] as Record<string, unknown>)
      : (given[name] ?? property.default)
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
    if (weak) {
      refuseOption(
        `${Array.isArray(secret) ? `secret[${index}]` : 'secret'}: ${weak}; make one with: npx fastify-rest-auth secret`
      )
    }
  }
  if (new Set(secrets).size < secrets.length) refuseOption('secret: the same one stands in the list twice')
  return secrets
}

function checkProduction ({ secret, publicUrl }: { secret?: unknown, publicUrl: string | undefined }): void {
  if (secret === undefined) refuseOption('secret: required in production; make one with: npx fastify-rest-auth secret')
  if (publicUrl === undefined) refuseOption('publicUrl: required in production, such as https://app.example')
  if (!publicUrl?.startsWith('https:')) refuseOption('publicUrl: must be https in production')
}
