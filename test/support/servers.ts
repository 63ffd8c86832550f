/** What a test needs to start a server of another program. */
import { execFileSync } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'

export interface UnixAccount {
  uid: number
  gid: number
}

/** The account for a server that refuses to run as root, or undefined if this process is not root. */
export function unprivileged (): UnixAccount | undefined {
  if (process.getuid?.() !== 0) return undefined
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'nobody']).toString())
  return { uid: idOf('-u'), gid: idOf('-g') }
}

export async function freePort (): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
