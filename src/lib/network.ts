/** The network that a client's address belongs to, for limits: who has one address of it has them all. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

// A customer has at least this network (RFC 6177), and often several.
const ipv6NetworkBytes = 8

/**
 * The IPv4 address, or the first 64 bits of the IPv6 address, in one form. `address` comes from `request.ip`: it is
 * undefined on a Unix socket, and with `trustProxy` it is the text of a header.
 */
export function networkOf (address = ''): string {
  // Some proxies add the port.
  const [host = ''] = /^[\d.]+(?=:\d+$)|[^[\]]+(?=\]:\d+$)/.exec(address) ?? [address]
  if (!ipaddr.isValid(host)) return 'unknown'
  const parsed = ipaddr.process(host)
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : Buffer.from(parsed.toByteArray().slice(0, ipv6NetworkBytes)).toString('hex')
}

/** Whether Fastify's `trustProxy` takes it: an address, a network such as 10.0.0.0/8, or a name for some networks. */
export const isTrustedProxy = (text: string): boolean =>
  ['loopback', 'linklocal', 'uniquelocal'].includes(text) || isIP(text) !== 0 ||
  // To ipaddr.js, `10` is an address, too.
  (isIP(text.replace(/\/.*/, '')) !== 0 && ipaddr.isValidCIDR(text))
