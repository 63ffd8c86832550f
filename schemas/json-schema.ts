/** JSON Schema 2020-12, as far as the contract uses it, and the way to the schemas inside a schema. */

export interface JsonSchema {
  type?: string | string[]
  properties?: Record<string, JsonSchema>
  patternProperties?: Record<string, JsonSchema>
  additionalProperties?: JsonSchema | boolean
  propertyNames?: JsonSchema
  items?: JsonSchema | JsonSchema[] | boolean
  prefixItems?: JsonSchema[]
  anyOf?: JsonSchema[]
  enum?: unknown[]
  [keyword: string]: unknown
}

/** A copy in which `change` replaces each schema directly inside; it gets its place, such as `properties.zip`. */
export function mapSchemas (schema: JsonSchema, change: (inner: JsonSchema, place: string) => JsonSchema): JsonSchema {
  const mapped: JsonSchema = { ...schema }
  if (isObject(schema.properties)) {
    const inner = Object.entries<JsonSchema>(schema.properties)
    mapped.properties = Object.fromEntries(inner.map(([name, one]) => [name, change(one, `properties.${name}`)]))
  }
  for (const keyword of ['prefixItems', 'anyOf'] as const) {
    const inner = schema[keyword]
    if (Array.isArray(inner)) mapped[keyword] = inner.map((one, index) => change(one, `${keyword}.${index}`))
  }
  for (const keyword of ['items', 'additionalProperties', 'propertyNames'] as const) {
    const inner = schema[keyword]
    if (isObject(inner) && !Array.isArray(inner)) mapped[keyword] = change(inner, keyword)
  }
  return mapped
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The schema and all schemas inside it. */
export function everySchema (schema: JsonSchema): JsonSchema[] {
  const found = [schema]
  mapSchemas(schema, inner => {
    found.push(...everySchema(inner))
    return inner
  })
  return found
}

/** What messages call the types, after Django REST framework. */
export const typeNames: Record<string, string> = {
  string: 'string',
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  object: 'dictionary',
  array: 'list'
}
