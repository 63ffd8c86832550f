/** A provider that the host defines itself is looked at once, at start: not every host has the compiler do it. */
import { refuseOption } from '../lib/refuse-option.js'
import type { Provider } from './provider.js'

const local = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether it is an address of TLS; in development http will do, on this machine. */
export function isAddressOf (value: unknown, production: boolean): value is string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const { protocol, hostname, username, hash } = new URL(value)
  return (
    username === '' &&
    hash === '' &&
    (protocol === 'https:' || (protocol === 'http:' && !production && local.has(hostname)))
  )
}

const functions = ['acceptsIssuer', 'isOurs', 'ownsMailbox'] as const
const booleans = ['sendsIssuer', 'pkce', 'sendsNonce'] as const

/** The provider itself, or the refusal of what is wrong with it, by the option's path. */
export function checkProvider (option: string, given: object, production: boolean): Provider {
  const { label, issuer, endpoints, scopes, parameters, clientAuthentication, profile, ...rest } = given as Record<
    keyof Provider,
    unknown
  >
  const must = (holds: boolean, name: string, what: string) => {
    if (!holds) refuseOption(`${option}.${name}: must be ${what}`)
  }
  must(typeof label === 'string' && label !== '', 'label', 'a string, not empty')
  must(isAddressOf(issuer, production), 'issuer', 'an https address')
  must(Array.isArray(scopes) && scopes.every(isText), 'scopes', 'a list of strings')
  must(typeof profile === 'function', 'profile', 'a function')
  must(
    parameters === undefined || Object.values(Object(parameters)).every(isText),
    'parameters',
    'an object of strings'
  )
  must(
    [undefined, 'body', 'header'].includes(clientAuthentication as string),
    'clientAuthentication',
    '"body" or "header"'
  )
  for (const name of functions) must(rest[name] === undefined || typeof rest[name] === 'function', name, 'a function')
  for (const name of booleans) must(rest[name] === undefined || typeof rest[name] === 'boolean', name, 'true or false')
  if (endpoints !== undefined) checkEndpoints(`${option}.endpoints`, Object(endpoints), production)
  // Checked member by member above.
  return given as Provider
}

const isText = (value: unknown) => typeof value === 'string'

function checkEndpoints (option: string, endpoints: Record<string, unknown>, production: boolean): void {
  for (const name of ['authorization', 'token', 'jwks', 'userinfo', 'tokeninfo']) {
    const isNeeded = name === 'authorization' || name === 'token'
    if ((isNeeded || endpoints[name] !== undefined) && !isAddressOf(endpoints[name], production)) { refuseOption(`${option}.${name}: must be an https address`) }
  }
}
