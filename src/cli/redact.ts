/** Takes the passwords out of URLs, which are in options, in the words of a command, and in errors of drivers. */

/**
 * A file stays as it is. Of a URL stay the scheme, the hosts and the path; if a `@` among its parameters leaves open
 * where the password ends, only the scheme.
 */
export function redactedUrl (text: string): string {
  const url = text.trim()
  // Not parsed: behind a Unix socket it may be `postgres://user@/db?host=/run`, which is no URL to Node.js, and a
  // password may contain `/`, `?` or `#` by mistake.
  const [, scheme, rest = ''] = /^(.*?\w:\/\/|[a-z][\w+.-]+:)(.*)$/is.exec(url) ?? []
  if (scheme === undefined) return url
  const [address = '', ...parameters] = rest.split(/[?#]/)
  return scheme + (parameters.some(part => part.includes('@')) ? '…' : address.replace(/.*@/s, ''))
}

/** A line that may quote URLs. */
export const withoutPasswords = (line: string): string =>
  line.replace(/(\w:\/\/)\S*@/g, '$1').replace(/([?&]password=)[^&\s"]*/gi, '$1…')
