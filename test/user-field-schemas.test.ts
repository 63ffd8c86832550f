import { Type, type TSchema } from '@sinclair/typebox'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { createPlugin } from '../src/plugin.js'
import { bodySchemaIn } from './support/answers.js'
import {
  alice, cheapHash, fieldCodes, patient, secret, sqliteBuild, story, t, type Build, type Test
} from './support/build.js'

/** An app with the fields, and a way to register a user with values for them. */
async function buildWith (t: Test, build: Build, schemas: Record<string, TSchema>, options: object = {}) {
  const userFields = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, { schema }]))
  const built = await build(t, { options: { userFields, ...options } })
  let users = 0
  const register = async (values: object) =>
    await built.post('/registration', { email: `user${++users}@example.com`, password1: alice.password1, ...values })
  const { properties } = bodySchemaIn(built.app.restAuth.openapi(), '/auth/registration', 'post')
  return { ...built, register, published: properties as Record<string, object> }
}

async function refusal (schema: TSchema): Promise<string> {
  const app = Fastify(patient)
  const options = { database: ':memory:', secret, docs: false, userFields: { phone: { schema } } }
  try {
    await app.register(fp(createPlugin({ hashCost: cheapHash })), options)
    return 'it started'
  } catch (error) {
    return (error as Error).message.replace('fastify-rest-auth: userFields.phone.schema', '')
  } finally {
    await app.close()
  }
}

story('a literal is enforced, published, and stored as what it is', async (t, build) => {
  const { register, published, get, patch } = await buildWith(t, build, {
    terms: Type.Literal(true),
    either: Type.Union([Type.Literal(true), Type.Literal(false)]),
    level: Type.Union([Type.Literal(3), Type.Literal(5)]),
    ratio: Type.Union([Type.Literal(0.5), Type.Literal(2)]),
    year: Type.Literal(2026),
    size: Type.Enum({ small: 's', large: 'l' }),
    rank: Type.Optional(Type.Enum({ first: 1, second: 2 }))
  })
  const values = { terms: true, either: false, level: 5, ratio: 0.5, year: 2026, size: 's', rank: 2 }
  const answer = await register(values)
  t.equal(answer.statusCode, 201, answer.body)
  const { user, access: token } = answer.json()
  t.match(user, values)
  t.match((await get('/user', { token })).json(), values)
  t.match((await patch('/user', { ratio: 2, rank: null }, { token })).json(), { ratio: 2, rank: null })
  const wrong = await register({ terms: false, either: 0, level: 4, ratio: 3, year: 2025, size: 'm', rank: 3 })
  t.same(fieldCodes(wrong), {
    terms: ['invalid_choice'],
    either: ['invalid_type'],
    level: ['invalid_choice'],
    ratio: ['invalid_choice'],
    year: ['invalid_choice'],
    size: ['invalid_choice'],
    rank: ['invalid_choice']
  })
  t.match(wrong.json().errors[2].message, '"4" is not a valid choice.')
  t.same(fieldCodes(await patch('/user', { terms: false }, { token })), { terms: ['invalid_choice'] })
  t.match(published, {
    terms: { type: 'boolean', enum: [true] },
    level: { type: 'integer', enum: [3, 5] },
    ratio: { type: 'number', enum: [0.5, 2] },
    year: { type: 'integer', enum: [2026] },
    size: { type: 'string', enum: ['s', 'l'] },
    rank: { type: ['integer', 'null'], enum: [1, 2, null] }
  })
})

story('an HTML form sends a literal as text', async (t, build) => {
  const { call } = await buildWith(t, build, {
    terms: Type.Literal(true), level: Type.Union([Type.Literal(3), Type.Literal(5)])
  })
  const form = { email: alice.email, password1: alice.password1, terms: 'on', level: '5' }
  t.match((await call('POST', '/registration', { form })).json().user, { terms: true, level: 5 })
  const wrong = { ...form, email: 'bob@example.com', terms: 'false', level: '4' }
  t.same(fieldCodes(await call('POST', '/registration', { form: wrong })), {
    terms: ['invalid_choice'], level: ['invalid_choice']
  })
})

t.test('what literals say of themselves joins the description of the field', async t => {
  const { published } = await buildWith(t, sqliteBuild, {
    gender: Type.Union(
      [Type.Literal('F', { description: 'female' }), Type.Literal('M', { title: 'male' }), Type.Literal('X')],
      { description: 'As in the passport.' }
    )
  })
  t.match(published.gender, { enum: ['F', 'M', 'X'], description: 'As in the passport. `F`: female `M`: male' })
})

