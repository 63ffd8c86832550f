/** Says what an option must be, from the schema that it breaks. */
import type { TSchema } from '@sinclair/typebox'
import type { ValueError } from '@sinclair/typebox/value'

const typeNames: Record<string, string> = { boolean: 'true or false', Function: 'a function', object: 'an object' }

/** What a schema asks for; its title says it, where the keywords would not. */
function schemaInWords ({ title, anyOf, const: literal, type, items, minimum, maximum, minLength, minItems, uniqueItems }: TSchema): string {
  if (title !== undefined) return title
  if (literal !== undefined) return JSON.stringify(literal)
  if (anyOf) return anyOf.map(schemaInWords).join(' or ')
  if (type === 'integer') return `a whole number from ${minimum} to ${maximum}`
  if (type === 'array') { return `a list${minItems ? ', not empty' : ''}${uniqueItems ? ', without repetition' : ''}, each item ${schemaInWords(items)}` }
  return typeNames[type] ?? `a string${minLength ? ', not empty' : ''}`
}

/** Where one of several kinds was given as an object, what is wrong is wrong within it. */
export function withinUnion (error: ValueError): ValueError {
  const { schema: { anyOf }, value, errors } = error
  const index = anyOf?.findIndex(({ properties }: TSchema) => properties && Object.keys(properties).length > 0) ?? -1
  const [inner] = typeof value === 'object' && value !== null && !Array.isArray(value) ? errors[index] ?? [] : []
  return inner ?? error
}

/** `account.username: must be …`, `tokens.acces: unknown option`; never the value, which may be a secret. */
export function optionError ({ path, schema, message }: ValueError): string {
  const name = path.slice(1).replaceAll('/', '.')
  return message === 'Unexpected property' ? `${name}: unknown option` : `${name}: must be ${schemaInWords(schema)}`
}
