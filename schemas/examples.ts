/** Examples of whole values, put together from those of their parts. */
import type { JsonSchema } from './json-schema.js'
import { guessExample, kindOf } from './user-field-kinds.js'

/** The component that a `$ref` names. */
export type FindComponent = (reference: string) => JsonSchema | undefined

/** A valid value; undefined if a required part has no example. Has only those optional parts that declare one. */
export function exampleOf (schema: JsonSchema, find: FindComponent = () => undefined): unknown {
  const { $ref: reference, examples, enum: choices, anyOf, properties, items } = schema
  if (typeof reference === 'string') return exampleOf(find(reference) ?? {}, find)
  if (Array.isArray(examples)) return examples[0]
  if (choices) return choices[0]
  if (anyOf?.[0]) return exampleOf(anyOf[0], find)
  if (properties) return exampleOfObject(schema, find)
  if (typeof items === 'object' && !Array.isArray(items)) {
    const item = exampleOf(items, find)
    return item === undefined ? undefined : [item]
  }
  const kind = kindOf(schema)
  return kind && guessExample(kind, schema)?.[0]
}

function exampleOfObject ({ properties = {}, required = [] }: JsonSchema, find: FindComponent): unknown {
  const shown = Object.entries(properties).filter(([name, { examples }]) =>
    examples !== undefined || [required].flat().includes(name))
  const values = shown.map(([name, part]) => [name, exampleOf(part, find)] as const)
  return values.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(values)
}
