/** Turns a TypeBox error into one line that says what the option must be. */
import type { TSchema } from '@sinclair/typebox'
import type { ValueError } from '@sinclair/typebox/errors'
import { unknownOption } from '../lib/unknown-option.js'

const typeNames: Record<string, string> = { boolean: 'true or false', Function: 'a function', object: 'an object' }

/** The title of a schema, or its keywords in words. */
function schemaInWords ({
  title, anyOf, const: literal, type, items, minimum, maximum, minLength, minItems, uniqueItems
}: TSchema): string {
  if (title !== undefined) return title
  if (literal !== undefined) return JSON.stringify(literal)
  if (anyOf) return alternatives(anyOf.map(schemaInWords))
  if (type === 'integer') return `a whole number from ${minimum} to ${maximum}`
  if (type === 'array') {
    const list = `a ${minItems ? 'non-empty ' : ''}list${uniqueItems ? ' without duplicates' : ''}`
    return `${list}, each item ${schemaInWords(items)}`
  }
  return typeNames[type] ?? `a ${minLength ? 'non-empty ' : ''}string`
}

const alternatives = (words: string[]) =>
  words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${words.at(-1)}` : words.join('')

/** If an option may be an object or something else and an object was given, the error inside the object. */
export function withinUnion (error: ValueError): ValueError {
  const { schema: { anyOf }, value, errors } = error
  const index = anyOf?.findIndex(({ properties }: TSchema) => properties && Object.keys(properties).length > 0) ?? -1
  const [inner] = typeof value === 'object' && value !== null && !Array.isArray(value) ? errors[index] ?? [] : []
  return inner ?? error
}

/** `account.username: must be …` or `tokens.acces: unknown option`; never the value, which may be a secret. */
export function optionError ({ path, schema, message }: ValueError): string {
  const name = path.slice(1).replace(/\/(\d+)(?=\/|$)/g, '[$1]').replaceAll('/', '.')
  return message === 'Unexpected property'
    ? unknownOption(name, Object.keys(schema.properties))
    : `${name}: must be ${schemaInWords(schema)}`
}
