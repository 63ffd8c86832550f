/** The options `tokens.cookies` and `tokens.csrf`, checked at start. */
import type { Static } from '@sinclair/typebox'
import type { Delivery } from '../../schemas/common.js'
import type { CookieOptions, CsrfOption } from '../../schemas/options/cookies.js'
import type { CookieAttributes } from '../lib/cookies.js'
import { refuseOption } from '../lib/refuse-option.js'

export interface CookieSettings extends CookieAttributes {
  /** The name of the cookie for each token that travels in one. */
  names: { readonly [Name in 'access' | 'refresh' | 'key']?: string | undefined }
  /** Where clients get their tokens that are no page in a browser. */
  apps: 'cookies' | 'body'
}

/** The name of the cookie that authenticates a request; undefined if none does. */
export const authenticatingCookie = (cookies: CookieSettings | undefined): string | undefined =>
  cookies?.names.access ?? cookies?.names.key

/** How clients get their tokens: `body` first, as the contract requires. */
export function deliveriesOf (cookies: CookieSettings | undefined): Delivery[] {
  if (!cookies) return ['body']
  const { apps, names: { access, key } } = cookies
  return [...(apps === 'body' ? ['body'] as const : []), access ?? key ? 'cookies' : 'refresh-cookie']
}

export interface CsrfSettings {
  /** Origins of front ends that are served from elsewhere than the app. */
  origins: readonly string[]
  /** In development `publicUrl` may be missing, so the origin that the Host header names also counts as the app's. */
  trustHost: boolean
}

export interface GivenCookies {
  format: 'jwt' | 'opaque'
  cookies: false | Static<typeof CookieOptions>
  csrf: Static<typeof CsrfOption>
}

/** Names and attributes with their defaults; undefined if tokens travel in bodies and the Authorization header. */
export function resolveCookies ({ cookies, format }: GivenCookies, production: boolean): CookieSettings | undefined {
  if (cookies === false) return undefined
  const { secure = true, sameSite = 'strict', path = '/', domain, apps = 'cookies', partitioned = false } = cookies
  if (!secure && production) refuseOption('tokens.cookies.secure: must be true in production')
  if (!secure && sameSite === 'none') {
    refuseOption("tokens.cookies.sameSite: 'none' requires tokens.cookies.secure, or browsers drop the cookies")
  }
  if (partitioned && sameSite !== 'none') {
    refuseOption("tokens.cookies.partitioned: requires tokens.cookies.sameSite: 'none', or no embedded page sends them")
  }
  const prefix = !secure ? '' : path === '/' && domain === undefined ? '__Host-' : '__Secure-'
  const names = format === 'opaque' ? keyName(cookies, prefix) : pairNames(cookies, prefix)
  for (const [token, name] of Object.entries(names)) {
    const option = `tokens.cookies.${token === 'key' ? 'access' : token}`
    if (/^__(host|secure)-/i.test(name)) checkPrefix(option, name, { secure, path, domain })
  }
  return { names, apps, secure, sameSite, path, domain, partitioned }
}

type GivenNames = Static<typeof CookieOptions>

function pairNames ({ access, refresh }: GivenNames, prefix: string): { access?: string, refresh: string } {
  const names = { access: access || `${prefix}access`, refresh: refresh ?? `${prefix}refresh` }
  if (access === false) return { refresh: names.refresh }
  if (names.access === names.refresh) {
    refuseOption('tokens.cookies.refresh: must differ from the name of the access cookie')
  }
  return names
}

function keyName ({ access, refresh }: GivenNames, prefix: string): { key: string } {
  if (access === false) {
    refuseOption("tokens.cookies.access: must not be false when tokens.format is 'opaque', which has only one token")
  }
  if (refresh !== undefined) {
    refuseOption(
      "tokens.cookies.refresh: has no effect when tokens.format is 'opaque'; tokens.cookies.access names its cookie"
    )
  }
  return { key: access ?? `${prefix}key` }
}

type PrefixConditions = Pick<CookieSettings, 'secure' | 'path' | 'domain'>

/** RFC 6265bis §4.1.3: browsers drop a cookie that breaks the promise of its prefix, in whatever case it is written. */
function checkPrefix (option: string, name: string, { secure, path, domain }: PrefixConditions): void {
  const [prefix = ''] = /^__\w+-/.exec(name) ?? []
  if (prefix !== '__Host-' && prefix !== '__Secure-') {
    refuseOption(`${option}: must spell its prefix exactly __Host- or __Secure-`)
  }
  if (!secure) refuseOption(`${option}: ${prefix} requires tokens.cookies.secure, or browsers drop the cookie`)
  if (prefix === '__Host-' && (path !== '/' || domain !== undefined)) {
    refuseOption(
      `${option}: __Host- allows no domain and no path other than /, or browsers drop the cookie; use __Secure-`
    )
  }
}

/** Which origins may send requests that cookies authenticate; undefined if CSRF is not checked. */
export function resolveCsrf ({ cookies, csrf }: GivenCookies, production: boolean): CsrfSettings | undefined {
  if (cookies === false) {
    if (typeof csrf === 'object') refuseOption('tokens.csrf: has no effect without tokens.cookies')
    return undefined
  }
  if (csrf === false) {
    if (cookies.sameSite === 'none') {
      refuseOption(
        "tokens.csrf: must not be false when tokens.cookies.sameSite is 'none', or any site could act for your users"
      )
    }
    return undefined
  }
  const { origins = [] } = csrf === true ? {} : csrf
  for (const [index, origin] of origins.entries()) {
    const option = `tokens.csrf.origins[${index}]`
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      refuseOption(`${option}: must be an origin such as https://app.example`)
    }
    if (production && !origin.startsWith('https:')) refuseOption(`${option}: must be https in production`)
  }
  return { origins, trustHost: !production }
}
