/**
 * An app as fastify-cli generates it, which loads every file in `plugins` and `routes`. Start it with
 * `npx fastify start app.js` after you compile it, or from the sources in a clone:
 *
 *   export FASTIFY_AUTOLOAD_TYPESCRIPT=1 NODE_OPTIONS='--import tsx --conditions=fastify-rest-auth:source'
 *   npx fastify start -l info examples/autoload/app.ts
 */
import { join } from 'node:path'
import AutoLoad from '@fastify/autoload'
import type { FastifyInstance } from 'fastify'
import type { AuthPluginOptions } from './plugins/auth.js'

export default async function app (fastify: FastifyInstance, { auth }: AuthPluginOptions) {
  // Not all options, as fastify-cli generates it: a `prefix` would then apply twice.
  const options = { auth }
  await fastify.register(AutoLoad, { dir: join(import.meta.dirname, 'plugins'), options })
  await fastify.register(AutoLoad, { dir: join(import.meta.dirname, 'routes'), options, autoHooks: true })
}
