/** What remains true of stored values when the app changes the limits of a field: their type. */

type Schema = Record<string, unknown>

const limits = new Set([
  'minLength', 'maxLength', 'pattern', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf',
  'minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties'
])
const safeIntegers = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }

/** A schema that also accepts values outside of the limits: only types, choices, formats and keys count. */
export function withoutLimits (schema: Schema): Schema {
  const rest = Object.fromEntries(
    Object.entries(schema).filter(([keyword]) => !limits.has(keyword)).map(([keyword, value]) => [
      keyword,
      inner[keyword]?.(value) ?? value
    ])
  )
  return [schema.type].flat().includes('integer') ? { ...rest, ...safeIntegers } : rest
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const one = (value: unknown) => isSchema(value) ? withoutLimits(value) : value
const list = (value: unknown) => Array.isArray(value) ? value.map(one) : one(value)
const map = (value: unknown) => isSchema(value)
  ? Object.fromEntries(Object.entries(value).map(([key, schema]) => [key, one(schema)]))
  : value

// Not the others: without limits, `not` would refuse more, and `oneOf` could match twice.
const inner: Record<string, ((value: unknown) => unknown) | undefined> = {
  properties: map, patternProperties: map, items: list, additionalProperties: one, anyOf: list, allOf: list
}
