/** An app in a process of its own, which logs to its standard output. */
import { once } from 'node:events'
import type { Readable } from 'node:stream'

/** Reads a log from now on. The function returned resolves to the first group of a pattern once the log has it. */
export function followLog (log: Readable): (pattern: RegExp) => Promise<string> {
  let text = ''
  log.setEncoding('utf8').on('data', chunk => { text += chunk })
  const ended = once(log, 'end')
  return async pattern => {
    for (;;) {
      const [, found] = pattern.exec(text) ?? []
      if (found !== undefined) return found
      if (log.readableEnded) throw new Error(`the process ended: ${text}`)
      await Promise.race([once(log, 'data'), ended])
    }
  }
}

/** Where Fastify's log says that the app listens. */
export const listening = /"Server listening at ([^"]+)"/

/** Registers a user over HTTP, and returns the access token. */
export async function registerAt (url: string, email: string, password: string): Promise<string> {
  const answer = await fetch(`${url}/auth/registration`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password1: password })
  })
  return (await answer.json() as { access: string }).access
}
