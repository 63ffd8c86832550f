/** A TCP path to a server that can fall silent: then it drops what it gets, and answers nothing. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface FlakyNetwork {
  /** The URL of the server, by this path. */
  url: string
  isSilent: boolean
}

export async function startFlakyNetwork (t: Test, serverUrl: string): Promise<FlakyNetwork> {
  const target = new URL(serverUrl)
  const sockets = new Set<Socket>()
  const network = { url: '', isSilent: false }
  const server = createServer(near => {
    // Of a connection that the path has dropped, nothing is ever heard again.
    let isLost = network.isSilent
    const far = connect(Number(target.port || 5432), target.hostname)
    const forward = (from: Socket, to: Socket) => from
      .on('data', data => {
        isLost ||= network.isSilent
        if (!isLost) to.write(data)
      })
      .on('error', () => {})
      .on('close', () => to.destroy())
    for (const [from, to] of [[near, far], [far, near]] as const) forward(from, to)
    for (const socket of [near, far]) sockets.add(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  network.url = Object.assign(new URL(serverUrl), { port: String(port), hostname: '127.0.0.1', search: '' }).href
  return network
}
