/** The options `tokens.cookies` and `tokens.csrf`, checked at start. */
import type { Static } from '@sinclair/typebox'
import type { CookieOptions, CsrfOption } from '../../schemas/options/cookies.js'
import type { CookieAttributes } from '../lib/cookies.js'
import { refuseOption } from '../lib/refuse-option.js'

export interface CookieSettings extends CookieAttributes {
  access: string
  refresh: string
}

export interface CsrfSettings {
  /** Origins of front ends that are served from elsewhere than the app. */
  origins: readonly string[]
  /** In development `publicUrl` may be missing, so the origin that the Host header names also counts as the app's. */
  trustHost: boolean
}

export interface GivenCookies {
  cookies: false | Static<typeof CookieOptions>
  csrf: Static<typeof CsrfOption>
}

/** Names and attributes with their defaults; undefined if tokens travel in bodies and the Authorization header. */
export function resolveCookies ({ cookies }: GivenCookies, production: boolean): CookieSettings | undefined {
  if (cookies === false) return undefined
  const { secure = true, sameSite = 'strict', path = '/', domain } = cookies
  if (!secure && production) refuseOption('tokens.cookies.secure: must be true in production')
  if (!secure && sameSite === 'none') {
    refuseOption("tokens.cookies.sameSite: 'none' requires tokens.cookies.secure, or browsers drop the cookies")
  }
  const prefix = !secure ? '' : path === '/' && domain === undefined ? '__Host-' : '__Secure-'
  const { access = `${prefix}access`, refresh = `${prefix}refresh` } = cookies
  for (const [option, name] of Object.entries({ access, refresh })) {
    if (/^__(host|secure)-/i.test(name)) checkPrefix(`tokens.cookies.${option}`, name, { secure, path, domain })
  }
  if (access === refresh) refuseOption('tokens.cookies.refresh: must differ from the name of the access cookie')
  return { access, refresh, secure, sameSite, path, domain }
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
