/** The limits of a registration. They are counted in its database, or in Redis. */
import type { FastifyInstance } from 'fastify'
import type { Database } from '../db/database.js'
import type { Events } from '../events/create-events.js'
import type { Settings } from '../settings/types.js'
import { createDatabaseStore } from './database-store.js'
import { createLimiter, type Limiter } from './limiter.js'
import type { LimitStore } from './store.js'

interface LimitsOptions {
  settings: Settings
  db: Database
  clock: () => Date
  events: Events
}

export async function createLimits (
  app: FastifyInstance, { settings, db, clock, events }: LimitsOptions
): Promise<Limiter> {
  const { limits, publicUrl = '' } = settings
  const store = limits.store === undefined ? createDatabaseStore(db) : await openRedis(app, limits.store)
  // Registrations with the same users have the same limits; apps that share a Redis do not.
  const scope = JSON.stringify([limits.store === undefined ? '' : publicUrl, db.names.schema, db.names.tables])
  return createLimiter({
    settings: limits,
    store,
    scope,
    clock,
    log: app.log,
    onReached: async (request, action) => await events.record(db, request, { type: 'limit_exceeded', action })
  })
}

async function openRedis (app: FastifyInstance, target: string | object): Promise<LimitStore> {
  const { createRedisStore } = await import('./redis-store.js')
  const { close, ...store } = await createRedisStore(target, error =>
    app.log.error({ err: error }, 'the connection to Redis failed'))
  app.addHook('onClose', close)
  return store
}
