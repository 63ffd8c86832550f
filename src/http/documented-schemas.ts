/**
 * The schemas of routes as the OpenAPI document shows them: bodies and failures are named components, and successful
 * responses have an example. Fastify itself needs neither.
 */
import type { FastifyInstance, FastifySchema } from 'fastify'
import { exampleOf, type FindComponent } from '../../schemas/examples.js'
import { mapSchemas, type JsonSchema } from '../../schemas/json-schema.js'
import { addComponent } from './openapi-components.js'

/** The schema of a route for the document. Adds the components that it refers to. */
export type DocumentSchema = (schema: FastifySchema | undefined) => FastifySchema

interface Media { schema: JsonSchema, example?: unknown, examples?: object }
interface Response { content?: Record<string, Media> }

export function createDocumentSchema (app: FastifyInstance): DocumentSchema {
  const find: FindComponent = reference => app.getSchema(reference.replace(/#$/, '')) as JsonSchema | undefined

  /** The same schema, in which each one with an `$id` is a reference to its component. */
  function named (schema: JsonSchema): JsonSchema {
    const { $id, ...rest } = mapSchemas(schema, named)
    if (typeof $id !== 'string') return rest
    if (app.getSchema($id) === undefined) addComponent(app, { $id, ...rest })
    return { $ref: `${$id}#` }
  }

  function documentResponse (status: string, { content, ...response }: Response): Response {
    if (!content) return response
    return {
      ...response,
      content: Object.fromEntries(Object.entries(content).map(([type, { schema, ...given }]) => {
        const isPlain = status.startsWith('2') && type === 'application/json'
        return [type, { ...(isPlain && examplesOf(schema, find)), ...given, schema: named(schema) }]
      }))
    }
  }

  return ({ body, response, ...schema } = {}) => ({
    ...schema,
    // Those of our contract are objects.
    ...(body !== undefined && { body: named(body as JsonSchema) }),
    ...(response !== undefined && {
      response: Object.fromEntries(Object.entries<Response>(Object(response)).map(([status, one]) =>
        [status, documentResponse(status, one)]))
    })
  })
}

/** One for each kind of client, where these get different responses. */
function examplesOf (schema: JsonSchema, find: FindComponent): Pick<Media, 'example' | 'examples'> {
  if (!schema.anyOf) {
    const example = exampleOf(schema, find)
    return example === undefined ? {} : { example }
  }
  return {
    examples: Object.fromEntries(schema.anyOf.map(one => [
      String(one.$ref).replace(/#$/, ''), { value: exampleOf(one, find) }
    ]))
  }
}
