/** Our cookies, which a host's `parseOptions` do not change: docs/decisions/0011-cookies.md. */
import fastifyCookie from '@fastify/cookie'
import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

export interface CookieAttributes {
  secure: boolean
  sameSite: 'strict' | 'lax' | 'none'
  path: string
  domain: string | undefined
  /** CHIPS: a cookie of each site that embeds the app, apart from that of the others. */
  partitioned: boolean
}

/** Bytes of name and value together; browsers drop longer cookies silently (RFC 6265bis §5.6). */
const maxCookieBytes = 4096

export async function addCookies (app: FastifyInstance): Promise<void> {
  if (!app.hasReplyDecorator('setCookie')) await app.register(fastifyCookie, { hook: false })
}

/** Two are an attack: one was planted, and nothing tells which (RFC 6265bis §8.6). Only space and tab count (§5.6). */
export const countCookies = (request: FastifyRequest, name: string): number => cookieValues(request, name).length

export function cookieValues ({ headers }: FastifyRequest, name: string): string[] {
  const pairs = (headers.cookie ?? '').split(';').map(pair => pair.replace(/^[ \t]+/, ''))
  return pairs
    .filter(pair => pair.startsWith(name) && /^[ \t]*=/.test(pair.slice(name.length)))
    .map(pair => pair.slice(pair.indexOf('=') + 1).trim())
}

/** The value of the only cookie of this name; undefined where there is none, or more than one. */
export function readCookie (request: FastifyRequest, name: string): string | undefined {
  return countCookies(request, name) === 1 ? parseCookie(request.headers.cookie ?? '')[name] : undefined
}

/** What a host's `parseOptions` could add; undefined, and so not left to them. */
const noHostDefaults = {
  signed: false,
  encode: String,
  expires: undefined,
  priority: undefined
}

/** Sets an HttpOnly cookie for `maxAgeSeconds`; 0 deletes it. Throws for one that no browser would keep. */
export function setCookie (
  reply: FastifyReply, name: string, value: string, maxAgeSeconds: number, attributes: CookieAttributes
): void {
  const bytes = Buffer.byteLength(name) + Buffer.byteLength(value)
  if (bytes > maxCookieBytes) {
    throw new Error(`the cookie ${name} has ${bytes} bytes, but browsers drop cookies of more than ${maxCookieBytes}`)
  }
  const options = optionsOf(attributes, maxAgeSeconds)
  if (reply.server.hasReplyDecorator('setCookie')) reply.setCookie(name, value, options)
  // A route of the app calls `sessions.open`, and the app does not use @fastify/cookie.
  else addHeader(reply, name, value, options)
}

/**
 * Deletes a cookie whose name, domain and path are those of one that the same response may set, such as a cookie with
 * Partitioned beside one without. @fastify/cookie would send only the last of the two.
 */
export function deleteTwin (reply: FastifyReply, name: string, attributes: CookieAttributes): void {
  addHeader(reply, name, '', optionsOf(attributes, 0))
}

// The types of @fastify/cookie allow no undefined, which is what overrides a host's default.
const optionsOf = (attributes: CookieAttributes, maxAgeSeconds: number): object =>
  ({ ...noHostDefaults, ...attributes, maxAge: maxAgeSeconds, httpOnly: true })

/** Once, if a cookie is deleted twice. */
function addHeader (reply: FastifyReply, name: string, value: string, options: object): void {
  const cookie = stringifySetCookie({ name, value, ...options })
  if (![reply.getHeader('set-cookie') ?? []].flat().includes(cookie)) reply.header('set-cookie', cookie)
}
