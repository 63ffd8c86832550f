/** The JSON Schema validator of bodies: Ajv for draft 2020-12, which is what OpenAPI 3.1 documents. */
import type { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { decimalPattern } from '../../schemas/user-field-kinds.js'
import { mapSchemas, type JsonSchema } from '../../schemas/json-schema.js'
import { isMultipleOf } from '../lib/decimal.js'
import { canonicalEmail } from '../lib/email.js'

// The only thing Ajv warns of here is an unknown format. Ignoring it would skip a check that the schema asks for.
function unknownFormat (warning: string): never {
  throw new Error(warning.replace(' ignored in schema', '').replaceAll(/\/allOf\/\d+\/then/g, ''))
}

export function createAjv (coerceTypes: boolean, strictNumbers = false): Ajv {
  const ajv: Ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    // Without it, every object would have a property `toString`.
    ownProperties: true,
    coerceTypes,
    strict: false,
    strictNumbers,
    validateFormats: true,
    validateSchema: false,
    logger: { log () {}, warn: unknownFormat, error () {} }
  })
  // CommonJS under NodeNext: the types have the function only as `default`.
  addFormatsModule.default(ajv)
  ajv.addFormat('email', (text: string) => text === text.trim() && canonicalEmail(text) !== undefined)
  ajv.addFormat('password', true)
  ajv.addFormat('decimal', new RegExp(decimalPattern))
  // Ajv's own divides doubles: 19.99 / 0.01 is 1998.9999999999998.
  ajv.removeKeyword('multipleOf')
  ajv.addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    validate: (unit: number, value: number) => isMultipleOf(value, unit)
  })
  // Ajv's own calls a `toString` that the client sent, and takes the square of the number of items.
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (unique: boolean, items: unknown[]) => !unique || new Set(items.map(canonicalJson)).size === items.length
  })
  return ajv
}

/** The same text for equal values: the order of an object's keys has no meaning. */
const canonicalJson = (value: unknown): string => JSON.stringify(value, (_key, inner: unknown) =>
  typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1))
    : inner)

// What may take long for a value that is too long, by the keyword of its limit.
const costly = {
  maxLength: ['pattern', 'format'],
  maxItems: ['prefixItems', 'items', 'uniqueItems'],
  maxProperties: ['properties', 'additionalProperties', 'propertyNames']
}

/**
 * The same schema, with each limit checked before what may take long. To report all errors, Ajv would apply a pattern
 * or format to a string of any length, and some of them take the square of the length, or worse.
 */
export function limitsFirst<S extends object> (schema: S): S {
  // Each body schema of the contract is one of TypeBox, which is JSON Schema.
  return reorder(schema as JsonSchema) as S
}

function reorder (schema: JsonSchema): JsonSchema {
  const mapped = mapSchemas(schema, reorder)
  for (const [limit, keywords] of Object.entries(costly)) {
    const later = keywords.filter(keyword => keyword in mapped)
    if (mapped[limit] === undefined || later.length === 0) continue
    mapped.allOf = [...(mapped.allOf as object[] | undefined ?? []), {
      if: { [limit]: mapped[limit] },
      then: Object.fromEntries(later.map(keyword => [keyword, mapped[keyword]]))
    }]
    for (const keyword of later) delete mapped[keyword]
  }
  return mapped
}
