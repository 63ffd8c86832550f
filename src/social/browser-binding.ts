/** A cookie for each login binds it to its browser, so a cookie planted earlier is useless (RFC 9700 §2.1, §4.7). */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readCookie, setCookie } from '../lib/cookies.js'
import { hashToken, mintToken } from '../lib/secrets.js'
import type { Settings } from '../settings/types.js'

export function createBrowserBinding ({ cookies, publicUrl = '' }: Pick<Settings, 'cookies' | 'publicUrl'>) {
  const secure = cookies?.secure ?? publicUrl.startsWith('https:')
  // Lax: the browser must send it when it returns from the provider's site.
  const attributes = { secure, sameSite: 'lax', path: '/', domain: undefined, partitioned: false } as const
  const nameOf = (key: string) => `${secure ? '__Host-' : ''}social-${key.slice(0, 12)}`

  /** Sets the cookie for the login whose token has the digest `key`. Returns the hash of its value, to be stored. */
  function bind (reply: FastifyReply, key: string, lifetimeSeconds: number): string {
    const secret = mintToken()
    setCookie(reply, nameOf(key), secret, lifetimeSeconds, attributes)
    return hashToken(secret)
  }

  /** The hash of the cookie's value; undefined if the browser sends none, or several. */
  function read (request: FastifyRequest, key: string): string | undefined {
    const secret = readCookie(request, nameOf(key))
    return secret === undefined ? undefined : hashToken(secret)
  }

  function release (reply: FastifyReply, key: string): void {
    setCookie(reply, nameOf(key), '', 0, attributes)
  }

  return { bind, read, release }
}
export type BrowserBinding = ReturnType<typeof createBrowserBinding>
