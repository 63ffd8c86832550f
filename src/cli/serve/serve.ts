/** `fastify-rest-auth serve`: a server that has the routes of the plugin, and nothing of an app. */
import cluster from 'node:cluster'
import { isPostgres, targetOf } from '../../db/target.js'
import { defineCommand, type Outcome } from '../command.js'
import { optionVariables } from '../environment.js'
import { optionFlags, withOptions } from '../load-options.js'
import { columns } from '../terminal.js'
import { readAddress, serverVariables, wholeNumber } from './address.js'

const flags = {
  ...optionFlags,
  port: { type: 'string', value: '<port>', summary: 'where it listens; default: PORT, or 3000' },
  host: { type: 'string', value: '<address>', summary: 'where it listens; default: HOST, or 127.0.0.1' },
  workers: { type: 'string', value: '<count>', summary: 'how many processes share the port; default: 1' },
  'close-timeout': {
    type: 'string', value: '<seconds>', summary: 'how long requests may take to finish after SIGTERM; default: 10'
  }
} as const

const rowsOf = (variables: ReadonlyArray<{ name: string, summary: string }>) =>
  columns(variables.map(({ name, summary }) => [name, summary]))

const notes = `Variables of the environment, without --options:

${rowsOf(optionVariables)}

Variables of the environment, also with --options:

${rowsOf(serverVariables)}

GET /healthz answers 200 while the process lives. GET /readyz answers 200 if the database answers and is up to date,
else 503, and also while the server closes. SIGTERM and SIGINT close it: requests under way finish. A second signal
ends it at once. Set NODE_ENV=production in production: then unsafe options are refused.`

export const serve = defineCommand({
  flags,
  notes,
  run: async ({ values: { workers: count = '1', 'close-timeout': seconds = '10', ...values } }) => {
    const address = readAddress(values, process.env)
    const workers = wholeNumber('--workers', count, [1, 64])
    const closeTimeoutMs = 1000 * wholeNumber('--close-timeout', seconds, [1, 3600])
    if (workers > 1 && cluster.isPrimary) {
      await withOptions('serve', values, async options => refuseUnshared(options), { existing: false })
      const { superviseWorkers } = await import('./workers.js')
      return ended(await superviseWorkers(workers, closeTimeoutMs))
    }
    return await withOptions('serve', values, async options => {
      const { startServer } = await import('./server.js')
      const { closeInTime, stopAsked } = await import('./stop.js')
      // Before the server listens: a signal right after that must not cut off its first requests.
      const asked = stopAsked()
      const server = await startServer(options, address)
      await asked
      return ended(await closeInTime(server, closeTimeoutMs))
    }, { existing: false })
  }
})

const ended = (exitCode: number): Outcome => ({ text: '', data: { closed: exitCode === 0 }, exitCode })

/** What each worker would have on its own: tokens of one would be unknown to the others. */
function refuseUnshared ({ secret, database }: { secret?: unknown, database?: unknown }): void {
  if (secret === undefined) {
    throw new Error('serve: --workers needs a secret that all workers have; set the option secret, or AUTH_SECRET')
  }
  const { database: named } = targetOf(database)
  if (named === ':memory:' || (typeof named === 'object' && !isPostgres(database))) {
    throw new Error('serve: --workers needs a database that all workers can open: a file, or PostgreSQL')
  }
}
