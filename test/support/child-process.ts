/** Talks to a process that was forked. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** The next message of a process. Throws an Error if it ends instead, as an app does for invalid options. */
export async function messageOf (child: ChildProcess): Promise<string> {
  const abort = new AbortController()
  const ended = once(child, 'exit', abort).then(() => { throw new Error('the process has ended') })
  try {
    const [message] = await Promise.race([once(child, 'message', abort), ended])
    return message
  } finally {
    abort.abort()
  }
}
