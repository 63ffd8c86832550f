/** What the connection of a request tells: whether it comes from a browser on this machine, or through a proxy. */
import type { IncomingMessage } from 'node:http'

const forwardingHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

/**
 * True for a loopback peer that asked for a loopback host. The Host header matters because a page can point its own
 * domain at 127.0.0.1 (DNS rebinding), and forwarding headers because a proxy on this machine is a loopback peer too.
 */
export function isLocalRequest ({ socket, headers }: IncomingMessage): boolean {
  const host = `http://${headers.host}`
  return isLoopback(socket.remoteAddress ?? '') &&
    URL.canParse(host) && isLoopback(new URL(host).hostname.replace(/^\[(.*)\]$/, '$1')) &&
    !isForwarded({ headers })
}

/** Whether a proxy, or a client that pretends to be one, has sent the request. */
export const isForwarded = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  forwardingHeaders.some(name => name in headers)

const isLoopback = (name: string) => /^(::ffff:)?127(\.\d{1,3}){3}$|^::1$|^([\w-]+\.)*localhost$/i.test(name)
