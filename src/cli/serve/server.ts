/** The server of `serve`: the plugin, and two routes that say how it is. */
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Context } from '../../context.js'
import { refuseToStart } from '../../db/errors.js'
import { pendingStatements } from '../../db/migrate.js'
import { maskLoggedUrls } from '../../http/logged-urls.js'
import { createPlugin } from '../../plugin.js'
import type { Address } from './address.js'
import { createReadiness, type Readiness } from './readiness.js'
import { trackSilentConnections } from './silent-connections.js'

export interface Server {
  app: FastifyInstance
  readiness: Readiness
  /** Ends connections that have not sent a byte. */
  endSilentConnections: () => void
}

// For a client that sends its request slowly: without a limit, it would keep a connection for as long as it likes.
const requestTimeoutMs = 30_000

/** Starts to listen. Throws an Error of one line if the options or the database do not allow it. */
export async function startServer (options: object, { host, port, trustProxy }: Address): Promise<Server> {
  const app = Fastify({ logger: true, trustProxy, pluginTimeout: 0, requestTimeout: requestTimeoutMs })
  maskLoggedUrls(app)
  let context: Context | undefined
  try {
    await app.register(fp(createPlugin({ feature: (_app, given) => { context = given } })), options)
    const readiness = createReadiness(async () => { if (context) await refuseOutdated(context) }, app.log)
    addHealthRoutes(app, readiness)
    const endSilentConnections = trackSilentConnections(app.server)
    await app.listen({ host, port })
    return { app, readiness, endSilentConnections }
  } catch (error) {
    await app.close()
    throw error instanceof Error && 'syscall' in error && error.syscall === 'listen'
      ? new Error(`serve: can't listen at ${host}:${port} (${error.message})`, { cause: error })
      : error
  }
}

async function refuseOutdated ({ db, settings: { fields, account } }: Context): Promise<void> {
  const { length: count } = await pendingStatements(db, db, fields, account.pk).catch(refuseToStart)
  if (count > 0) throw new Error(`database: ${count} migration statements are pending`)
}

function addHealthRoutes (app: FastifyInstance, readiness: Readiness): void {
  // Probes come every few seconds: they would fill the log.
  const options = { logLevel: 'warn', schema: { hide: true } } as const
  app.get('/healthz', options, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    return { status: 'ok' }
  })
  app.get('/readyz', options, async (_request, reply) => {
    const isReady = await readiness.isReady()
    // Why it is not is in the log, and nothing for strangers.
    reply.status(isReady ? 200 : 503).header('cache-control', 'no-store')
    return { status: isReady ? 'ok' : 'unavailable' }
  })
}
