/** The checks of `urls`. */
import { refuseOption } from '../lib/refuse-option.js'
import type { Settings } from './types.js'

const placeholders = {
  login: [],
  socialLogin: [],
  emailConfirmation: ['key'],
  passwordReset: ['uid', 'token']
} as const

/** The addresses as they were given, and those that `next` may lead to as origins. */
export function resolveUrls (urls: Settings['urls'], production: boolean): Settings['urls'] {
  const next = urls.next.map((address, index) => originOf(`urls.next.${index}`, address, production))
  for (const [name, wanted] of Object.entries(placeholders) as Array<[keyof typeof placeholders, readonly string[]]>) {
    const url = urls[name]
    if (url === undefined) continue
    const option = `urls.${name}`
    const found = [...url.matchAll(/\{(\w*)\}/g)].map(([, placeholder]) => placeholder ?? '')
    const missing = wanted.find(placeholder => !found.includes(placeholder))
    const unknown = found.find(placeholder => !wanted.includes(placeholder))
    if (missing) refuseOption(`${option}: must contain {${missing}}, or the link of the mail would lead nowhere`)
    if (unknown !== undefined) {
      refuseOption(
        `${option}: knows no {${unknown}}${wanted.length > 0 ? `; there is ${wanted.map(placeholder => `{${placeholder}}`).join(' and ')}` : ''}`
      )
    }
    checkAddress(option, url.replace(/[{}]/g, ''), production)
  }
  return { ...urls, next }
}

/** However it is written; nothing may stand behind it. */
function originOf (option: string, address: string, production: boolean): string {
  // An app on a phone could not fetch what is left for the browser: it has the cookie.
  if (!/^https?:\/\/[^/?#\s\\@*]+$/i.test(address) || !URL.canParse(address)) { refuseOption(`${option}: must be an origin such as https://app.example`) }
  const { protocol, origin } = new URL(address)
  if (protocol === 'http:' && production) refuseOption(`${option}: must be https in production`)
  return origin
}

/** The login may be a path of this origin; an app on a phone has a scheme of its own. */
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
