/** Identifiers for a log: enough to recognise the right one, too little to contact somebody or to log in. */

/**
 * `a…@e….com` for an address, `a…` for anything else. What was sent may be neither an address nor a username, but a
 * password in the wrong field.
 */
export function masked (identifier: string): string {
  const [, domain, ending] = /^[^@]+@(.)[\w.-]*\.([a-z]{2,24})$/i.exec(identifier) ?? []
  const first = identifier === '' ? '' : String.fromCodePoint(identifier.codePointAt(0) ?? 0)
  return `${first}…${domain === undefined ? '' : `@${domain}….${ending}`}`
}
