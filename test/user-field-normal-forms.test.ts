import { Type } from '@sinclair/typebox'
import { sql } from 'drizzle-orm'
import { openDatabase } from '../src/db/open.js'
import { Rejection } from '../src/errors/failure.js'
import { bodySchemaIn } from './support/answers.js'
import { alice, fieldCodes, story, type Build, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'

async function buildWith (t: Test, build: Build, userFields: object, options: object = {}) {
  const built = await build(t, { options: { userFields, ...options } })
  let users = 0
  const register = async (values: object = {}) =>
    await built.post('/registration', { email: `user${++users}@example.com`, password1: alice.password1, ...values })
  return { ...built, register }
}

story('multipleOf counts in decimal numbers', async (t, build) => {
  const { register } = await buildWith(t, build, {
    price: { schema: Type.Optional(Type.Number({ multipleOf: 0.01 })) },
    tenth: { schema: Type.Optional(Type.Number({ multipleOf: 0.1 })) },
    tiny: { schema: Type.Optional(Type.Number({ multipleOf: 1e-7 })) },
    huge: { schema: Type.Optional(Type.Number({ multipleOf: 2.5 })) },
    list: { schema: Type.Optional(Type.Array(Type.Number({ multipleOf: 0.05 }))) },
    whole: { schema: Type.Optional(Type.Integer({ multipleOf: 7 })) }
  })
  const allowed: Array<[field: string, value: unknown]> = [
    ['price', 19.99], ['price', 0], ['price', -0.07], ['price', 1e21], ['price', 1234567890.12], ['price', 1.1],
    ['tenth', 0.3], ['tenth', 4.35e1], ['tiny', 1e-7], ['tiny', 3e-7], ['tiny', 1], ['huge', 1e300], ['huge', -7.5],
    ['list', [0.15, 19.95]], ['whole', 49]
  ]
  for (const [field, value] of allowed) {
    const answer = await register({ [field]: value })
    t.strictSame(answer.json().user?.[field], value, `${field}: ${JSON.stringify(value)} ${answer.body.slice(0, 200)}`)
  }
  const refused: Array<[field: string, value: unknown]> = [
    ['price', 19.995], ['price', 1e-3], ['price', 0.1 + 0.2], ['tenth', 0.35], ['tiny', 1.5e-7], ['tiny', 5e-324],
    ['huge', 1], ['list', [0.15, 0.16]], ['whole', 50]
  ]
  for (const [field, value] of refused) {
    t.same(fieldCodes(await register({ [field]: value })), { [field]: ['invalid'] }, `${field}: ${value}`)
  }
})

story('a decimal is text in JSON, exact in the database, and has one normal form', async (t, build, { dialect }) => {
  const file = dialect === 'sqlite' ? temporaryFile(t) : undefined
  const decimal = Type.String({ format: 'decimal' })
  const { register, patch, get, call, app, database } = await buildWith(t, build, {
    balance: { schema: decimal },
    code: { schema: Type.Optional(decimal), unique: true },
    fee: { schema: Type.String({ format: 'decimal', default: '2.50', maxLength: 6 }) },
    price: { schema: Type.Optional(Type.String({ format: 'decimal', pattern: '^\\d+(\\.\\d{1,2})?$' })) }
  }, file ? { database: file } : {})
  const balance = '-12345678901234567890123456789.000000000000000000001'
  const { user, access: token } = (await register({ balance, code: '1.50' })).json()
  t.match(user, { balance, code: '1.5', fee: '2.5', price: null })
  t.same((await get('/user', { token })).json(), user)
  t.same(fieldCodes(await register({ balance: '0', code: '1.500' })), { code: ['value_taken'] })
  for (const [given, stored] of [
    ['0', '0'], ['0.0', '0'], ['10', '10'], ['100.00', '100'], ['0.10', '0.1'], ['-0.5', '-0.5'], [' 7 ', '7'],
    ['9'.repeat(255), '9'.repeat(255)], [`0.${'0'.repeat(252)}1`, `0.${'0'.repeat(252)}1`]
  ] as const) {
    t.equal((await patch('/user', { balance: given }, { token })).json().balance, stored, given)
  }
  for (const wrong of [
    '-', '.5', '5.', '+1', '01', '-0', '-0.00', '1e3', '1,5', '0x10', 'NaN', 'Infinity', '1 000', '١', '1.2.3',
    '1_0'
  ]) {
    t.same(Object.keys(fieldCodes(await patch('/user', { balance: wrong }, { token }))), ['balance'], wrong)
  }
  t.same(fieldCodes(await patch('/user', { balance: 5, fee: '1234.50', price: '0.125' }, { token })), {
    balance: ['invalid_type'], fee: ['max_length'], price: ['invalid']
  })
  t.match((await call('PATCH', '/user', { form: { balance: '3.10', fee: '0.0' }, token })).json(), {
    balance: '3.1', fee: '0'
  })
  const document = JSON.stringify(app.restAuth.openapi())
  t.match(document, '"format":"decimal"')
  if (dialect === 'sqlite') return
  const db = await openDatabase(database, [], () => {})
  t.teardown(() => db.close())
  const [column] = await db.orm.select({ type: sql<string>`data_type` }).from(sql`information_schema.columns`)
    .where(sql`table_name = 'users' AND column_name = 'balance'`)
  t.equal(column?.type, 'numeric')
})

story('a default makes a field optional at registration, and not nullable', async (t, build) => {
  const seen: unknown[] = []
  const { register, patch, put, app } = await buildWith(t, build, {
    language: { schema: Type.String({ default: 'de' }) },
    newsletter: { schema: Type.Boolean({ default: false }) },
    plan: { schema: Type.Union([Type.Literal('free'), Type.Literal('paid')], { default: 'free' }) },
    tags: { schema: Type.Array(Type.String(), { default: ['new'] }) },
    motto: { schema: Type.String({ default: '' }) },
    points: { schema: Type.Integer({ default: 10 }), registration: 'hidden' }
  }, { hooks: { registering: (input: unknown) => { seen.push(input) } } })
  const defaults = { language: 'de', newsletter: false, plan: 'free', tags: ['new'], motto: '' }
  const answer = await register()
  t.equal(answer.statusCode, 201, answer.body)
  const { user, access: token } = answer.json()
  t.match(user, { ...defaults, points: 10 })
  t.match(seen[0], defaults, 'the hook sees what is stored')
  t.notHas(seen[0], 'points')
  t.match((await register({ language: 'fr', tags: [] })).json().user, { ...defaults, language: 'fr', tags: [] })
  t.same(fieldCodes(await register({ language: null, newsletter: null })), { language: ['null'], newsletter: ['null'] })
  t.same(fieldCodes(await patch('/user', { language: null }, { token })), { language: ['null'] })
  t.match((await put('/user', { language: 'it' }, { token })).json(), { language: 'it', plan: 'free' })
  const { properties, required } = bodySchemaIn(app.restAuth.openapi(), '/auth/registration', 'post')
  t.same(required, ['email', 'password1'])
  t.match(properties, { language: { default: 'de' }, newsletter: { default: false }, tags: { default: ['new'] } })
})

story('normalize gives a value the form that is validated, compared and stored', async (t, build) => {
  const phone = (value: string) => value.replace(/^00/, '+').replaceAll(/[\s()./-]/g, '')
  const { register, patch, call, app } = await buildWith(t, build, {
    phone: {
      schema: Type.Optional(Type.String({ pattern: '^\\+[1-9]\\d{6,14}$', maxLength: 30 })),
      unique: true,
      normalize: phone
    },
    tags: {
      schema: Type.Optional(Type.Array(Type.String(), { maxItems: 2 })),
      normalize: (tags: string[]) => [...new Set(tags.map(tag => tag.toLowerCase()))]
    },
    even: { schema: Type.Optional(Type.Integer()), normalize: (value: number) => value - value % 2 },
    code: {
      schema: Type.Optional(Type.String()),
      normalize: (value: string) => {
        if (value === 'secret') throw new Rejection('Not this one.')
        return value.startsWith('x') ? undefined : JSON.parse(value)
      }
    }
  })
  const values = { phone: '+41 (44) 668-18 00', tags: ['A', 'a', 'b'], even: 5 }
  const { user, access: token } = (await register(values)).json()
  t.match(user, { phone: '+41446681800', tags: ['a', 'b'], even: 4 })
  t.same(fieldCodes(await register({ phone: '0041446681800' })), { phone: ['value_taken'] })
  t.same(fieldCodes(await register({ phone: '668-18 00' })), { phone: ['invalid'] })
  t.same(fieldCodes(await register({ phone: ' '.repeat(20) + '1'.repeat(31) })), { phone: ['max_length'] })
  t.same(fieldCodes(await register({ phone: 41446681800, tags: [1], even: 'x' })), {
    phone: ['invalid_type'], tags: ['invalid_type'], even: ['invalid_type']
  })
  t.same(fieldCodes(await patch('/user', { phone: 'abc', code: '{' }, { token })), {
    phone: ['invalid'], code: ['invalid']
  }, 'what the function stumbles over is the fault of the value')
  t.same((await patch('/user', { code: 'secret' }, { token })).json().errors, [
    { field: 'code', code: 'value_not_allowed', message: 'Not this one.' }
  ])
  t.match((await patch('/user', { code: '"y"', phone: null }, { token })).json(), { code: 'y', phone: null })
  t.match((await patch('/user', { code: 'x' }, { token })).json(), { code: null }, 'no value')
  t.same(fieldCodes(await patch('/user', { code: '7' }, { token })), { code: ['invalid_type'] })
  t.match((await call('PATCH', '/user', { form: { even: '9', phone: '+41 44 668 18 01' }, token })).json(), {
    even: 8, phone: '+41446681801'
  })
  const created = await app.restAuth.users.create({ email: 'dora@example.com', phone: '+1 555 010 0000' } as never)
  t.match(created, { phone: '+15550100000' })
})

story('of 50 registrations at once with the same number, written differently, one succeeds', async (t, build) => {
  const { register } = await buildWith(t, build, {
    phone: { schema: Type.String(), unique: true, normalize: (value: string) => value.replaceAll(/\D/g, '') }
  })
  const answers = await Promise.all(Array.from({ length: 50 }, async (_, n) =>
    await register({ phone: `+4144${' '.repeat(n % 5)}668${'-'.repeat(Math.floor(n / 5))}1800` })))
  t.equal(answers.filter(({ statusCode }) => statusCode === 201).length, 1)
  for (const answer of answers) if (answer.statusCode !== 201) t.same(fieldCodes(answer), { phone: ['value_taken'] })
})

story('a unique address is compared like the address of an account', async (t, build) => {
  const { register } = await buildWith(t, build, {
    work: { schema: Type.Optional(Type.String({ format: 'email' })), unique: true },
    other: { schema: Type.Optional(Type.String({ format: 'email' })) }
  })
  t.match((await register({ work: 'Al@Example.com', other: 'Al@Example.com' })).json().user, {
    work: 'al@example.com', other: 'Al@Example.com'
  })
  t.same(fieldCodes(await register({ work: 'AL@EXAMPLE.COM' })), { work: ['value_taken'] })
  t.match((await register({ work: 'al@bücher.example' })).json().user, { work: 'al@xn--bcher-kva.example' })
  t.same(fieldCodes(await register({ work: 'al@xn--bcher-kva.example' })), { work: ['value_taken'] })
  t.same(fieldCodes(await register({ work: 'no address' })), { work: ['invalid_email'] })
})

const words = [
  'order', 'group', 'index', 'select', 'table', 'where', 'Primary', 'references', 'rowid', 'oid', 'values', 'default',
  'nickName', 'check', 'union', 'end', 'returning', 'current_user', 'enableRLS', 'getSQL', 'name', 'columns'
]

story('a field may have any name that SQL can quote', async (t, build, { dialect }) => {
  const file = dialect === 'sqlite' ? temporaryFile(t) : undefined
  const userFields = Object.fromEntries(words.map((name, index) => [name, {
    schema: Type.Optional(index % 3 === 0 ? Type.Union([Type.Literal('a'), Type.Literal('b')]) : Type.String()),
    unique: index % 3 === 1
  }]))
  const first = await buildWith(t, build, userFields, file ? { database: file } : {})
  const values = Object.fromEntries(words.map(name => [name, 'a']))
  const { user, access: token } = (await first.register(values)).json()
  t.match(user, values)
  t.same(
    Object.keys(fieldCodes(await first.register(values))), words.filter((_, index) => index % 3 === 1), 'unique ones'
  )
  const changes = Object.fromEntries(words.map(name => [name, 'b']))
  t.match((await first.patch('/user', changes, { token })).json(), changes)
  const again = await build(t, {
    options: { userFields, ...(file && { database: file }) }, ...(!file && { database: first.database })
  })
  const login = await again.post('/login', { email: 'user1@example.com', password: alice.password1 })
  t.match(login.json().user, changes, 'after a restart')
})

story('a number that is no choice is named in the message', async (t, build) => {
  const { register } = await buildWith(t, build, { level: { schema: Type.Union([Type.Literal(1), Type.Literal(2)]) } })
  t.same((await register({ level: 7 })).json().errors, [
    { field: 'level', code: 'invalid_choice', message: '"7" is not a valid choice.' }
  ])
})
