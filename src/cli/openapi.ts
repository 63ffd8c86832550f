/** `fastify-rest-auth openapi`: the OpenAPI document of the plugin's routes. */
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { createPlugin } from '../plugin.js'

/** The document as JSON. Uses an in-memory database instead of the configured one. */
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
