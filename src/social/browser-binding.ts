/**
 * Ties what is under way to the browser that began it: by a cookie for each, so that two tabs do not disturb each other,
 * and that a cookie somebody planted before is of no use (RFC 9700 §2.1, §4.7).
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { cookieValues, setCookie } from '../lib/cookies.js'
import { hashToken, mintToken } from '../lib/secrets.js'
import type { Settings } from '../settings/types.js'

export function createBrowserBinding ({ cookies, publicUrl = '' }: Pick<Settings, 'cookies' | 'publicUrl'>) {
  const secure = cookies?.secure ?? publicUrl.startsWith('https:')
  // Lax: the browser is to bring it when it comes back from another site.
  const attributes = { secure, sameSite: 'lax', path: '/', domain: undefined } as const
  const nameOf = (key: string) => `${secure ? '__Host-' : ''}social-${key.slice(0, 12)}`

  return {
    /** Gives this browser a cookie for what `key`, a digest, names; answers with what to keep of it. `lifetime` in seconds. */
    bind (reply: FastifyReply, key: string, lifetime: number): string {
      const secret = mintToken()
      reply.header('set-cookie', setCookie(nameOf(key), secret, lifetime, attributes))
      return hashToken(secret)
    },

    /** What was kept of this browser's cookie; undefined where it has none, or several. */
    read (request: FastifyRequest, key: string): string | undefined {
      const [secret, ...others] = cookieValues(request.headers.cookie, nameOf(key))
      return secret === undefined || others.length > 0 ? undefined : hashToken(secret)
    },

    /** Takes the cookie back. */
    release (reply: FastifyReply, key: string): void {
      reply.header('set-cookie', setCookie(nameOf(key), '', 0, attributes))
    }
  }
}
export type BrowserBinding = ReturnType<typeof createBrowserBinding>
