/**
 * Where a login by redirect may end: at paths of the app's own origin, and at the origins that it names. Compared as
 * the URL that a browser would make of it, never as text (CWE-601).
 */
import type { Settings } from '../settings/types.js'

/** Undefined for an address where no login may end; else the absolute address that browsers go to. */
export type Destination = (next: string) => string | undefined

export function createReturnUrl ({ urls }: Pick<Settings, 'urls'>, publicUrl: () => string): Destination {
  return next => {
    // Whatever browsers read differently (backslashes, tabs, other scripts' dots and slashes) has no place in an address.
    if (!/^[\x21-\x5b\x5d-\x7e]{1,2000}$/.test(next)) return undefined
    const own = new URL(publicUrl()).origin
    const isPath = next.startsWith('/')
    if (!isPath && !/^https?:\/\/[^/]/i.test(next)) return undefined
    if (!URL.canParse(next, own)) return undefined
    const url = new URL(next, own)
    if (url.username !== '' || url.password !== '') return undefined
    const isOurs = isPath
      ? url.origin === own && !url.pathname.startsWith('//')
      : url.origin === own || urls.next.includes(url.origin)
    return isOurs ? url.href : undefined
  }
}
