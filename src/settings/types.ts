/** What the options become once they are checked: the frozen settings that the rest reads. */
import type { CheckedOptions } from '../../schemas/options.js'
import type { FieldSpec } from '../../schemas/user-fields.js'
import type { Provider } from '../providers/provider.js'
import type { BaseUser, PasswordValidator, RegistrationGuard } from '../types.js'
import type { CookieSettings, CsrfSettings, GivenCookies } from './cookies.js'
import type { Signing } from './signing.js'

export interface Extensions {
  filters: Record<string, (value: any, ...parameters: any[]) => unknown>
  tags: Record<string, (...parameters: any[]) => unknown>
}

/** What the app's options say of a provider, worked out: see src/settings/social.ts. */
export interface SocialSettings {
  /** A part of the routes. */
  name: string
  label: string
  provider: Provider
  clientId: string
  /** Made anew for each exchange where it is signed (Apple). */
  clientSecret: (now: Date) => string | Promise<string>
  /** Default: below `publicUrl`. */
  callbackUrl: string | undefined
  scopes: readonly string[]
  /** Undefined: as far as the provider runs the mailbox. */
  trustEmail: boolean | readonly string[] | undefined
  accessToken: boolean
  /** Whose ID tokens are taken: the client id first. */
  audiences: readonly string[]
  storeTokens: boolean
}

type Filled<T> = T extends readonly unknown[] | ((...parameters: never[]) => unknown)
  ? T
  : T extends object
    ? { [K in keyof T]-?: Filled<NonNullable<T[K]>> }
    : T
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
  tokens: Omit<Option<'tokens'>, 'claims' | 'keys' | keyof GivenCookies> & {
    claims: ((user: BaseUser & Record<string, unknown>) => unknown) | undefined
  }
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