const not = (keyword: string, kind = '', hint = '') =>
  `.${keyword}: the plugin does not enforce this as ${kind ? `a keyword of type ${kind}` : 'a keyword here'}${hint}`
const text = Type.String()
const refused: Array<[schema: TSchema, line: string]> = [
  [Type.String({ maxlength: 5 }), not('maxlength', 'string', '; did you mean maxLength?')],
  [Type.String({ minimum: 5 }), not('minimum', 'string')],
  [Type.Integer({ maxLength: 5 }), not('maxLength', 'integer')],
  [Type.Boolean({ pattern: 'x' }), not('pattern', 'boolean')],
  [Type.String({ contentEncoding: 'base64' }), not('contentEncoding', 'string')],
  [Type.String({ formatMinimum: '2020-01-01', format: 'date' }), not('formatMinimum', 'string')],
  [Type.String({ $id: 'Phone' }), not('$id', 'string', '; a field is described in one place, without references')],
  [Type.String({ readOnly: true }), not('readOnly', 'string', "; say userDetails: 'read-only' instead")],
  [Type.String({ writeOnly: true }), not('writeOnly', 'string', "; say userDetails: 'hidden' instead")],
  [Type.String({ nullable: true }), not('nullable', 'string', '; say Type.Union([…, Type.Null()]) instead')],
  [Type.String({ not: { const: 'root' } }), not('not', 'string')],
  [Type.String({ oneOf: [{ minLength: 3 }] }), not('oneOf', 'string')],
  [Type.String({ if: { minLength: 3 }, then: { pattern: 'x' } }), not('if', 'string')],
  [Type.Object({ a: Type.Ref('Other') }), not('properties.a.$ref', '',
    '; a field is described in one place, without references')],
  [Type.Object({ a: Type.String({ maxlength: 5 }) }),
    not('properties.a.maxlength', 'string', '; did you mean maxLength?')],
  [Type.Object({ a: Type.String({ default: 'x' }) }),
    not('properties.a.default', 'string', '; only the field itself can have a default')],
  [Type.Object({ a: Type.Not(text) }), not('properties.a.not')],
  [Type.Object({ a: Type.Never() }), not('properties.a.not')],
  [Type.Object({ a: Type.Intersect([Type.Object({ b: text }), Type.Object({ c: text })]) }),
    not('properties.a.allOf', 'object', '; join the objects with Type.Composite')],
  [Type.Object({ a: text }, { unevaluatedProperties: false }), not('unevaluatedProperties', 'object')],
  [Type.Object({ a: text }, { dependencies: { a: ['b'] } }), not('dependencies', 'object')],
  [Type.Object({ a: text }, { patternProperties: { '^x-': text } }),
    '.patternProperties: the plugin enforces this only as Type.Record writes it'],
  [Type.Array(text, { contains: Type.Literal('a') }), not('contains', 'array')],
  [Type.Array(Type.Integer({ minLength: 5 })), not('items.minLength', 'integer')],
  [Type.Record(Type.String(), Type.String({ minimum: 5 })), not('additionalProperties.minimum', 'string')],
  [Type.Tuple([text, Type.Object({ a: Type.String({ foo: 1 }) })]), not('prefixItems.1.properties.a.foo', 'string')],
  [Type.Array(Type.Union([text, Type.Object({ a: Type.Integer({ pattern: 'x' }) })])),
    not('items.anyOf.1.properties.a.pattern', 'integer')],
  [Type.Array(Type.Unsafe({ enum: [{ a: 1 }] })), '.items: a literal is a text, a number, a boolean or null'],
  [Type.Object({ a: Type.Date() }), '.properties.a.type: "Date" is not a type of JSON'],
  [Type.Object({ a: Type.RegExp(/x/) }), '.properties.a.type: "RegExp" is not a type of JSON'],
  [Type.Array(Type.Undefined()), '.items.type: "undefined" is not a type of JSON'],
  [Type.Transform(text).Decode(Number).Encode(String),
    ": a Type.Transform is not applied; declare the field's normalize function instead"],
  [Object.defineProperty(Type.Unsafe({ type: 'string' }), '~kind', { value: 'String' }),
    ': is made by TypeBox 1 (typebox); make it with Type of @sinclair/typebox'],
  [Type.Object({ a: Type.Transform(text).Decode(Number).Encode(String) }),
    ".properties.a: a Type.Transform is not applied; declare the field's normalize function instead"]
]

