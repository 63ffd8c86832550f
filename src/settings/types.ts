/** The settings: the checked options, frozen, with every default filled in. */
import type { DescribedFields } from '../../schemas/columnless-fields.js'
import type { CheckedOptions } from '../../schemas/options.js'
import type { ExistingTableOption } from '../db/existing-table.js'
import type { Provider } from '../providers/provider.js'
import type { AuthEvent, BaseUser, PasswordValidator, RegistrationGuard } from '../types.js'
import type { CookieSettings, CsrfSettings } from './cookies.js'
import type { LimitSettings } from './limits.js'
import type { Signing } from './signing.js'

/** Liquid filters and tags of the app. Templates may pass them values of any type. */
export interface Extensions {
  filters: Record<string, (value: any, ...parameters: any[]) => unknown>
  tags: Record<string, (...parameters: any[]) => unknown>
}

export interface SocialSettings {
  /** A segment of its routes: `/auth/<name>`. */
  name: string
  label: string
  provider: Provider
  clientId: string
  /** A function, because Apple's secret is signed and expires. */
  clientSecret: (now: Date) => string | Promise<string>
  /** Undefined: `/<name>/callback` below `publicUrl` and the prefix. */
  callbackUrl: string | undefined
  scopes: readonly string[]
  /** Undefined: only if the provider runs the mailbox. */
  trustEmail: boolean | readonly string[] | undefined
  accessToken: boolean
  /** Accepted audiences of ID tokens: the client ID first. */
  audiences: readonly string[]
  storeTokens: boolean
}

/** `T` with every nested option present. */
type Filled<T> = T extends readonly unknown[] | ((...parameters: never[]) => unknown)
  ? T
  : T extends object
    ? { [K in keyof T]-?: Filled<NonNullable<T[K]>> }
    : T
/** `T` with every option listed, though its value may be missing. */
type Given<T> = { [K in keyof T]-?: T[K] | undefined }
type Option<Name extends keyof CheckedOptions> = Filled<NonNullable<CheckedOptions[Name]>>
type Hook = (subject: BaseUser | Record<string, unknown>, context: unknown) => unknown

/** What the rest of the plugin reads; the options are not passed on. */
export interface Settings extends Readonly<DescribedFields> {
  prefix: string
  /** The first signs, all verify. */
  secrets: readonly string[]
  signing: Signing
  publicUrl: string | undefined
  database: unknown
  migrate: boolean
  account: Omit<Option<'account'>, 'registration' | 'table'> & { registration: 'open' | 'closed' | RegistrationGuard }
  /** The app's own table of users. Undefined: the plugin makes one. */
  existingTable: ExistingTableOption | undefined
  password: Omit<Option<'password'>, 'validators'> & { validators: readonly PasswordValidator[] }
  tokens: Omit<Option<'tokens'>, 'claims' | 'keys' | 'cookies' | 'csrf'> & {
    claims: ((user: BaseUser & Record<string, unknown>) => unknown) | undefined
  }
  /** Undefined if tokens travel in bodies and the Authorization header. */
  cookies: CookieSettings | undefined
  csrf: CsrfSettings | undefined
  /** `next` holds origins. */
  urls: Given<Omit<Option<'urls'>, 'next'>> & { next: readonly string[] }
  site: Given<Option<'site'>>
  social: readonly SocialSettings[]
  mail: Given<Omit<Option<'mail'>, keyof Extensions>> & { [Name in keyof Extensions]: Extensions[Name] | undefined }
  sessions: Option<'sessions'>
  limits: LimitSettings
  audit: { isOn: boolean, retentionSeconds: number }
  errors: 'problem' | 'drf'
  docs: string | false
  mailViewer: string | false
  hooks: Partial<Record<Exclude<keyof NonNullable<CheckedOptions['hooks']>, 'event'>, Hook>> & {
    event?: (event: AuthEvent) => unknown
  }
}
