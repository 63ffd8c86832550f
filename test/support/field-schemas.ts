/**
 * Random declarations of user fields and values for them, and a model of what the plugin should do with a value. The
 * model shares no code with the plugin: an independent validator judges the schema that the app declared, and the
 * documented rules (docs/user-fields.md) are written out again here.
 */
import { Validator, type Schema } from '@cfworker/json-schema'
import { Type, type TSchema } from '@sinclair/typebox'
import fc from 'fast-check'

/** A schema, and values of which most match it. */
const defined = (keywords: object) =>
  Object.fromEntries(Object.entries(keywords).filter(([, value]) => value !== undefined))

interface Node { schema: TSchema, values: fc.Arbitrary<unknown> }
export interface Declaration {
  schema: TSchema
  registration: 'required' | 'optional'
  values: fc.Arbitrary<unknown>
}

const text = (minLength: number, maxLength: number): fc.Arbitrary<string> => fc.oneof(
  { weight: 6, arbitrary: fc.string({ minLength, maxLength, unit: 'grapheme-ascii' }) },
  { weight: 2, arbitrary: fc.string({ minLength, maxLength, unit: 'binary' }) },
  { weight: 1, arbitrary: fc.string({ minLength: maxLength, maxLength: maxLength + 1, unit: 'grapheme-ascii' }) }
)

const strings: fc.Arbitrary<Node> = fc.record({
  minLength: fc.constantFrom(undefined, 0, 1, 3), maxLength: fc.constantFrom(undefined, 3, 4, 12)
}).map(({ minLength, maxLength }) => ({
  schema: Type.String(defined({ minLength, maxLength })),
  values: text(minLength ?? 0, maxLength ?? 255)
}))

const patterns: fc.Arbitrary<Node> = fc.constantFrom('^[a-z]+$', '^[0-9]{3}-[0-9]{2}$', '^(a|bb)*$', 'x')
  .map(pattern => ({ schema: Type.String({ pattern }), values: fc.stringMatching(new RegExp(pattern)) }))

const dates = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
const formats: fc.Arbitrary<Node> = fc.constantFrom<Array<[string, fc.Arbitrary<string>]>[number]>(
  ['date', dates.map(date => date.toISOString().slice(0, 10))],
  ['uuid', fc.uuid()],
  ['email', fc.stringMatching(/^[a-z]{1,8}$/).map(name => `${name}@example.com`)]
).map(([format, values]) => ({ schema: Type.String({ format }), values }))

const digits = fc.stringMatching(/^-?[0-9]{1,30}(\.[0-9]{1,20})?$/)
const decimals: fc.Arbitrary<Node> = fc.constant({ schema: Type.String({ format: 'decimal' }), values: digits })

const integers: fc.Arbitrary<Node> = fc.record({
  minimum: fc.option(fc.integer({ min: -5, max: 0 }), { nil: undefined }),
  exclusiveMaximum: fc.option(fc.integer({ min: 5, max: 99 }), { nil: undefined }),
  multipleOf: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })
}, { requiredKeys: [] }).map(keywords => ({
  schema: Type.Integer(defined(keywords)), values: fc.oneof(fc.integer({ min: -7, max: 100 }), fc.maxSafeInteger())
}))

const numbers: fc.Arbitrary<Node> = fc.record({
  maximum: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
  exclusiveMinimum: fc.option(fc.integer({ min: -50, max: 0 }), { nil: undefined }),
  multipleOf: fc.constantFrom(undefined, 0.01, 0.25, 0.1, 1e-7, 3)
}).map(keywords => ({
  schema: Type.Number(defined(keywords)),
  values: fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -6000, max: 6000 }).map(cents => Number((cents / 100).toFixed(2))),
    fc.constantFrom(0, -0, 5e-324, 1e308, 0.1 + 0.2, 19.99, 1e21)
  )
}))

const booleans: fc.Arbitrary<Node> = fc.constant({ schema: Type.Boolean(), values: fc.boolean() })

const literalsOf = (choices: ReadonlyArray<string | number | boolean>): fc.Arbitrary<Node> =>
  fc.subarray([...choices], { minLength: 1 }).map(chosen => ({
    schema: Type.Union(chosen.map(choice => Type.Literal(choice))),
    values: fc.constantFrom(...choices)
  }))
const literals = fc.oneof(
  literalsOf(['a', 'B', "c'd", '', '5']), literalsOf([1, 2, 30]), literalsOf([0.5, 1, -2.25]), literalsOf([true, false])
)

const scalars = fc.oneof(strings, patterns, formats, integers, numbers, booleans, literals)

