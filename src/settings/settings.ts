/** Options become frozen settings: defaults, checks and cross-checks, once at start. */
import { randomBytes } from 'node:crypto'
import { KindGuard, type TObject } from '@sinclair/typebox'
import { Errors } from '@sinclair/typebox/errors'
import { Options, type CheckedOptions } from '../../schemas/options.js'
import { defaultRetention } from '../../schemas/options/audit.js'
import { defaultUserFields, type UserFields } from '../../schemas/user-fields.js'
import { isPostgres } from '../db/target.js'
import { refuseOption } from '../lib/refuse-option.js'
import { weakness } from '../lib/secrets.js'
import { checkAccount } from './account.js'
import { resolveCookies, resolveCsrf, type GivenCookies } from './cookies.js'
import { resolveExistingTable, type GivenTable } from './existing-table.js'
import { resolveLimits } from './limits.js'
import { checkMail } from './mail.js'
import { optionError, withinUnion } from './option-errors.js'
import { isOwnPath } from './reserved-paths.js'
import { resolveSigning } from './signing.js'
import { resolveSocial } from './social.js'
import { checkTokens } from './tokens.js'
import type { Settings } from './types.js'
import { resolveUrls } from './urls.js'
import { resolveUserFields } from './user-fields.js'

type FilledOptions = Omit<Settings, 'social' | 'limits' | 'audit' | 'account'> &
  Pick<CheckedOptions, 'secret' | 'docs' | 'migrate' | 'social' | 'limits' | 'audit'> & {
    tokens: GivenCookies & { keys?: Array<string | object> }
    userFields?: UserFields
    account: Settings['account'] & { table: GivenTable }
  }

interface Environment {
  production: boolean
  warn: (message: string) => void
}

/** Checks the options and fills in the defaults. Throws an Error of one line that names the first invalid option. */
export function resolveSettings (options: object, { production, warn }: Environment): Settings {
  if (!isPlainObject(options)) refuseOption('give options: app.register(restAuth, { database: \'auth.sqlite\', … })')
  for (const error of Errors(Options, options)) refuseOption(optionError(withinUnion(error)))
  // The schema was checked in the line above; the compiler can't follow how `fill` adds its defaults.
  const filled = fill(Options, options) as unknown as FilledOptions
  const { account: { table, ...account }, tokens: { keys, ...tokens } } = filled
  checkAccount(account)
  const urls = resolveUrls(filled.urls, production)
  checkMail(filled.mail, production)
  checkTogether(filled)
  checkTokens(tokens, Object(options).tokens, warn)
  if (production) checkProduction(filled)
  const { userFields, secret, social, limits, audit, ...rest } = filled
  const secrets = resolveSecrets(secret, warn)
  const described = resolveUserFields(userFields ?? defaultUserFields)
  return Object.freeze({
    ...rest,
    account,
    existingTable: resolveExistingTable(table, { account, fields: described.fields, social: Object(social) }),
    secrets,
    tokens,
    urls,
    signing: resolveSigning(tokens.algorithm, keys, secrets),
    publicUrl: filled.publicUrl?.replace(/\/+$/, ''),
    cookies: resolveCookies(tokens, production),
    csrf: resolveCsrf(tokens, production),
    social: resolveSocial(social, { production }),
    limits: resolveLimits(limits, account.resendInterval),
    audit: { isOn: Boolean(audit), retentionSeconds: Object(audit).retention ?? defaultRetention },
    migrate: filled.migrate ?? !isPostgres(filled.database),
    docs: filled.docs ?? (production ? false : '/docs'),
    // Never in production, because the mails hold links that open accounts; and an https `publicUrl` counts as
    // production, in case somebody forgot NODE_ENV.
    mailViewer:
      production || isPublished(filled.publicUrl) || filled.docs === false ? false : `${filled.docs ?? '/docs'}/mail`,
    ...described
  })
}

// Fastify passes on what `register` got; for null or a function it is not what the type says.
const isPlainObject = (options: unknown) =>
  typeof options === 'object' && options !== null && !Array.isArray(options) && !Buffer.isBuffer(options)

/** Whether people other than the developer use the app, as far as its address shows. */
const isPublished = (publicUrl = '') =>
  publicUrl.startsWith('https:') && !['localhost', '127.0.0.1', '[::1]'].includes(new URL(publicUrl).hostname)

function fill (schema: TObject, given: unknown): Record<string, unknown> {
  const values: Record<string, unknown> = Object(given)
  return Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [
    name,
    KindGuard.IsObject(property) ? fill(property, values[name]) : values[name] ?? property.default
  ]))
}

function checkTogether ({ publicUrl, docs, prefix, social = {} }: FilledOptions): void {
  if (publicUrl !== undefined && !URL.canParse(publicUrl)) {
    refuseOption('publicUrl: must be an address such as https://app.example')
  }
  if (docs && isOwnPath(docs, prefix, Object.keys(social))) {
    refuseOption("docs: conflicts with the plugin's routes; choose another path")
  }
}

const secretHint = 'generate one with: npx fastify-rest-auth secret'

function resolveSecrets (secret: string | string[] | undefined, warn: (message: string) => void): string[] {
  if (secret === undefined) {
    warn('fastify-rest-auth: secret is not set; using a random one, so access tokens are valid until the server stops')
    return [randomBytes(32).toString('base64url')]
  }
  const secrets = [secret].flat()
  for (const [index, one] of secrets.entries()) {
    const weak = weakness(one)
    if (weak) refuseOption(`secret${Array.isArray(secret) ? `[${index}]` : ''}: ${weak}; ${secretHint}`)
  }
  if (new Set(secrets).size < secrets.length) refuseOption('secret: contains a duplicate')
  return secrets
}

function checkProduction ({ secret, publicUrl }: Pick<FilledOptions, 'secret' | 'publicUrl'>): void {
  if (secret === undefined) refuseOption(`secret: is required in production; ${secretHint}`)
  if (publicUrl === undefined) refuseOption('publicUrl: is required in production, such as https://app.example')
  if (!publicUrl.startsWith('https:')) refuseOption('publicUrl: must be https in production')
}
