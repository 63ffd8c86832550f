/** The checks of `urls`. */
import { refuseOption } from '../lib/refuse-option.js'
import type { Settings } from './types.js'

type PageName = Exclude<keyof Settings['urls'], 'next'>

const placeholders: ReadonlyArray<readonly [name: PageName, wanted: readonly string[]]> = [
  ['login', []],
  ['socialLogin', []],
  ['emailConfirmation', ['key']],
  ['passwordReset', ['uid', 'token']]
]

/** The addresses as they were given, and those of `next` as origins. Throws an Error that names the invalid option. */
export function resolveUrls (urls: Settings['urls'], production: boolean): Settings['urls'] {
  const next = urls.next.map((address, index) => originOf(`urls.next[${index}]`, address, production))
  for (const [name, wanted] of placeholders) {
    const url = urls[name]
    if (url === undefined) continue
    const option = `urls.${name}`
    checkPlaceholders(option, url, wanted)
    checkAddress(option, url.replace(/[{}]/g, ''), production)
  }
  return { ...urls, next }
}

function checkPlaceholders (option: string, url: string, wanted: readonly string[]): void {
  const found = [...url.matchAll(/\{(\w*)\}/g)].map(([, placeholder]) => placeholder ?? '')
  const missing = wanted.find(placeholder => !found.includes(placeholder))
  if (missing) refuseOption(`${option}: must contain {${missing}}, or the mailed link would lead nowhere`)
  const unknown = found.find(placeholder => !wanted.includes(placeholder))
  if (unknown === undefined) return
  const hint = wanted.length > 0 ? `; use ${wanted.map(placeholder => `{${placeholder}}`).join(' and ')}` : ''
  refuseOption(`${option}: unknown placeholder {${unknown}}${hint}`)
}

/** The origin of an address that has no path, query, fragment or credentials. */
function originOf (option: string, address: string, production: boolean): string {
  // Only http(s): an app on a phone could not collect the login, because the cookie it is bound to is in the browser.
  if (!/^https?:\/\/[^/?#\s\\@*]+$/i.test(address) || !URL.canParse(address)) {
    refuseOption(`${option}: must be an origin such as https://app.example`)
  }
  const { protocol, origin } = new URL(address)
  if (protocol === 'http:' && production) refuseOption(`${option}: must be https in production`)
  return origin
}

/** The two login pages may be paths of this origin. Apps on phones have their own schemes, so those are allowed. */
function checkAddress (option: string, url: string, production: boolean): void {
  const isPage = option === 'urls.login' || option === 'urls.socialLogin'
  if (isPage && /^\/(?![/\\])[^\s\\]*$/.test(url)) return
  const protocol = /^[a-z][a-z0-9+.-]*:\/\/[^\s\\]+$/i.test(url) && URL.canParse(url) ? new URL(url).protocol : ''
  if (protocol === '' || scripts.has(protocol)) {
    refuseOption(
      `${option}: must be an address such as https://app.example/${isPage ? 'login, or a path such as /login' : 'page'}`
    )
  }
  if (protocol === 'http:' && production) refuseOption(`${option}: must be https in production`)
}

const scripts = new Set(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:'])