t.test('a keyword that is not enforced is refused at start, with its place in the schema', async t => {
  for (const [schema, line] of refused) t.equal(await refusal(schema), line)
})

// Each with a value that it allows, and one that it does not.
const enforced: Array<[schema: TSchema, allowed: unknown, refused: unknown]> = [
  [Type.String({ minLength: 2, maxLength: 4, pattern: '^a' }), 'abc', 'bcd'],
  [Type.String({ format: 'uuid' }), '019391f2-8c5e-7b11-9a54-0c4f8a7d2e61', '019391f2'],
  [Type.TemplateLiteral([Type.Literal('id-'), Type.Union([Type.Literal('0'), Type.Literal('1')])]), 'id-1', 'id-2'],
  [Type.Integer({ format: 'int32' }), 2147483647, 2147483648],
  [Type.Integer({ exclusiveMinimum: 1, multipleOf: 5 }), 5, 6],
  [Type.Number({ minimum: 1, exclusiveMaximum: 2 }), 1, 2],
  [Type.Array(Type.Integer(), { minItems: 1, maxItems: 2, uniqueItems: true }), [1, 2], [1, 1]],
  [Type.Array(Type.Union([Type.Literal('a'), Type.Literal(1), Type.Null()])), ['a', 1, null], ['b']],
  [Type.Array(Type.Union([Type.Literal('a'), Type.Literal('a'), Type.Null(), Type.Null()])), ['a', null], ['b']],
  [Type.Object({ a: Type.Union([Type.Literal(0), Type.Literal(-0), Type.Literal(1)]) }), { a: 1 }, { a: 2 }],
  [Type.Object({ a: Type.Unsafe({ type: 'string', enum: ['x', 'x'] }) }), { a: 'x' }, { a: 'y' }],
  [Type.Tuple([text, Type.Integer()]), ['a', 1], ['a', 'b']],
  [Type.Tuple([text, Type.Integer()]), ['a', 1], ['a', 1, 2]],
  [Type.Record(Type.String({ pattern: '^[a-z]+$' }), Type.Integer()), { a: 1 }, { a: 'x' }],
  [Type.Record(Type.String({ pattern: '^[a-z]+$' }), Type.Integer()), { a: 1 }, { A: 1 }],
  [Type.Record(Type.Union([Type.Literal('a'), Type.Literal('b')]), text), { a: 'x', b: 'y' }, { a: 'x' }],
  [Type.Object({ a: Type.Optional(text) }, { minProperties: 1, additionalProperties: Type.Integer() }), { b: 1 }, {}],
  [Type.Object({}, { propertyNames: { pattern: '^[a-z]+$' }, additionalProperties: true, maxProperties: 1 }),
    { a: [{}] }, { A: 1 }],
  [Type.Object({ a: Type.Optional(text), b: Type.Optional(text) }, { dependentRequired: { a: ['b'] } }),
    { b: 'x' }, { a: 'x' }],
  [Type.Object({ a: Type.Union([Type.Object({ x: text }), Type.Null()]) }), { a: null }, { a: 1 }],
  [Type.Union([
    Type.Object({ kind: Type.Literal('card'), number: Type.String({ maxLength: 4 }) }),
    Type.Object({ kind: Type.Literal('iban'), iban: text })
  ]), { kind: 'iban', iban: 'CH1' }, { kind: 'card', iban: 'CH1' }],
  [Type.Composite([Type.Object({ a: text }), Type.Object({ b: text })]), { a: '1', b: '2' }, { a: '1' }],
  [Type.Object({ any: Type.Unknown() }), { any: { thing: [1, 'x', null] } }, {}],
  [Type.Object({ nested: text }), { nested: 'x'.repeat(255) }, { nested: 'x'.repeat(256) }]
]

const renamed: Record<string, string> = {
  const: 'enum', additionalItems: 'items', patternProperties: 'additionalProperties'
}

