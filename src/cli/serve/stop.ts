/** Ends a server: no new connections, requests under way finish, then everything closes. */
import cluster from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from './server.js'

/** What the primary sends to its workers. */
export const stopMessage = 'stop'

/** Resolves to the exit code: 1 if the server did not close in time. */
export async function closeInTime (
  { app, readiness, endSilentConnections }: Server, timeoutMs: number
): Promise<number> {
  readiness.close()
  endSilentConnections()
  app.log.info('closing: requests under way may finish')
  const closed = app.close().then(() => 0, error => {
    app.log.error({ err: error }, 'the server did not close properly')
    return 1
  })
  const code = await Promise.race([closed, sleep(timeoutMs, undefined)])
  if (code === undefined) app.log.error(`not closed within ${timeoutMs / 1000} s: requests under way are cut off`)
  return code ?? 1
}

/**
 * Resolves when a signal asks the server to stop. A second signal ends the process at once. A worker leaves that to the
 * primary: a terminal or systemd sends signals to both, so it would get the first one twice.
 */
export const stopAsked = async (): Promise<void> => await new Promise(resolve => {
  if (cluster.isWorker) {
    process.on('message', message => { if (message === stopMessage) resolve() })
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => resolve())
    return
  }
  onSignal(isFirst => isFirst ? resolve() : process.exit(1))
})

/** Calls back at each SIGTERM and SIGINT. */
export function onSignal (callback: (isFirst: boolean) => void): void {
  let isFirst = true
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      callback(isFirst)
      isFirst = false
    })
  }
}
