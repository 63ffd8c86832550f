/** What remains true of stored values when the app changes the limits of a field: their type. */
import { mapSchemas, type JsonSchema } from './json-schema.js'

const limits = [
  'minLength', 'maxLength', 'pattern', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf',
  'minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties', 'propertyNames', 'dependentRequired'
]

// The driver of PostgreSQL rounds other integers.
const safeIntegers = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }

/** A schema that also accepts values outside of the limits: only types, choices, formats and keys count. */
export const withoutLimits = (schema: JsonSchema): JsonSchema => ({
  ...stripped(schema), ...([schema.type].flat().includes('integer') && safeIntegers)
})

function stripped (schema: JsonSchema): JsonSchema {
  const rest = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !limits.includes(keyword)))
  return mapSchemas(rest, stripped)
}