story('every other keyword is enforced, published, and answered as it was stored', async (t, build) => {
  const schemas = Object.fromEntries(enforced.map(([schema], index) => [`field${index}`, Type.Optional(schema)]))
  const { register, published, get } = await buildWith(t, build, schemas)
  for (const [index, [schema, allowed, refused]] of enforced.entries()) {
    const name = `field${index}`
    const told = `${JSON.stringify(schema)} ${JSON.stringify(allowed)}`
    const answer = await register({ [name]: allowed })
    t.equal(answer.statusCode, 201, `${told} ${answer.body}`)
    if (answer.statusCode !== 201) continue
    const { user, access: token } = answer.json()
    t.strictSame(user[name], allowed, told)
    t.strictSame((await get('/user', { token })).json()[name], allowed, told)
    t.same(Object.keys(fieldCodes(await register({ [name]: refused }))), [name], `${told} ≠ ${JSON.stringify(refused)}`)
    for (const keyword of Object.keys(JSON.parse(JSON.stringify(schema)))) {
      const known = renamed[keyword] ?? keyword
      t.ok(known in (published[name] ?? {}), `${keyword} of ${name} is published`)
    }
  }
})

story('an object takes no undeclared keys, wherever it is in a schema', async (t, build) => {
  const point = Type.Object({ x: Type.Integer() })
  const { register } = await buildWith(t, build, {
    nullable: Type.Object({ a: Type.Union([point, Type.Null()]) }),
    list: Type.Array(Type.Union([point, Type.Integer()])),
    pair: Type.Tuple([point, point]),
    record: Type.Record(Type.String(), point),
    rest: Type.Object({}, { additionalProperties: point }),
    either: Type.Union([Type.Object({ deep: Type.Optional(point) }), Type.Array(point)]),
    unknown: Type.Object({ a: Type.Unknown() })
  })
  const fine = {
    nullable: { a: { x: 1 } },
    list: [{ x: 1 }, 2],
    pair: [{ x: 1 }, { x: 2 }],
    record: { a: { x: 1 } },
    rest: { a: { x: 1 } },
    either: { deep: { x: 1 } },
    unknown: { a: { x: 1, y: 2 } }
  }
  t.match((await register(fine)).json().user, fine)
  const extra = { x: 1, y: 2 }
  const answer = await register({
    nullable: { a: extra },
    list: [1, extra],
    pair: [{ x: 1 }, extra],
    record: { a: extra },
    rest: { a: extra },
    either: { deep: extra },
    unknown: { a: 1, b: 2 }
  })
  t.same(answer.json().errors.map(({ pointer, code }: { pointer: string, code: string }) => `${pointer} ${code}`), [
    '/nullable/a/y invalid', '/list/1/y invalid', '/pair/1/y invalid', '/record/a/y invalid', '/rest/a/y invalid',
    '/either/deep/y invalid', '/unknown/b invalid'
  ])
})

story('the names of JavaScript are keys like any other', async (t, build) => {
  const { register } = await buildWith(t, build, {
    tags: Type.Array(Type.Unknown(), { uniqueItems: true }),
    odd: Type.Object({ toString: Type.Optional(Type.Integer()), valueOf: Type.Optional(text) })
  })
  const fine = '{"tags":[{"toString":1},{"toString":2},{"valueOf":null},0,"0"],"odd":{}}'
  const { tags, odd } = (await register(JSON.parse(fine))).json().user
  t.equal(JSON.stringify({ tags, odd }), fine)
  const named = (await register({ tags: [], odd: { toString: 5, valueOf: 'x' } })).json().user.odd
  t.equal(JSON.stringify([named.toString, named.valueOf]), '[5,"x"]')
  t.same(fieldCodes(await register({ tags: [{ toString: 1, a: 2 }, { a: 2, toString: 1 }], odd: { toString: 'x' } })), {
    tags: ['invalid'], odd: ['invalid_type']
  })
  t.same(fieldCodes(await register({ tags: [], odd: { hasOwnProperty: 1 } })), { odd: ['invalid'] })
})

const members = {
  address: Type.Object({
    zip: Type.String({ minLength: 4 }), city: Type.String(), 'a/b': Type.Optional(Type.Integer({ minimum: 1 }))
  }),
  tags: Type.Array(Type.String({ maxLength: 3 })),
  places: Type.Optional(Type.Array(Type.Object({ name: Type.Union([Type.Literal('home'), Type.Literal('work')]) }))),
  payment: Type.Optional(Type.Union([
    Type.Object({ kind: Type.Literal('card'), number: Type.String({ maxLength: 4 }) }),
    Type.Object({ kind: Type.Literal('iban'), iban: Type.String({ format: 'email' }) })
  ]))
}
const wrongMembers = {
  address: { zip: '123', 'a/b': 0, town: 'x' },
  tags: ['ok', 'long', 7],
  places: [{ name: 'home' }, { name: 'moon' }, {}],
  payment: { kind: 'iban', iban: 'x' }
}

