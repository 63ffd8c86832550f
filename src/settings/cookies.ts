/** The options `tokens.cookies` and `tokens.csrf`: what is wrong with them is told at start, in one line. */
import type { Static } from '@sinclair/typebox'
import type { CookieOptions, CsrfOption } from '../../schemas/options/cookies.js'
import type { CookieAttributes } from '../lib/cookies.js'
import { refuseOption } from '../lib/refuse-option.js'

export interface CookieSettings extends CookieAttributes {
  /** Names of the cookies. */
  access: string
  refresh: string
}

export interface CsrfSettings {
  /** Of front ends that are not served from where the app is. */
  origins: readonly string[]
  /** Whether the app's origin is also what a request's Host says, as `publicUrl` need not be true yet. */
  trustHost: boolean
}

export interface GivenCookies {
  cookies: false | Static<typeof CookieOptions>
  csrf: Static<typeof CsrfOption>
}

/** Names and attributes with their defaults; undefined where tokens travel in bodies and the Authorization header. */
export function resolveCookies ({ cookies }: GivenCookies, production: boolean): CookieSettings | undefined {
  if (cookies === false) return undefined
  const { secure = true, sameSite = 'strict', path = '/', domain } = cookies
  if (!secure && production) refuseOption('tokens.cookies.secure: must be true in production')
  if (!secure && sameSite === 'none') { refuseOption("tokens.cookies.sameSite: 'none' needs tokens.cookies.secure, or browsers drop the cookies") }
  const prefix = !secure ? '' : path === '/' && domain === undefined ? '__Host-' : '__Secure-'
  const { access = `${prefix}access`, refresh = `${prefix}refresh` } = cookies
  for (const [option, name] of Object.entries({ access, refresh })) {
    if (/^__(host|secure)-/i.test(name)) checkPrefix(option, name, { secure, path, domain })
  }
  if (access === refresh) refuseOption('tokens.cookies.refresh: must not have the name of the access cookie')
  return { access, refresh, secure, sameSite, path, domain }
}

/** RFC 6265bis §4.1.3. Browsers compare without regard to case, and drop what breaks the promise. */
function checkPrefix (option: string, name: string, { secure, path, domain }: Pick<CookieSettings, 'secure' | 'path' | 'domain'>): void {
  const [prefix = ''] = /^__\w+-/.exec(name) ?? []
  if (prefix !== '__Host-' && prefix !== '__Secure-') { refuseOption(`tokens.cookies.${option}: write the prefix __Host- or __Secure-`) }
  if (!secure) { refuseOption(`tokens.cookies.${option}: ${prefix} needs tokens.cookies.secure, or browsers drop the cookie`) }
  if (prefix === '__Host-' && (path !== '/' || domain !== undefined)) {
    refuseOption(
      `tokens.cookies.${option}: __Host- goes with neither domain nor a path but /, or browsers drop the cookie; use __Secure-`
    )
  }
}

/** Whom requests are taken from that the cookies authenticate; undefined where nobody asks. */
export function resolveCsrf ({ cookies, csrf }: GivenCookies, production: boolean): CsrfSettings | undefined {
  if (cookies === false) {
    if (typeof csrf === 'object') refuseOption('tokens.csrf: has no effect without tokens.cookies')
    return undefined
  }
  if (csrf === false) {
    if (cookies.sameSite === 'none') {
      refuseOption(
        "tokens.csrf: must not be false where tokens.cookies.sameSite is 'none': every site could act for your users"
      )
    }
    return undefined
  }
  const { origins = [] } = csrf === true ? {} : csrf
  for (const [index, origin] of origins.entries()) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) { refuseOption(`tokens.csrf.origins.${index}: must be an origin such as https://app.example`) }
    if (production && !origin.startsWith('https:')) { refuseOption(`tokens.csrf.origins.${index}: must be https in production`) }
  }
  return { origins, trustHost: !production }
}
