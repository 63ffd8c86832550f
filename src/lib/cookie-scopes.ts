/**
 * Where else a browser may keep a cookie of a name. A request does not say which domain and path its cookies have, but
 * they match the request's host and path (RFC 6265bis §5.8.3), so there are only a few.
 */
import type { FastifyRequest } from 'fastify'
import type { CookieAttributes } from './cookies.js'

type Scope = Pick<CookieAttributes, 'domain' | 'path'>

/** Of each name: proxies limit the headers of a response, many to 4 KiB. */
const maxScopes = 15

/** Browsers keep a `__Host-` cookie only without a domain and for the path `/` (§4.1.3.2). */
export const hasOneScope = (name: string): boolean => name.startsWith('__Host-')

/**
 * The scopes, other than `own`, from which a cookie may have come with this request. Behind a proxy, the browser may
 * know the app by another host and below another path, those of `publicUrl`. The shortest paths come first.
 */
export function otherScopes (request: FastifyRequest, own: Scope, publicUrl = 'http://localhost'): Scope[] {
  const { hostname, pathname } = new URL(publicUrl)
  const path = request.originalUrl.replace(/[?#].*/s, '')
  const domains = [undefined, ...unique([hostname, request.hostname].flatMap(domainsOf))]
  const paths = unique([path, `${pathname.replace(/\/$/, '')}${path}`].flatMap(pathsOf))
    .sort((one, other) => one.length - other.length)
  return paths
    .flatMap(path => domains.map(domain => ({ domain, path })))
    .filter(({ domain, path }) => path !== own.path || domain !== canonical(own.domain))
    .slice(0, maxScopes)
}

const unique = (values: string[]) => [...new Set(values)]
const canonical = (domain: string | undefined) => domain?.replace(/^\./, '').toLowerCase()

/** The host and its parents but for the last label. None of an address or a single label, which has no other scope. */
function domainsOf (host: string): string[] {
  const name = host.toLowerCase()
  // A client may send any Host header.
  if (!/^([a-z0-9_-]+\.)+[a-z][a-z0-9-]*$/.test(name)) return []
  const labels = name.split('.')
  return labels.slice(0, -1).map((_label, index) => labels.slice(index).join('.'))
}

/** `/a/b` is matched by `/`, `/a`, `/a/` and `/a/b` (§5.1.4). */
function pathsOf (path: string): string[] {
  const ends = [...path.matchAll(/\//g)].flatMap(({ index }) => [index, index + 1])
  return ['/', ...[...ends, path.length].map(end => path.slice(0, end))].filter(one => /^\/[!-:<-~]*$/.test(one))
}
