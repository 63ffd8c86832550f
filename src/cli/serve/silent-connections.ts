/**
 * Connections that have not sent a byte. Node.js takes them for requests under way, so a server that closes would wait
 * for them; those that have finished a request it ends by itself.
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Follows the connections of the server from now on. The function returned ends silent ones, now and later. */
export function trackSilentConnections (server: Server): () => void {
  const open = new Set<Socket>()
  let isClosing = false
  // In the next turn of the event loop: a request that has arrived already is read before.
  const endIfSilent = (socket: Socket) => setImmediate(() => { if (socket.bytesRead === 0) socket.destroy() })
  server.on('connection', socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    if (isClosing) endIfSilent(socket)
  })
  return () => {
    isClosing = true
    for (const socket of open) endIfSilent(socket)
  }
}
