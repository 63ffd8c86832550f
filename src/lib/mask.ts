/** Identifiers for a log: enough to recognise the right one, too little to contact somebody or to log in. */

/** `a…@example.com` for an address, `a…` for a username. What was sent may be neither, even a password. */
export function masked (identifier: string): string {
  const [local = '', domain, ...more] = identifier.split('@')
  const first = String.fromCodePoint(local.codePointAt(0) ?? 0x2026)
  const isAddress = domain !== undefined && more.length === 0 && /^[\w.-]+\.[a-z]{2,}$/i.test(domain)
  return `${first}…${isAddress ? `@${domain}` : ''}`
}
