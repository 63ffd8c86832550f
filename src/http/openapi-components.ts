/** The names, tags and shared schemas of the OpenAPI document. */
import type { FastifyInstance } from 'fastify'
import type { Settings } from '../settings/types.js'

const camelCase = (path: string) =>
  path.slice(1).replace(/[^A-Za-z0-9]+(.)?/g, (_all, next: string = '') => next.toUpperCase())

const namedDocuments = new WeakSet<object>()

/** The prefix of our names in the document: empty, unless another registration or the host uses them already. */
export function documentName (app: FastifyInstance, path: string): string {
  const taken = namedDocuments.has(app.swagger) || app.getSchema('AuthUser') !== undefined
  namedDocuments.add(app.swagger)
  return taken ? camelCase(path) : ''
}

const ownSchemas = new WeakSet<object>()

/** Gives our scope its own schemas, so that the host may add others of the same names, before or after. */
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

/** Adds the components that the routes refer to. Call this before compilers are set: it discards them. */
export function addComponents (app: FastifyInstance, components: readonly object[]): void {
  isolateSchemas(app)
  for (const component of components) addComponent(app, component)
}

export function addComponent (app: FastifyInstance, component: object): void {
  ownSchemas.add(component)
  app.addSchema(component)
}

export const tagsOf = ({ social }: Settings) => [
  { name: 'Account', description: 'Registration and e-mail verification.' },
  { name: 'Session', description: 'Login, logout, tokens and sessions.' },
  { name: 'User', description: 'Details of the logged-in user.' },
  ...(social.length > 0 ? [{ name: 'Social', description: 'Login with a social provider.' }] : []),
  { name: 'Password', description: 'Password change and reset.' }
]

export type Tag = ReturnType<typeof tagsOf>[number]
