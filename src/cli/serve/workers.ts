/** The primary process of `serve --workers`: starts the workers, replaces those that die, and stops all. */
import cluster, { type Worker } from 'node:cluster'
import Fastify, { type FastifyBaseLogger } from 'fastify'
import { onSignal, stopMessage } from './stop.js'

// A worker that dies again and again is replaced ever later; one that lived so long counts as sound.
const [firstDelayMs, longestDelayMs, soundMs] = [100, 30_000, 60_000]
// For a worker to notice by itself that it does not close in time.
const graceMs = 2000

/** Resolves to the exit code once all workers have ended: 1 if the app could not start, or not close in time. */
export async function superviseWorkers (count: number, closeTimeoutMs: number): Promise<number> {
  const pool = createPool(Fastify({ logger: true }).log)
  onSignal(isFirst => {
    if (!isFirst) return pool.kill()
    pool.stop()
    setTimeout(pool.kill, closeTimeoutMs + graceMs).unref()
  })
  // The first one alone: if the app can't start, its one line of explanation appears once.
  pool.start().once('listening', () => {
    for (let started = 1; started < count; started++) pool.start()
  })
  return await pool.ended
}

function createPool (log: FastifyBaseLogger) {
  const running = new Set<Worker>()
  let [canStart, isStopping, hasFailed, quickDeaths] = [false, false, false, 0]
  let end: (code: number) => void
  const ended = new Promise<number>(resolve => { end = resolve })
  const endIfEmpty = () => { if (isStopping && running.size === 0) end(hasFailed ? 1 : 0) }

  function start (): Worker {
    const worker = cluster.fork()
    const startedMs = performance.now()
    running.add(worker)
    worker.once('listening', () => { canStart = true })
    worker.once('exit', (code, signal) => {
      running.delete(worker)
      // An app that never started would not start the next time either.
      isStopping ||= !canStart
      hasFailed ||= isStopping && code !== 0
      if (!isStopping) replace({ pid: worker.process.pid, code, signal }, performance.now() - startedMs)
      endIfEmpty()
    })
    return worker
  }

  function replace (worker: { pid: number | undefined, code: number, signal: string }, lifeMs: number): void {
    quickDeaths = lifeMs < soundMs ? quickDeaths + 1 : 0
    const delayMs = Math.min(firstDelayMs * 2 ** quickDeaths, longestDelayMs)
    log.error({ worker }, `a worker has ended; another starts in ${delayMs} ms`)
    setTimeout(() => { if (!isStopping) start() }, delayMs)
  }

  function stop (): void {
    isStopping = true
    for (const worker of running) if (worker.isConnected()) worker.send(stopMessage)
    endIfEmpty()
  }

  const kill = () => { for (const worker of running) worker.process.kill('SIGKILL') }
  return { start, stop, kill, ended }
}
