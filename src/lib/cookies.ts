/**
 * Cookies as RFC 6265bis has them. Values are taken and given as they are: those of a token need no encoding.
 *
 * @fastify/cookie can't be asked: what it serialises with is loaded when somebody registers it, and its parser
 * keeps the first of two cookies of one name and drops the other without a word.
 */

export interface CookieAttributes {
  secure: boolean
  sameSite: 'strict' | 'lax' | 'none'
  path: string
  domain: string | undefined
}

/** Bytes of name and value that a browser takes; it drops a longer one without a word (RFC 6265bis §5.6). */
const maxCookieBytes = 4096

/** The values that a Cookie header has for a name, in order; names are compared as they are written. */
export function cookieValues (header: string | undefined, name: string): string[] {
  const pairs = (header ?? '').split(';').map(pair => pair.trim())
  return pairs.filter(pair => pair.startsWith(`${name}=`)).map(pair => pair.slice(name.length + 1).trim())
}

/** A Set-Cookie header, HttpOnly always; `maxAge` in seconds, 0 deletes. Throws for what no browser would keep. */
export function setCookie (name: string, value: string, maxAge: number, { secure, sameSite, path, domain }: CookieAttributes): string {
  const bytes = Buffer.byteLength(name) + Buffer.byteLength(value)
  if (bytes > maxCookieBytes) { throw new Error(`the cookie ${name} would have ${bytes} bytes; browsers drop what has more than ${maxCookieBytes}`) }
  return [
    `${name}=${value}`,
    `Max-Age=${maxAge}`,
    `Path=${path}`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    'HttpOnly',
    ...(secure ? ['Secure'] : []),
    `SameSite=${sameSite.charAt(0).toUpperCase()}${sameSite.slice(1)}`
  ].join('; ')
}
