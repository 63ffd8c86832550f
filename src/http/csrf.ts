/**
 * Did a page of ours send this request? A browser adds its cookies to whatever a page makes it send, so what only
 * cookies vouch for has to show where it comes from, and that it is what no page can send without being asked
 * first (ASVS 3.5.1, 3.5.2; Fetch Metadata; RFC 6454). No token, no state: docs/cookies.md has the table.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { failure } from '../errors/failure.js'
import type { CsrfSettings } from '../settings/cookies.js'
import { listenedOn } from '../settings/links.js'
import type { Settings } from '../settings/types.js'

/** They change nothing (RFC 9110 §9.2.1). */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

export const isUnsafe = ({ method }: FastifyRequest): boolean => !safeMethods.has(method)

/**
 * Whether nobody, or a page of ours, sent the browser here; those of `friends` may, too, where they post. Browsers that do not
 * say so in Sec-Fetch-Site say it in Origin or Referer, or are taken to come from elsewhere.
 */
export function isSameOriginNavigation ({ headers }: FastifyRequest, publicUrl: string, friends: readonly string[]): boolean {
  const { origin = originOf(headers.referer), 'sec-fetch-site': site } = headers
  if (headers.origin !== undefined && friends.includes(headers.origin)) return true
  return site === undefined ? origin === originOf(publicUrl) : site === 'same-origin' || site === 'none'
}

const originOf = (url = '') => URL.canParse(url) ? new URL(url).origin : undefined

/** Gives the check of an unsafe request: throws `csrf_failed` for what a page of another site may have sent. */
export function createCsrfCheck ({ server }: FastifyInstance, { publicUrl }: Settings, { origins, trustHost }: CsrfSettings) {
  const trusted = new Set(origins)

  return function checkCsrf (request: FastifyRequest): void {
    const { origin, 'sec-fetch-site': site } = request.headers
    if (origin === undefined || !trusted.has(origin)) {
      if (origin === 'null' || (site !== 'same-origin' && !isOwn(origin, request))) {
        refuse(`Origin checking failed - ${origin?.slice(0, 200)} does not match any trusted origins.`)
      }
      if (site !== undefined && site !== 'same-origin' && site !== 'none') { refuse('The request comes from another site.') }
    }
    if (!isPreflighted(request)) refuse('Send application/json, or the header X-Requested-With.')
  }

  /** Where there is none, no browser sent it, or it says in Sec-Fetch-Site where it comes from. */
  function isOwn (origin: string | undefined, { host }: FastifyRequest): boolean {
    if (origin === undefined || origin === new URL(publicUrl ?? listenedOn(server)).origin) return true
    return trustHost && URL.canParse(origin) && new URL(origin).host === host
  }
}
export type CheckCsrf = ReturnType<typeof createCsrfCheck>

/** Whether a browser asks the server before it lets a page of another origin send this (Fetch §2.2.2). */
function isPreflighted ({ headers }: FastifyRequest): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  return type.trim().toLowerCase() === 'application/json' || headers['x-requested-with'] !== undefined
}

function refuse (problem: string): never {
  throw failure('csrf_failed', { problem })
}