const objectOf = (inner: fc.Arbitrary<Node>): fc.Arbitrary<Node> => fc.record({
  members: fc.uniqueArray(fc.tuple(names, inner, fc.boolean()), { maxLength: 3, selector: ([name]) => name }),
  rest: fc.option(inner, { nil: undefined, freq: 4 }),
  open: fc.constantFrom(undefined, undefined, true, false),
  minProperties: fc.constantFrom(undefined, undefined, 1),
  maxProperties: fc.constantFrom(undefined, undefined, 3)
}).map(({ members, rest, open, ...limits }) => {
  const additionalProperties = rest?.schema ?? open
  const keywords = defined({ ...limits, additionalProperties })
  const optional = Object.fromEntries(members.map(([name, { schema }, isOptional]) =>
    [name, isOptional ? Type.Optional(schema) : schema]))
  const known = fc.record(Object.fromEntries(members.map(([name, { values }]) => [name, values])), {
    requiredKeys: members.filter(([,, isOptional]) => !isOptional).map(([name]) => name)
  })
  const extra = rest?.values ?? (open ? json : undefined)
  const more = extra ? fc.dictionary(names, extra, { maxKeys: 2 }) : fc.constant({})
  return {
    schema: Type.Object(optional, keywords),
    values: fc.tuple(more, known).map(([more, known]) => ({ ...more, ...known }))
  }
})
const names = fc.constantFrom('a', 'b', 'zip', 'a/b', '~', 'ü', 'toString', 'x.y')

const recordOf = (inner: fc.Arbitrary<Node>): fc.Arbitrary<Node> =>
  fc.tuple(fc.constantFrom(Type.String(), Type.String({ pattern: '^[a-z]+$' })), inner)
    .map(([key, { schema, values }]) => ({
      schema: Type.Record(key, schema), values: fc.dictionary(names, values, { maxKeys: 3 })
    }))

const arrayOf = (inner: fc.Arbitrary<Node>): fc.Arbitrary<Node> => fc.record({
  item: inner,
  minItems: fc.constantFrom(undefined, 1),
  maxItems: fc.constantFrom(undefined, 2, 3),
  uniqueItems: fc.constantFrom(undefined, true)
}).map(({ item, ...keywords }) => ({
  schema: Type.Array(item.schema, defined(keywords)), values: fc.array(item.values, { maxLength: 4 })
}))

const tupleOf = (inner: fc.Arbitrary<Node>): fc.Arbitrary<Node> => fc.array(inner, { minLength: 1, maxLength: 3 })
  .map(items => ({
    schema: Type.Tuple(items.map(({ schema }) => schema)), values: fc.tuple(...items.map(({ values }) => values))
  }))

const unionOf = (inner: fc.Arbitrary<Node>): fc.Arbitrary<Node> => fc.array(inner, { minLength: 2, maxLength: 3 })
  .map(branches => ({
    schema: Type.Union(branches.map(({ schema }) => schema)), values: fc.oneof(...branches.map(({ values }) => values))
  }))

const nothing: fc.Arbitrary<Node> = fc.constant({ schema: Type.Null(), values: fc.constant(null) })
const json = fc.jsonValue({ maxDepth: 1 })
const anything: fc.Arbitrary<Node> = fc.constant({ schema: Type.Unknown(), values: json })

const containersOf = (inner: fc.Arbitrary<Node>) =>
  fc.oneof(objectOf(inner), arrayOf(inner), tupleOf(inner), recordOf(inner))
const inner1 = fc.oneof(
  { weight: 6, arbitrary: scalars }, { weight: 1, arbitrary: nothing }, { weight: 1, arbitrary: anything }
)
const inner2 = fc.oneof(inner1, containersOf(inner1), unionOf(inner1), unionOf(fc.oneof(objectOf(inner1), nothing)))
const top = fc.oneof(
  { weight: 3, arbitrary: fc.oneof(scalars, decimals) },
  { weight: 3, arbitrary: containersOf(inner2) },
  { weight: 1, arbitrary: unionOf(objectOf(inner2)) }
)

export const declarations: fc.Arbitrary<Declaration> =
  fc.tuple(top, fc.constantFrom('required' as const, 'optional' as const))
    .map(([{ schema, values }, registration]) => ({ schema, registration, values: withMisses(values) }))

const strange = [null, '', ' ', 'a\0b', '\ud800', { a: '\udc00' }, ['\0'], 1e21, true, [], {}]

