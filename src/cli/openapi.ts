/** `fastify-rest-auth openapi`: the document that the plugin's routes add up to. */
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { createPlugin } from '../plugin.js'

/** The document as JSON. Needs no database: one in memory stands in. */
export async function openapiCommand (options: object): Promise<string> {
  const app = Fastify()
  const inMemory: object = { ...options, database: ':memory:', migrate: true }
  await app.register(fp(createPlugin()), inMemory)
  await app.ready()
  try {
    return JSON.stringify(app.restAuth.openapi(), null, 2)
  } finally {
    await app.close()
  }
}
