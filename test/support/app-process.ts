/** Apps in processes of their own, which a test may kill at any moment. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Orders } from '../fixtures/app-process.js'
import { cheapHash, type Test } from './build.js'
import { messageOf } from './child-process.js'

const program = fileURLToPath(new URL('../fixtures/app-process.ts', import.meta.url))

export interface AppProcess {
  url: string
  /** With SIGKILL. */
  kill: () => Promise<void>
}

/**
 * Starts apps with these options, at most `total`. The next two are loaded ahead, because loading one takes longer than
 * it lives. `ahead` are the seconds by which the clock of an app is ahead.
 */
export function createStarter (t: Test, options: object, total: number): (ahead?: number) => Promise<AppProcess> {
  const children: ChildProcess[] = []
  const load = async (): Promise<ChildProcess> => {
    // Without tap's loaders, which take longer: a killed process reports no coverage anyway.
    const child = fork(program, {
      execArgv: ['--import=./scripts/typescript.js'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc']
    })
    children.push(child)
    await messageOf(child)
    return child
  }
  const ready: Array<Promise<ChildProcess>> = []
  function loadAhead (): void {
    const loading = load()
    // The test may end while it loads.
    loading.catch(() => {})
    ready.push(loading)
  }
  loadAhead()
  loadAhead()
  t.teardown(() => { for (const child of children) child.kill('SIGKILL') })
  return async (ahead = 0) => {
    const child = await (ready.shift() ?? load())
    if (children.length < total) loadAhead()
    child.send({ options, hashCost: cheapHash, ahead } satisfies Orders)
    const url = await messageOf(child)
    const kill = async () => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    return { url, kill }
  }
}