/** Values, values with something changed in them, and others that have nothing to do with the schema. */
const withMisses = (values: fc.Arbitrary<unknown>) => fc.oneof(
  { weight: 12, arbitrary: values },
  { weight: 5, arbitrary: fc.tuple(values, fc.nat()).map(([value, n]) => change(value, n)) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown[]>(...strange) }
).map(value => JSON.parse(JSON.stringify(value) ?? 'null') as unknown)
  .filter(value => !/__proto__|constructor/.test(JSON.stringify(value)))

function change (value: unknown, n: number): unknown {
  const [pick, rest] = [n % 5, Math.floor(n / 5)]
  if (typeof value === 'string') {
    return [`${value}x`, value.slice(1), value.toUpperCase(), ` ${value}\n`, `0${value}`][pick]
  }
  if (typeof value === 'number') return [value + 1, -value, value + 0.5, String(value), value * 1e9][pick]
  if (typeof value === 'boolean') return [!value, String(value), Number(value), null, [value]][pick]
  if (value === null || typeof value !== 'object') return [0, '', false, [], {}][pick]
  if (Array.isArray(value)) {
    if (pick === 0 || value.length === 0) return [...value, ...value.slice(0, 1), 'more']
    if (pick === 1) return value.slice(1)
    const at = rest % value.length
    return value.map((item, index) => index === at ? change(item, Math.floor(rest / value.length)) : item)
  }
  const entries = Object.entries(value)
  if (pick === 0 || entries.length === 0) return { ...value, extra: 1 }
  if (pick === 1) return Object.fromEntries(entries.slice(1))
  const at = rest % entries.length
  return Object.fromEntries(entries.map(([key, inner], index) =>
    [key, index === at ? change(inner, Math.floor(rest / entries.length)) : inner]))
}

export type Verdict = { accepted: true, stored: unknown } | { accepted: false, isText: boolean }

/** What the plugin should do with a value of the field, other than a blank text in a field with a format. */
export function createModel ({ schema, registration }: Declaration): (value: unknown) => Verdict {
  const declared = JSON.parse(JSON.stringify(schema)) as Json
  const isNullable = registration === 'optional'
  const isPlainText = declared.type === 'string' && !('const' in declared)
  const wanted = {
    ...strict(declared),
    ...(isPlainText && !isNullable && declared.minLength === undefined && { minLength: 1 }),
    ...(declared.type === 'integer' && bounds(declared))
  }
  const judge = new Validator((isNullable ? { anyOf: [wanted, { type: 'null' }] } : wanted) as Schema, '7')
  return given => {
    if (hasBadText(given)) return { accepted: false, isText: true }
    const value = typeof given === 'string' ? given.trim() : given
    if (!judge.validate(value).valid) return { accepted: false, isText: false }
    if (declared.format !== 'decimal' || value === null) return { accepted: true, stored: value }
    const stored = decimal(String(value))
    return stored === undefined ? { accepted: false, isText: false } : { accepted: true, stored }
  }
}

export interface Json { [keyword: string]: any }

/** Objects are closed, and strings limited to 255 characters, unless they say otherwise. */
function strict (schema: Json): Json {
  const inner = Object.fromEntries(Object.entries(schema).map(([keyword, value]) => {
    if (keyword === 'properties' || keyword === 'patternProperties') {
      return [keyword, Object.fromEntries(Object.entries(value).map(([name, one]) => [name, strict(one as Json)]))]
    }
    if (keyword === 'anyOf' || (keyword === 'items' && Array.isArray(value))) return [keyword, value.map(strict)]
    const isSchema = (keyword === 'items' || keyword === 'additionalProperties') && typeof value === 'object'
    return [keyword, isSchema ? strict(value as Json) : value]
  }))
  return {
    ...(schema.type === 'object' && (schema.properties || schema.patternProperties) && { additionalProperties: false }),
    ...(schema.type === 'string' && !('const' in schema) && { maxLength: 255 }),
    ...inner
  }
}

const bounds = ({ minimum = -Infinity, maximum = Infinity }: Json) => ({
  minimum: Math.max(minimum, Number.MIN_SAFE_INTEGER), maximum: Math.min(maximum, Number.MAX_SAFE_INTEGER)
})

const hasBadText = (value: unknown): boolean => typeof value === 'string'
  ? /\0|\p{Surrogate}/u.test(value)
  : typeof value === 'object' && value !== null && Object.entries(value).flat().some(hasBadText)

/** The normal form of a decimal, or undefined for what is none. */
function decimal (text: string): string | undefined {
  const [, minus = '', whole = '', fraction = ''] = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === '' || text.endsWith('.')) return undefined
  let end = fraction.length
  while (fraction[end - 1] === '0') end--
  const normal = end > 0 ? `${whole}.${fraction.slice(0, end)}` : whole
  return minus && normal === '0' ? undefined : minus + normal
}
