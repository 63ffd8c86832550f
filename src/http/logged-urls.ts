/**
 * Keeps secrets in URLs out of the log: a mailed token in a link with a typing error, or a token that a client puts
 * into the query. Fastify logs the URL of each request, and of unknown paths too.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'

type Serializer = (value: unknown) => unknown
interface Serializers { req?: Serializer }

// Where pino keeps the serializers of a logger: other loggers have none.
const ofPino = Symbol.for('pino.serializers')

/** Call this before you add routes. The host's own serializer stays, and gets a request without secrets in its URL. */
export function maskLoggedUrls (app: FastifyInstance): void {
  const createOfHost = app.childLoggerFactory
  const { prefix } = app
  app.setChildLoggerFactory(function (logger, bindings, options, raw) {
    const given: Serializers = options.serializers ?? {}
    const req = given.req ?? serializersOf(logger).req
    if (!req) return createOfHost.call(this, logger, bindings, options, raw)
    // Fastify's serializers of a scope inherit from those around it.
    const serializers = Object.assign(Object.create(given), { req: (value: unknown) => req(masked(value, prefix)) })
    return createOfHost.call(this, logger, bindings, { ...options, serializers }, raw)
  })
}

const serializersOf = (logger: object): Serializers => ofPino in logger ? Object(logger[ofPino]) : {}

/** The same request, Fastify's or that of Node.js, as far as a serializer can see, but for the values in its URL. */
function masked (request: unknown, prefix: string): unknown {
  if (typeof request !== 'object' || request === null || !('url' in request)) return request
  if (!isFastifyRequest(request)) return Object.create(request, maskedUrls(request, prefix))
  const urls = maskedUrls({ url: request.url, originalUrl: request.originalUrl }, prefix)
  const raw: object = Object.create(request.raw, urls)
  const nothing = { value: {} }
  return Object.create(request, { raw: { value: raw }, ...urls, params: nothing, query: nothing })
}

/** With Fastify's `rewriteUrl`, the original URL is another one. */
const maskedUrls = ({ url, originalUrl = url }: { url: unknown, originalUrl?: unknown }, prefix: string) => ({
  url: { value: maskedUrl(String(url), prefix) },
  originalUrl: { value: maskedUrl(String(originalUrl), prefix) }
})

const isFastifyRequest = (request: object): request is FastifyRequest => 'raw' in request && 'routeOptions' in request

/** Keeps the prefix, plain words and UUIDs, which are no secrets. A name in a query may be one: `?<token>`. */
function maskedUrl (url: string, prefix: string): string {
  const [path = '', query] = url.split(/[?#](.*)/s)
  const known = path.startsWith(prefix) ? prefix : ''
  const segments = path.slice(known.length).split('/').map(segment => harmless.test(segment) ? segment : '…')
  return `${known}${segments.join('/')}${query === undefined ? '' : '?…'}`
}

// A piece of a token may consist of letters alone, but hardly of small ones.
const harmless = /^([A-Z]?[a-z._-]{0,24}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$/
