/** The names, tags and shared schemas of the OpenAPI document. */
import type { FastifyInstance } from 'fastify'
import type { Settings } from '../settings/types.js'

const camelCase = (path: string) =>
  path.slice(1).replace(/[^A-Za-z0-9]+(.)?/g, (_all, next: string = '') => next.toUpperCase())

const namedDocuments = new WeakSet<object>()

/** What stands before our names in the document: nothing, unless another registration or the host has them already. */
export function documentName (app: FastifyInstance, path: string): string {
  const taken = namedDocuments.has(app.swagger) || app.getSchema('AuthUser') !== undefined
  namedDocuments.add(app.swagger)
  return taken ? camelCase(path) : ''
}

const ownSchemas = new WeakSet<object>()

/** Keeps the schemas that the host adds, before or after, out of a scope of ours: their names may be the same. */
export function isolateSchemas (app: FastifyInstance): void {
  app.setSchemaController({
    bucket: () => {
      const schemas: Record<string, unknown> = {}
      return {
        add (schema) {
          const { $id } = schema as { $id: string }
          if (ownSchemas.has(schema as object)) schemas[$id] = structuredClone(schema)
          return app
        },
        getSchema: id => schemas[id],
        getSchemas: () => ({ ...schemas })
      }
    }
  })
}

/** Adds what the routes refer to. Call before compilers are set: they would be forgotten. */
export function addComponents (app: FastifyInstance, components: readonly object[]): void {
  isolateSchemas(app)
  for (const component of components) {
    ownSchemas.add(component)
    app.addSchema(component)
  }
}

export const tagsOf = ({ social }: Settings) => [
  { name: 'Account', description: 'How a user comes to be.' },
  { name: 'Session', description: 'Logging in and out, and what lies between.' },
  { name: 'User', description: 'The user who is logged in.' },
  ...(social.length > 0 ? [{ name: 'Social', description: 'Logging in with an account elsewhere.' }] : []),
  { name: 'Password', description: 'How the password changes.' }
]

export type Tag = ReturnType<typeof tagsOf>[number]
