/** The app that bench/flood.ts floods, in a process of its own. Its parent may ask for its memory at any time. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import restAuth from '../src/index.js'
import { messageOf } from '../test/support/child-process.js'

export interface FloodedApp {
  url: string
  /** Its resident set size in MiB. */
  memory: () => Promise<number>
  close: () => Promise<void>
}

/** Starts the app with these options. Its users come through a proxy that it trusts. */
export async function startApp (options: object): Promise<FloodedApp> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'])
  child.send(options)
  const url = await messageOf(child)
  return {
    url,
    memory: async () => {
      child.send('memory')
      return Number(await messageOf(child)) / 2 ** 20
    },
    close: async () => {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    }
  }
}

async function serve (): Promise<void> {
  process.once('disconnect', () => process.exit())
  const [options] = await once(process, 'message')
  const app = Fastify({ trustProxy: '127.0.0.1', pluginTimeout: 0 })
  await app.register(restAuth, options)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  process.on('message', () => process.send?.(process.memoryUsage.rss()))
  process.send?.(url)
}

if (process.argv[2] === 'serve') await serve()