story('an error inside an object or a list names the member, its code and its message', async (t, build) => {
  const { register } = await buildWith(t, build, members)
  const error = (field: string, pointer: string, code: string, message: string) => ({ field, code, message, pointer })
  t.same((await register(wrongMembers)).json().errors, [
    error('address', '/address/city', 'required', 'This field is required.'),
    error('address', '/address/town', 'invalid', 'Enter a valid value.'),
    error('address', '/address/zip', 'min_length', 'Ensure this field has at least 4 characters.'),
    error('address', '/address/a~1b', 'min_value', 'Ensure this value is greater than or equal to 1.'),
    error('tags', '/tags/1', 'max_length', 'Ensure this field has no more than 3 characters.'),
    error('tags', '/tags/2', 'invalid_type', 'Not a valid string.'),
    error('places', '/places/1/name', 'invalid_choice', '"moon" is not a valid choice.'),
    error('places', '/places/2/name', 'required', 'This field is required.'),
    error('payment', '/payment/iban', 'invalid_email', 'Enter a valid email address.')
  ])
  const whole = (await register({ address: [], tags: { 0: 'a' }, places: null, payment: 'x' })).json()
  t.same(whole.errors, [
    { field: 'address', code: 'invalid_type', message: 'Not a valid dictionary.' },
    { field: 'tags', code: 'invalid_type', message: 'Not a valid list.' },
    { field: 'payment', code: 'invalid', message: 'Enter a valid value.' }
  ], 'a value that is wrong as a whole has no pointer')
  t.match((await register({ address: { zip: 'a\0bcd', city: 'x' }, tags: [] })).json().errors, [
    { field: 'address', code: 'null_characters_not_allowed', pointer: '/address/zip' }
  ])
})

story("in Django REST framework's format, the members of a field have their own messages", async (t, build) => {
  const { register } = await buildWith(t, build, members, { errors: 'drf' })
  t.same((await register(wrongMembers)).json(), {
    address: {
      city: ['This field is required.'],
      town: ['Enter a valid value.'],
      zip: ['Ensure this field has at least 4 characters.'],
      'a/b': ['Ensure this value is greater than or equal to 1.']
    },
    tags: { 1: ['Ensure this field has no more than 3 characters.'], 2: ['Not a valid string.'] },
    places: { 1: { name: ['"moon" is not a valid choice.'] }, 2: { name: ['This field is required.'] } },
    payment: { iban: ['Enter a valid email address.'] }
  })
  t.same((await register({ address: [], tags: 'x' })).json(), {
    address: ['Not a valid dictionary.'], tags: ['Not a valid list.']
  })
})

t.test('of very many wrong members, a hundred are reported', async t => {
  const { register } = await buildWith(t, sqliteBuild, { tags: Type.Array(Type.String()) })
  const answer = await register({ tags: Array.from({ length: 5000 }, () => 1) })
  t.equal(answer.json().errors.length, 100)
})

story('a value that is too long is not matched with a pattern or format, at any depth', async (t, build) => {
  // It would take this pattern longer than the universe is old.
  const slow = Type.String({ maxLength: 20, pattern: '^(a+)+$' })
  const { register } = await buildWith(t, build, {
    plain: slow,
    optional: Type.Optional(slow),
    inside: Type.Object({ a: slow }),
    list: Type.Array(slow),
    many: Type.Array(Type.String({ pattern: '^(a+)+$', maxLength: 100 }), { maxItems: 1 }),
    either: Type.Object({ a: Type.Union([Type.Null(), slow]) }),
    record: Type.Record(Type.String(), slow),
    site: Type.String({ format: 'url', maxLength: 200 })
  })
  const long = `${'a'.repeat(50)}!`
  const answer = await register({
    plain: long,
    optional: long,
    inside: { a: long },
    list: [long],
    many: [long, long],
    either: { a: long },
    record: { a: long },
    site: `http://${'a'.repeat(15_000)}`
  })
  t.same(fieldCodes(answer), {
    plain: ['max_length'],
    optional: ['max_length'],
    inside: ['max_length'],
    list: ['max_length'],
    many: ['invalid'],
    either: ['max_length'],
    record: ['max_length'],
    site: ['max_length']
  })
})
