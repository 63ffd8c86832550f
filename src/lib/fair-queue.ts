/**
 * A queue for work that is limited: a few jobs at once, and some that wait. Clients take turns, so that one who sends
 * many jobs waits for itself and not the others for it.
 */

/** Thrown for a job that the queue has no place for. */
export class QueueFull extends Error {}

interface Job {
  start: () => void
  refuse: (error: QueueFull) => void
}

/** `atOnce` jobs run and `max` wait. Returns a function that runs a job of a client, or throws `QueueFull`. */
export function createFairQueue (atOnce: number, max: number) {
  // In the order in which the clients take turns; a client without waiting jobs has no entry.
  const waiting = new Map<string, Job[]>()
  let [running, count] = [0, 0]

  return async function run<T> (client: string, work: () => Promise<T>): Promise<T> {
    if (running < atOnce) running++
    else await turnOf(client)
    try {
      return await work()
    } finally {
      if (!startNext()) running--
    }
  }

  async function turnOf (client: string): Promise<void> {
    if (count >= max) makeRoom(client)
    await new Promise<void>((resolve, reject) => {
      waiting.set(client, [...waiting.get(client) ?? [], { start: resolve, refuse: reject }])
      count++
    })
  }

  /** Refuses the last job of the client with the most, which may be the new one. */
  function makeRoom (client: string): void {
    const [[busiest = '', jobs = []] = []] = [...waiting].sort(([, one], [, other]) => other.length - one.length)
    const own = waiting.get(client)?.length ?? 0
    if (own + 1 >= jobs.length) throw new QueueFull()
    waiting.set(busiest, jobs.slice(0, -1))
    count--
    jobs.at(-1)?.refuse(new QueueFull())
  }

  /** Starts the first job of the client whose turn it is, who then comes last. */
  function startNext (): boolean {
    const [[client, [next, ...left]] = ['', []]] = waiting
    if (!next) return false
    waiting.delete(client)
    if (left.length > 0) waiting.set(client, left)
    count--
    next.start()
    return true
  }
}
