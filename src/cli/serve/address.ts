/** Where the server listens, and which proxies it trusts: from flags and the environment, checked. */
import { isTrustedProxy } from '../../lib/network.js'

export interface Address {
  host: string
  port: number
  /** As Fastify takes it; a function of the address and its place, the nearest proxy being 0. */
  trustProxy: string[] | ((address: string, hop: number) => boolean) | false
}

export const serverVariables = [
  { name: 'PORT', summary: 'where it listens; default: 3000' },
  { name: 'HOST', summary: 'where it listens; default: 127.0.0.1' },
  {
    name: 'TRUST_PROXY',
    summary: 'the addresses of your proxies, such as 10.0.0.0/8,127.0.0.1; or how many there are, one behind another'
  }
] as const

interface Given {
  host?: string | undefined
  port?: string | undefined
}

/** Throws an Error that names the flag or variable at fault. */
export function readAddress (
  { host, port }: Given, environment: Readonly<Record<string, string | undefined>>
): Address {
  const [portName, portText] = port === undefined ? ['PORT', environment.PORT || '3000'] : ['--port', port]
  return {
    host: host ?? (environment.HOST || '127.0.0.1'),
    port: wholeNumber(portName, portText, [0, 65535]),
    trustProxy: readProxies(environment.TRUST_PROXY ?? '')
  }
}

export function wholeNumber (name: string, text: string, [least, most]: readonly [number, number]): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN
  if (number >= least && number <= most) return number
  throw new Error(`serve: ${name}: must be a whole number from ${least} to ${most}`)
}

/** Throws an Error for `true`, too: with it, a client could choose its address, and no limit would hold. */
export function readProxies (text: string): Address['trustProxy'] {
  const proxies = text.split(',').map(part => part.trim()).filter(part => part !== '')
  const [first = ''] = proxies
  if (proxies.length === 1 && /^[1-9]$/.test(first)) return (_address, hop) => hop < Number(first)
  if (proxies.every(isTrustedProxy)) return proxies.length > 0 && proxies
  throw new Error(
    'serve: TRUST_PROXY: must be addresses such as 10.0.0.0/8, separated by commas, or the number of proxies, 1 to 9'
  )
}
