/** `fastify-rest-auth openapi`: the OpenAPI document of the plugin's routes. */
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { createPlugin } from '../plugin.js'

/** The document as JSON. Needs neither the configured database nor its driver. */
export async function openapiCommand (options: object): Promise<string> {
  const app = Fastify()
  await app.register(fp(createPlugin({ withoutDatabase: true })), options)
  await app.ready()
  try {
    return JSON.stringify(app.restAuth.openapi(), null, 2)
  } finally {
    await app.close()
  }
}
