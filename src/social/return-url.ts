/** Where a login may end. Addresses are parsed as browsers do, never compared as text (open redirects, CWE-601). */
import type { Settings } from '../settings/types.js'

/** Resolves `next` to an absolute address; undefined if no login may end there. */
export type ReturnUrl = (next: string) => string | undefined

export function createReturnUrl ({ urls }: Pick<Settings, 'urls'>, publicUrl: () => string): ReturnUrl {
  return next => {
    // Excludes the characters that browsers rewrite: backslashes, tabs, dots and slashes of other scripts.
    if (!/^[\x21-\x5b\x5d-\x7e]{1,2000}$/.test(next)) return undefined
    const own = new URL(publicUrl()).origin
    const isPath = next.startsWith('/')
    if (!isPath && !/^https?:\/\/[^/]/i.test(next)) return undefined
    if (!URL.canParse(next, own)) return undefined
    const url = new URL(next, own)
    if (url.username !== '' || url.password !== '') return undefined
    const isAllowed = isPath
      ? url.origin === own && !url.pathname.startsWith('//')
      : url.origin === own || urls.next.includes(url.origin)
    return isAllowed ? url.href : undefined
  }
}
