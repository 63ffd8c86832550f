/** Validates a host's own provider at start, because not every host uses TypeScript. */
import { refuseOption } from '../lib/refuse-option.js'
import { membersOf } from './claims.js'
import type { Provider } from './provider.js'

const local = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether it is an https URL; in development, http on this machine is allowed, too. */
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
const booleans = ['sendsIssuer', 'pkce', 'sendsNonce', 'addsFragment'] as const

/** Returns the provider. Throws an option error that names the first invalid member. */
export function checkProvider (option: string, given: object, production: boolean): Provider {
  const members = membersOf(given)
  const { label, issuer, endpoints, scopes, parameters, clientAuthentication, profile } = members
  const must = (isMet: boolean, name: string, what: string) => {
    if (!isMet) refuseOption(`${option}.${name}: must be ${what}`)
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
    [undefined, 'body', 'header'].some(known => known === clientAuthentication),
    'clientAuthentication',
    '"body" or "header"'
  )
  for (const name of functions) must(['undefined', 'function'].includes(typeof members[name]), name, 'a function')
  for (const name of booleans) must(['undefined', 'boolean'].includes(typeof members[name]), name, 'true or false')
  if (endpoints !== undefined) checkEndpoints(`${option}.endpoints`, Object(endpoints), production)
  // Every member was checked above.
  return given as Provider
}

const isText = (value: unknown) => typeof value === 'string'

function checkEndpoints (option: string, endpoints: Record<string, unknown>, production: boolean): void {
  for (const name of ['authorization', 'token', 'jwks', 'userinfo', 'tokeninfo']) {
    const isRequired = name === 'authorization' || name === 'token'
    if ((isRequired || endpoints[name] !== undefined) && !isAddressOf(endpoints[name], production)) {
      refuseOption(`${option}.${name}: must be an https address`)
    }
  }
}
