/**
 * CSRF protection without state: a request that is authenticated by cookies alone must come from an allowed origin, or
 * need a CORS preflight if the browser does not say where it comes from (ASVS 3.5.1, 3.5.2; Fetch Metadata; RFC 6454).
 * docs/cookies.md has the table.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { failure } from '../errors/failure.js'
import type { CsrfSettings } from '../settings/cookies.js'
import { listenedOn } from '../settings/links.js'
import type { Settings } from '../settings/types.js'

// RFC 9110 §9.2.1
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

export const isUnsafe = ({ method }: FastifyRequest): boolean => !safeMethods.has(method)

/**
 * True for navigations started by the user or by a page of the plugin's origin; pages of `allowedOrigins` may also
 * POST. Without Sec-Fetch-Site it falls back to Origin, then to Referer, and is false without any of them.
 */
export function isSameOriginNavigation (
  { headers }: FastifyRequest,
  publicUrl: string,
  allowedOrigins: readonly string[]
): boolean {
  const { origin = originOf(headers.referer), 'sec-fetch-site': site } = headers
  if (headers.origin !== undefined && allowedOrigins.includes(headers.origin)) return true
  return site === undefined ? origin === originOf(publicUrl) : site === 'same-origin' || site === 'none'
}

const originOf = (url = '') => URL.canParse(url) ? new URL(url).origin : undefined

export type CheckCsrf = (request: FastifyRequest) => void

/** Returns the check of unsafe requests: throws `csrf_failed` if a page of another site may have sent the request. */
export function createCsrfCheck (
  { server }: FastifyInstance,
  { publicUrl }: Settings,
  { origins, trustHost }: CsrfSettings
): CheckCsrf {
  const trusted = new Set(origins)

  function checkCsrf (request: FastifyRequest): void {
    const { origin, 'sec-fetch-site': site } = request.headers
    if (site === 'same-origin' || site === 'none') return
    if (origin !== undefined && (trusted.has(origin) || isOwnOrigin(origin, request))) return
    if (origin !== undefined) {
      const problem = `Origin checking failed - ${origin.slice(0, 200)} does not match any trusted origins.`
      throw failure('csrf_failed', { problem })
    }
    if (site !== undefined) throw failure('csrf_failed', { problem: 'The request comes from another site.' })
    // No browser, or one so old that it reports neither.
    if (isPreflighted(request)) return
    throw failure('csrf_failed', { problem: 'Send application/json, or the header X-Requested-With.' })
  }

  function isOwnOrigin (origin: string, { host }: FastifyRequest): boolean {
    if (origin === new URL(publicUrl ?? listenedOn(server)).origin) return true
    return trustHost && URL.canParse(origin) && new URL(origin).host === host
  }

  return checkCsrf
}

/** Whether a browser asks with a preflight before a page of another origin may send this (Fetch §2.2.2). */
function isPreflighted ({ headers }: FastifyRequest): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  return type.trim().toLowerCase() === 'application/json' || headers['x-requested-with'] !== undefined
}
