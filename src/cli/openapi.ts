/** `fastify-rest-auth openapi`: the OpenAPI document of the plugin's routes. */
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { createPlugin } from '../plugin.js'
import { defineCommand, type Outcome } from './command.js'
import { optionFlags, withOptions } from './load-options.js'

export const openapi = defineCommand({
  flags: optionFlags,
  run: async ({ values }) => await withOptions('openapi', values, openapiCommand, { existing: false })
})

/** Needs neither the configured database nor its driver. */
export async function openapiCommand (options: object): Promise<Outcome> {
  const app = Fastify()
  await app.register(fp(createPlugin({ withoutDatabase: true })), options)
  await app.ready()
  try {
    const document = app.restAuth.openapi()
    return { text: JSON.stringify(document, null, 2), data: document }
  } finally {
    await app.close()
  }
}
