/**
 * Reads the schema of a user field. Every keyword in it is both enforced and published, or the schema is refused: a
 * keyword that is dropped in silence would be a check that the app believes in.
 */
import { TransformKind, type TSchema } from '@sinclair/typebox'
import { mapSchemas, type JsonSchema } from './json-schema.js'

const annotations = ['title', 'description', 'examples', 'deprecated', '$comment', 'type', 'enum', 'const']
const ofNumbers = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'format']
const keywordsOf: Record<string, readonly string[]> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  integer: ofNumbers,
  number: ofNumbers,
  boolean: [],
  null: [],
  array: ['items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems'],
  object: [
    'properties', 'required', 'additionalProperties', 'propertyNames', 'minProperties', 'maxProperties',
    'dependentRequired'
  ]
}

const advice: Record<string, string> = {
  default: 'only the field itself can have a default',
  allOf: 'join the objects with Type.Composite',
  $id: 'a field is described in one place, without references',
  $ref: 'a field is described in one place, without references',
  readOnly: "say userDetails: 'read-only' instead",
  writeOnly: "say userDetails: 'hidden' instead",
  nullable: 'say Type.Union([…, Type.Null()]) instead'
}

/**
 * The schema as plain JSON without its default: literals as `enum`, tuples as `prefixItems`, strings with a limit (if
 * `limitsStrings`), and objects without undeclared keys, which would be stored but not described. Throws an Error whose
 * message begins with `path`.
 */
export function readSchema (given: TSchema, path: string, limitsStrings: boolean): JsonSchema {
  const refusal = findJavaScript(given, path)
  if (refusal !== undefined) throw new Error(refusal)
  const { default: _default, ...schema }: JsonSchema = JSON.parse(JSON.stringify(given))
  return read(schema, path, limitsStrings)
}

function read (given: JsonSchema, path: string, limitsStrings: boolean): JsonSchema {
  // `true` and `false` are schemas, too; anything else is for the meta-schema to refuse.
  if (typeof given !== 'object' || given === null) return given
  const schema = withPropertyNames(withPrefixItems(given), path)
  checkKeywords(schema, path)
  const plain = mapSchemas(withEnum(schema, path), (inner, place) =>
    read(place === 'propertyNames' ? { type: 'string', ...inner } : inner, `${path}.${place}`, limitsStrings))
  const isText = [plain.type].flat().includes('string') && !plain.enum
  return {
    ...(isText && limitsStrings && { maxLength: limit(plain.minLength) }),
    ...(plain.properties && { additionalProperties: false }),
    ...plain
  }
}

/** The limit of what declares none. */
const limit = (minimum: unknown = 0) => Math.max(255, Number(minimum))

/** What no JSON has: types of JavaScript, functions of `Value.Decode`, and what TypeBox 1 hides (`~optional`). */
function findJavaScript (schema: unknown, path: string): string | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  if ('~kind' in schema) return `${path}: is made by TypeBox 1 (typebox); make it with Type of @sinclair/typebox`
  if (TransformKind in schema) {
    return `${path}: a Type.Transform is not applied; declare the field's normalize function instead`
  }
  for (const [key, inner] of Object.entries(schema)) {
    if (typeof inner === 'bigint') return `${path}.${key}: must be JSON`
    const found = findJavaScript(inner, `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** TypeBox writes a tuple as an array of `items`, which JSON Schema 2020-12 calls `prefixItems`. */
function withPrefixItems (schema: JsonSchema): JsonSchema {
  const { items, additionalItems, ...rest } = schema
  return Array.isArray(items) && additionalItems === false ? { ...rest, prefixItems: items, items: false } : schema
}

/** OpenAPI generators do not know `patternProperties`, which TypeBox writes for a record. */
function withPropertyNames (schema: JsonSchema, path: string): JsonSchema {
  const { patternProperties, ...rest } = schema
  if (!patternProperties) return schema
  const [[pattern, inner] = [], ...others] = Object.entries(patternProperties)
  if (!pattern || others.length > 0 || rest.properties || rest.propertyNames || rest.additionalProperties) {
    throw new Error(`${path}.patternProperties: the plugin enforces this only as Type.Record writes it`)
  }
  return {
    ...rest,
    ...(pattern !== anyName && { propertyNames: { pattern } }),
    ...(inner !== undefined && { additionalProperties: inner })
  }
}

const anyName = '^(.*)$'

function checkKeywords (schema: JsonSchema, path: string): void {
  const types = schema.type === undefined ? [] : [schema.type].flat()
  const strange = types.find(type => !Object.hasOwn(keywordsOf, type))
  if (strange !== undefined) throw new Error(`${path}.type: "${strange}" is not a type of JSON`)
  const fitting = [...annotations, ...types.flatMap(type => keywordsOf[type] ?? []), ...(types[0] ? [] : ['anyOf'])]
  if ([schema.const, ...schema.enum ?? []].some(value => typeof value === 'object' && value !== null)) {
    throw new Error(`${path}: a literal is a text, a number, a boolean or null`)
  }
  for (const keyword of Object.keys(schema)) {
    if (fitting.includes(keyword) || keyword.startsWith('x-')) continue
    const what = types.length > 0 ? `a keyword of type ${types.join(', ')}` : 'a keyword here'
    const near = fitting.find(known => known.toLowerCase() === keyword.toLowerCase())
    const hint = near ? `did you mean ${near}?` : advice[keyword]
    throw new Error(`${path}.${keyword}: the plugin does not enforce this as ${what}${hint ? `; ${hint}` : ''}`)
  }
}

/** Literals, and unions of them, as one `enum`; what the literals say of themselves joins the description. */
function withEnum (schema: JsonSchema, path: string): JsonSchema {
  const { anyOf, const: value, ...rest } = schema
  if (schema.enum) return { type: typesOf(schema.enum), ...schema, enum: distinct(schema.enum) }
  if ('const' in schema) {
    return { ...rest, type: rest.type && rest.type !== 'number' ? rest.type : typesOf([value]), enum: [value] }
  }
  if (!anyOf?.some(isLiteral) || !anyOf.every(option => isLiteral(option) || option.type === 'null')) return schema
  anyOf.forEach((option, index) => checkKeywords(option, `${path}.anyOf.${index}`))
  const values = distinct(anyOf.map(option => option.const ?? null))
  const described = anyOf.flatMap(({ const: value, title, description = title }) =>
    description === undefined ? [] : [`\`${String(value)}\`: ${String(description)}`])
  const description = [rest.description, ...described].filter(Boolean).join(' ')
  return { ...rest, ...(description && { description }), type: typesOf(values), enum: values }
}

// JSON Schema allows no value twice.
const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)]

const isLiteral = (option: JsonSchema) => 'const' in option

function typesOf (values: readonly unknown[]): string | string[] {
  const found = distinct(values.map(typeOf))
  const types = found.includes('number') ? found.filter(type => type !== 'integer') : found
  return types[1] === undefined ? types[0] ?? 'null' : types
}

function typeOf (value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}
