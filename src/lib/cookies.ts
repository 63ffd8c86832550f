/**
 * Reads and writes cookies (RFC 6265bis). Values are not encoded, because tokens need no encoding.
 *
 * @fastify/cookie can't be used here: its serializer exists only once a host registers it, and its parser silently
 * keeps only the first of two cookies with the same name.
 */

export interface CookieAttributes {
  secure: boolean
  sameSite: 'strict' | 'lax' | 'none'
  path: string
  domain: string | undefined
}

/** Bytes of name and value together. Browsers silently drop larger cookies (RFC 6265bis §5.6). */
const maxCookieBytes = 4096

/** The values that a Cookie header holds for a name, in order. Names are case-sensitive. */
export function cookieValues (header: string | undefined, name: string): string[] {
  const pairs = (header ?? '').split(';').map(pair => pair.trim())
  return pairs.filter(pair => pair.startsWith(`${name}=`)).map(pair => pair.slice(name.length + 1).trim())
}

/**
 * A Set-Cookie header, always HttpOnly. 0 for `maxAgeSeconds` deletes the cookie. Throws an Error for a cookie so large
 * that browsers would drop it.
 */
export function setCookie (
  name: string,
  value: string,
  maxAgeSeconds: number,
  { secure, sameSite, path, domain }: CookieAttributes
): string {
  const bytes = Buffer.byteLength(name) + Buffer.byteLength(value)
  if (bytes > maxCookieBytes) {
    throw new Error(`the cookie ${name} would have ${bytes} bytes; browsers drop more than ${maxCookieBytes}`)
  }
  return [
    `${name}=${value}`,
    `Max-Age=${maxAgeSeconds}`,
    `Path=${path}`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    'HttpOnly',
    ...(secure ? ['Secure'] : []),
    `SameSite=${sameSite.charAt(0).toUpperCase()}${sameSite.slice(1)}`
  ].join('; ')
}
