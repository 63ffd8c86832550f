/** Hostile input: it is refused with a declared code, nothing is stored, and there is never a 500. */
import { connect, type AddressInfo } from 'node:net'
import { Type } from '@sinclair/typebox'
import type { FastifyServerOptions } from 'fastify'
import { openDatabase } from '../src/db/open.js'
import { canonicalEmail } from '../src/lib/email.js'
import { codeOf } from './support/answers.js'
import {
  alice, articleOptions, fieldCodes, password, sqliteBuild, story, t, type Build, type BuildOptions, type Test
} from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { processorMs } from './support/processor-time.js'
import { existingTable } from './support/users-table.js'

const everyKind = {
  nickname: { schema: Type.Optional(Type.String({ maxLength: 30 })), unique: true },
  bio: { schema: Type.Optional(Type.String({ maxLength: 2000 })) },
  level: { schema: Type.Optional(Type.Integer()), unique: true },
  height: { schema: Type.Optional(Type.Number()) },
  vip: { schema: Type.Optional(Type.Boolean()) },
  plan: { schema: Type.Optional(Type.Union([Type.Literal('free'), Type.Literal("d'or")])) },
  prefs: {
    schema: Type.Optional(
      Type.Object(
        { theme: Type.Optional(Type.String()), zoom: Type.Optional(Type.Number()) }, { additionalProperties: true }
      )
    )
  },
  tags: { schema: Type.Optional(Type.Array(Type.Unknown())) }
} as const
const rich = {
  ...articleOptions,
  account: { username: 'optional', loginMethods: ['email', 'username'] },
  userFields: { ...articleOptions.userFields, ...everyKind }
} as const

const bodyRoutes = [
  ['POST', '/registration'],
  ['POST', '/login'],
  ['POST', '/logout'],
  ['PUT', '/user'],
  ['PATCH', '/user'],
  ['POST', '/password/change'],
  ['POST', '/reauthenticate']
] as const

/** An app with alice in it, and a way to see that she is still the only user. */
async function buildWithAlice (t: Test, build: Build, dialect: string, options: BuildOptions = {}) {
  const file = dialect === 'sqlite' ? temporaryFile(t) : undefined
  const built = await build(t, {
    options: rich,
    ...options,
    ...(file && { options: { ...rich, ...options.options, database: file } })
  })
  const { access: token, user } = await built.register()
  const db = await openDatabase(file ?? built.database, [], () => {}, existingTable)
  t.teardown(() => db.close())
  const rows = async () => await db.orm.select().from(db.users)
  const before = await rows()
  return {
    ...built,
    token,
    user,
    rows,
    nothingStored: async (what: string) => {
      t.strictSame(await rows(), before, `${what}: nothing is stored`)
      t.strictSame((await built.get('/user', { token })).json(), user, `${what}: alice is as she was`)
    }
  }
}

story('every route refuses a body that is not a JSON object', async (t, build, { dialect }) => {
  const { call, token, nothingStored } = await buildWithAlice(t, build, dialect)
  const broken: Array<[payload: string | Buffer, code: string]> = [
    ['{', '400 malformed_body'],
    ['{"email":}', '400 malformed_body'],
    ["{'email':'a@example.com'}", '400 malformed_body'],
    ['{"email":"a@example.com",}', '400 malformed_body'],
    ['{"email":NaN}', '400 malformed_body'],
    ['{"email":1e309}', '400 malformed_body'],
    ['{} {}', '400 malformed_body'],
    ['email=a@example.com', '400 malformed_body'],
    ['\0', '400 malformed_body'],
    ['{"email":"a\nb"}', '400 malformed_body'],
    ['{"__proto__":{"is_active":true}}', '400 malformed_body'],
    ['{"\\u005f\\u005fproto__":{"is_active":true}}', '400 malformed_body'],
    ['{"tags":[{"constructor":{"prototype":{"is_active":true}}}]}', '400 malformed_body'],
    ['{"x":' + '['.repeat(8000) + ']'.repeat(8000) + '}', '400 malformed_body'],
    ['{"x":' + '{"x":'.repeat(2000) + '1' + '}'.repeat(2000) + '}', '400 malformed_body'],
    [Buffer.from('{"email":"caf\xe9@example.com"}', 'latin1'), '400 malformed_body'],
    [Buffer.from('{"password":"\xc0\x80"}', 'latin1'), '400 malformed_body'],
    [Buffer.from('{"password":"\xed\xa0\x80"}', 'latin1'), '400 malformed_body'],
    [Buffer.from('{"email":"a@example.com"}', 'utf16le'), '400 malformed_body'],
    ['[]', '400 not_an_object'],
    ['[{"email":"a@example.com"}]', '400 not_an_object'],
    ['"email"', '400 not_an_object'],
    ['""', '400 not_an_object'],
    ['0', '400 not_an_object'],
    ['-1.5', '400 not_an_object'],
    ['true', '400 not_an_object'],
    ['false', '400 not_an_object']
  ]
  for (const [method, path] of bodyRoutes) {
    for (const [payload, code] of broken) {
      t.equal(
        codeOf(await call(method, path, { payload, token })), code,
        `${method} ${path} ${payload.toString().slice(0, 40)}`
      )
    }
  }
  await nothingStored('no object')
})

story('a byte order mark before JSON is accepted; of a repeated key the last value counts', async (t, build) => {
  const { post } = await build(t)
  const body = JSON.stringify(alice)
  t.equal(
    (
      await post('/registration', undefined, { payload: `\ufeff${body.replace('{', '{"email":"bob@example.com",')}` })
    ).json().user.email,
    alice.email
  )
  const form = new URLSearchParams({ ...alice, email: 'first@example.com' })
  form.append('email', 'last@example.com')
  const answer = await post('/registration', undefined, {
    payload: form.toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' }
  })
  t.equal(answer.json().user.email, 'last@example.com')
})

story('`null` and an empty body count as an empty object', async (t, build) => {
  const { post } = await build(t)
  for (const payload of ['null', '{}', '', ' \r\n']) {
    t.same(
      Object.keys(fieldCodes(await post('/registration', undefined, { payload }))),
      ['email', 'password1', 'gender', 'phone_number'], JSON.stringify(payload)
    )
    t.equal((await post('/logout', undefined, { payload })).statusCode, 200)
  }
  t.equal(codeOf(await post('/login')), '400 validation_error')
})

story('content types other than JSON and forms are refused, text/plain too', async (t, build, { dialect }) => {
  const { call, token, nothingStored } = await buildWithAlice(t, build, dialect)
  const refused = [
    'text/plain', 'text/plain; application/json', 'text/plain;charset=UTF-8', 'multipart/mixed; boundary=x',
    'application/jsonx', 'application/vnd.api+json', 'application/json, text/plain', 'application', 'json', '*/*', '/',
    ';', '__proto__', 'constructor', 'text/html', 'application/xml', 'application/x-www-form-urlencodedx',
    'application/octet-stream', `application/${'x'.repeat(4000)}`, 'a\u00e9/b'
  ]
  for (const [method, path] of bodyRoutes) {
    for (const type of refused) {
      const answer = await call(method, path, {
        payload: JSON.stringify({ ...alice, email: 'new@example.com', password, gender: 'M' }),
        token,
        headers: { 'content-type': type }
      })
      t.equal(codeOf(answer), '415 unsupported_media_type', `${method} ${path} ${type.slice(0, 40)}`)
    }
    t.equal(
      codeOf(await call(method, path, { payload: '{}', token, headers: { 'content-type': '' } })),
      '415 unsupported_media_type', 'none'
    )
  }
  await nothingStored('other content types')

  // However its type is spelt, JSON is read as UTF-8 and validated.
  for (const type of [
    'application/json', 'APPLICATION/JSON', ' application/json', 'application/json;', 'application/json\t',
    'application/json\v', 'application/json\u00a0', 'application/json; charset=utf-16',
    'application/json; charset="', 'application/json;;'
  ]) {
    t.equal(
      codeOf(await call('POST', '/registration', { payload: '{"email":[]}', headers: { 'content-type': type } })),
      '400 validation_error', type
    )
    t.equal(
      codeOf(
        await call('POST', '/registration', {
          payload: Buffer.from('{}', 'utf16le'),
          headers: { 'content-type': type }
        })
      ),
      '400 malformed_body',
      `${type} as UTF-16`
    )
  }
})

story('a body of more than 16 KiB is refused before anything else happens', async (t, build, { dialect }) => {
  const { call, token, nothingStored } = await buildWithAlice(t, build, dialect)
  const padded = (size: number) => `{"padding":"${'x'.repeat(size - 14)}"}`
  t.equal((await call('POST', '/logout', { payload: padded(16384) })).statusCode, 200)
  for (const [method, path] of bodyRoutes) {
    for (const size of [16385, 1_048_576]) {
      t.equal(
        codeOf(await call(method, path, { payload: padded(size), token })), '413 body_too_large',
        `${method} ${path} ${size}`
      )
      const form = await call(method, path, {
        payload: `a=${'x'.repeat(size - 2)}`,
        token,
        headers: { 'content-type': 'application/x-www-form-urlencoded' }
      })
      t.equal(codeOf(form), '413 body_too_large', `${method} ${path} ${size} as a form`)
    }
  }
  t.equal(
    codeOf(
      await call('POST', '/login', { payload: JSON.stringify({ email: alice.email, password: 'x'.repeat(1_048_576) }) })
    ),
    '413 body_too_large'
  )
  t.equal(
    codeOf(await call('POST', '/login', { payload: padded(2000), headers: { 'content-length': '5' } })),
    '400 bad_request', 'a wrong Content-Length'
  )
  await nothingStored('too large')
})

story('compressed bodies are not decompressed', async (t, build) => {
  const { call } = await build(t)
  const { gzipSync, deflateSync, brotliCompressSync } = await import('node:zlib')
  const bomb = JSON.stringify({ email: 'x'.repeat(1_000_000) })
  for (const [encoding, pack] of [['gzip', gzipSync], ['deflate', deflateSync], ['br', brotliCompressSync]] as const) {
    t.equal(
      codeOf(await call('POST', '/login', { payload: pack(bomb), headers: { 'content-encoding': encoding } })),
      '400 malformed_body', encoding
    )
  }
})

story('NUL and lone surrogates are refused in every field, lists and objects too', async (t, build, { dialect }) => {
  const { call, token, nothingStored } = await buildWithAlice(t, build, dialect)
  const valid = { ...alice, email: 'new@example.com', username: 'newcomer', bio: 'b', nickname: 'n' }
  for (const [character, code] of [
    ['\0', 'null_characters_not_allowed'],
    ['\ud800', 'surrogate_characters_not_allowed'],
    ['\udc00\ud800', 'surrogate_characters_not_allowed']
  ] as const) {
    const text = `long-enough-${character}-for-a-password`
    for (const field of [
      'email', 'username', 'password1', 'password2', 'gender', 'phone_number', 'nickname', 'bio', 'plan'
    ] as const) {
      const answer = await call('POST', '/registration', {
        payload: JSON.stringify({ ...valid, password2: password, [field]: text })
      })
      t.ok(fieldCodes(answer)[field]?.includes(code), `${field}: ${answer.body}`)
    }
    for (const value of [[text], [[[text]]], [{ a: { b: text } }], [{ [text]: 1 }], [{ a: [{ [text]: 1 }] }]]) {
      t.strictSame(fieldCodes(await call('PATCH', '/user', { payload: JSON.stringify({ tags: value }), token })), {
        tags: [code]
      })
    }
    t.strictSame(
      fieldCodes(
        await call('PATCH', '/user', { payload: JSON.stringify({ prefs: { [text]: 1, theme: text } }), token })
      ),
      { prefs: [code] }
    )
    for (const field of ['email', 'username', 'password'] as const) {
      const answer = await call('POST', '/login', {
        payload: JSON.stringify({ email: alice.email, password, [field]: text })
      })
      t.ok(fieldCodes(answer)[field]?.includes(code), `login ${field}: ${answer.body}`)
    }
    t.strictSame(fieldCodes(await call('POST', '/logout', { payload: JSON.stringify({ refresh: text }) })), {
      refresh: [code]
    })
    t.strictSame(
      fieldCodes(
        await call('POST', '/password/change', {
          payload: JSON.stringify({ old_password: text, new_password1: password }),
          token
        })
      ),
      { old_password: [code] }
    )
  }
  for (const bytes of ['%00', '%ED%A0%80', '%FF', '%', '%zz', '%C0%80']) {
    const answer = await call('POST', '/login', {
      payload: `email=alice%40example.com&password=x${bytes}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' }
    })
    t.equal(codeOf(answer), bytes === '%00' ? '400 validation_error' : '400 malformed_body', bytes)
  }
  await nothingStored('NUL and surrogates')
})

story('mass assignment: unknown and internal field names are ignored', async (t, build, { dialect }) => {
  const { call, post, token, user, rows, nothingStored, app } = await buildWithAlice(t, build, dialect)
  const names = [
    'pk', 'id', 'is_admin', 'is_staff', 'is_superuser', 'is_active', 'isActive', 'is_verified',
    'email_verified', 'role', 'password', 'passwordHash', 'password_hash', 'username_key', 'usernameKey',
    'token_epoch', 'created_at', 'createdAt', 'last_login', 'lastLogin', 'user', 'user.is_active', 'is-active',
    'IsActive', 'is_active\0', 'users', 'sessions', 'hasOwnProperty', 'toString', 'valueOf', 'toJSON', 'then',
    'constructor', 'prototype', 'length'
  ]
  const evil = Object.fromEntries(names.map(name => [name, name.includes('ctive') ? false : 'evil']))
  for (const method of ['PUT', 'PATCH'] as const) {
    const answer = await call(method, '/user', {
      body: { ...evil, email: 'evil@example.com', phone_number: '+666', gender: user.gender },
      token
    })
    t.strictSame(answer.json(), user, method)
  }
  await nothingStored('mass assignment')

  const { user: bob } = (await post('/registration', { ...evil, ...alice, email: 'bob@example.com' })).json()
  t.match(await app.restAuth.users.find({ pk: bob.pk }), {
    email: 'bob@example.com',
    username: null,
    is_active: true,
    created_at: new Date('2026-11-23T12:00:00.000Z')
  })
  t.match((await rows()).find(row => row.pk === bob.pk), { usernameKey: null, passwordHash: /^\$argon2id\$/ })
  t.not(bob.pk, 'evil')

  const form = Object.fromEntries(
    [...names, '__proto__', '__proto__[isActive]', 'constructor[prototype][isActive]'].map(name => [name, 'evil'])
  )
  t.equal(
    (await post('/registration', undefined, { form: { ...form, ...alice, email: 'carol@example.com' } })).statusCode,
    201
  )
  t.equal(({} as Record<string, unknown>).isActive, undefined)
})

story('no body can pollute Object.prototype', async (t, build) => {
  const { call, register } = await build(t, { options: rich })
  const { access: token } = await register()
  const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort())
  const attempts = ['__proto__', 'constructor', 'prototype'].flatMap(key => [
    `{"${key}":{"polluted":1}}`, `{"prefs":{"${key}":{"polluted":1,"prototype":{"polluted":1}}}}`,
    `{"tags":[{"a":{"${key}":{"prototype":{"polluted":1}}}}]}`, `{"prefs":{"${key}":null}}`
  ])
  for (const payload of attempts) {
    const answer = await call('PATCH', '/user', { payload, token })
    t.ok([200, 400].includes(answer.statusCode), `${payload} → ${answer.statusCode}`)
  }
  t.equal(({} as Record<string, unknown>).polluted, undefined)
  t.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort()), before)
})

story('JSON values are not coerced: a number is no password, a list no address', async (t, build, { dialect }) => {
  const { call, token, nothingStored } = await buildWithAlice(t, build, dialect)
  const nested = JSON.parse('['.repeat(90) + ']'.repeat(90)) as unknown
  const wrong = [
    0, 1, -1.5, 123456789, true, false, [], ['alice@example.com'], ['alice@example.com', 'bob@example.com'], {},
    { toString: 'x' }, { toString: null, valueOf: null }, [{ toString: 1 }], { length: 5 }, { $ne: '' }, nested
  ]
  const valid = { ...alice, email: 'new@example.com', username: 'newcomer', password2: password }
  for (const value of wrong) {
    for (const field of ['email', 'username', 'password1', 'password2', 'gender', 'phone_number', 'nickname', 'plan']) {
      const answer = await call('POST', '/registration', { payload: JSON.stringify({ ...valid, [field]: value }) })
      t.strictSame(
        fieldCodes(answer), { [field]: ['invalid_type'] }, `registration ${field} ${JSON.stringify(value).slice(0, 40)}`
      )
    }
    for (const field of ['email', 'username', 'password']) {
      t.strictSame(
        fieldCodes(
          await call('POST', '/login', { payload: JSON.stringify({ email: alice.email, password, [field]: value }) })
        ),
        { [field]: ['invalid_type'] }
      )
    }
    t.strictSame(fieldCodes(await call('POST', '/logout', { payload: JSON.stringify({ refresh: value }) })), {
      refresh: ['invalid_type']
    })
    for (const field of ['old_password', 'new_password1', 'new_password2']) {
      const change = { old_password: password, new_password1: 'An0ther-secret-pw', new_password2: 'An0ther-secret-pw' }
      t.strictSame(
        fieldCodes(
          await call('POST', '/password/change', { payload: JSON.stringify({ ...change, [field]: value }), token })
        ),
        { [field]: ['invalid_type'] }
      )
    }
  }
  for (const field of ['email', 'password1', 'password2', 'gender', 'phone_number']) {
    t.strictSame(
      fieldCodes(await call('POST', '/registration', { payload: JSON.stringify({ ...valid, [field]: null }) })),
      { [field]: ['null'] }
    )
  }
  for (const value of ['true', '1', 1, 0, 'on', []]) {
    t.strictSame(fieldCodes(await call('PATCH', '/user', { body: { vip: value }, token })), { vip: ['invalid_type'] })
  }
  for (const value of ['1', '', true, []]) {
    t.strictSame(fieldCodes(await call('PATCH', '/user', { body: { level: value, height: value }, token })), {
      level: ['invalid_type'],
      height: ['invalid_type']
    })
  }
  await nothingStored('other types')
})

const long = (count: number) => 'x'.repeat(count)
const labels = (...lengths: number[]) => lengths.map(length => 'd'.repeat(length)).join('.')
/** What an address is stored as; undefined for one that is refused. */
const addresses: Array<[address: string, canonical: string | undefined]> = [
  ['Mike@Example.ORG', 'mike@example.org'],
  ['  mike@example.org\t', 'mike@example.org'],
  ['mike+tag@example.org', 'mike+tag@example.org'],
  ['m.i.k.e@example.org', 'm.i.k.e@example.org'],
  ["o'brien!#$%&*/=?^_`{|}~-@example.org", "o'brien!#$%&*/=?^_`{|}~-@example.org"],
  ['mike@BÜCHER.example', 'mike@xn--bcher-kva.example'],
  ['mike@xn--bcher-kva.example', 'mike@xn--bcher-kva.example'],
  ['mike@exаmple.org', 'mike@xn--exmple-4nf.org'],
  ['mike@例え.jp', 'mike@xn--r8jz45g.jp'],
  ['mike@straße.de', 'mike@xn--strae-oqa.de'],
  ['mike@example。org', 'mike@example.org'],
  [`${long(64)}@example.org`, `${long(64)}@example.org`],
  [`${long(65)}@example.org`, undefined],
  [`mike@${labels(63, 2)}`, `mike@${labels(63, 2)}`],
  [`mike@${labels(64, 2)}`, undefined],
  [`${long(64)}@${labels(63, 63, 61)}`, `${long(64)}@${labels(63, 63, 61)}`],
  [`${long(64)}@${labels(63, 63, 62)}`, undefined],
  [`mike@${'ü'.repeat(60)}.example`, undefined],
  ['mıke@example.org', undefined],
  ['mi\u212ae@example.org', undefined],
  ['ｍike@example.org', undefined],
  ['mike＠example.org', undefined],
  ['mike@ｅxample.org', undefined],
  ['ﬁne@example.org', undefined],
  ['MİKE@example.org', undefined],
  ['müller@example.org', undefined],
  ['mike@example.org.', undefined],
  ['mike@.example.org', undefined],
  ['mike@example..org', undefined],
  ['.mike@example.org', undefined],
  ['mike.@example.org', undefined],
  ['mi..ke@example.org', undefined],
  ['mike@localhost', undefined],
  ['mike@-example.org', undefined],
  ['mike@example-.org', undefined],
  ['mike@exam_ple.org', undefined],
  ['mike@[127.0.0.1]', undefined],
  ['mike@[IPv6:::1]', undefined],
  ['mike@127.0.0.1', undefined],
  ['mike@0x7f.1', undefined],
  ['mike@example.123', undefined],
  ['"mike"@example.org', undefined],
  ['"mi ke"@example.org', undefined],
  ['mike(comment)@example.org', undefined],
  ['Mike <mike@example.org>', undefined],
  ['<mike@example.org>', undefined],
  ['mailto:mike@example.org', undefined],
  ['mike@evil@example.org', undefined],
  ['mike@example.org,eve@example.org', undefined],
  ['mike@example.org;eve@example.org', undefined],
  ['mike@example.org eve@example.org', undefined],
  ['mike@example.org\r\nBcc: eve@example.org', undefined],
  ['mike\r\n@example.org', undefined],
  ['mike@exam\nple.org', undefined],
  ['mike@exam\tple.org', undefined],
  ['mike@ex%61mple.org', undefined],
  ['mike@example.org%0a', undefined],
  ['mike@example.org/eve', undefined],
  ['mike@example.org\\eve', undefined],
  ['mike@example.org?eve', undefined],
  ['mike@example.org#eve', undefined],
  ['mike@example.org:25', undefined],
  ['mike@eve:x@example.org', undefined],
  ['mike@exam\u00adple.org', undefined],
  ['mike@exam\u200bple.org', undefined],
  ['mike@exam\u200dple.org', undefined],
  ['mike\u202e@example.org', undefined],
  ['mike@xn--a.org', undefined],
  // What no Node may accept: broken punycode, and labels that stand for no valid one.
  ['mike@xn--.org', undefined],
  ['mike@XN--A.org', undefined],
  ['mike@mail.xn--a.org', undefined],
  ['mike@example.xn--a', undefined],
  ['mike@xn--0.pt', undefined],
  ['mike@xn--999999999.org', undefined],
  ['mike@xn--ü.example', undefined],
  ['mike@ｘｎ--a.org', undefined],
  ['mike@xn--a-.org', undefined],
  ['mike@xn--www-.org', undefined],
  ['mike@xn--u-ccb.com', undefined],
  ['mike@xn--xn---epa.org', undefined],
  ['mike@xn--1ug.org', undefined],
  ['mike@xn--a-0hc.org', undefined],
  ['mike@aא.org', undefined],
  ['mike@xn--8hb.org', undefined],
  ['mike@XN--Bcher-KVA.example', 'mike@xn--bcher-kva.example'],
  ['mike@faß.de', 'mike@xn--fa-hia.de'],
  ['mike@xn--e1afmkfd.xn--p1ai', 'mike@xn--e1afmkfd.xn--p1ai'],
  ['mike@пример。xn--p1ai', 'mike@xn--e1afmkfd.xn--p1ai'],
  ['mike@שלום1.org', 'mike@xn--1-9hcuf1d.org'],
  ['mike@ab--c.org', 'mike@ab--c.org'],
  ['mike@exam ple.org', undefined],
  ['mike@', undefined],
  ['@example.org', undefined],
  ['@', undefined],
  ['mike', undefined]
]

story('an e-mail address is stored in its canonical form, and every spelling of it logs in', async (t, build) => {
  const { post, app } = await build(t)
  for (const [address, canonical] of addresses) {
    const answer = await post('/registration', { ...alice, email: address })
    const told = JSON.stringify(address.slice(0, 60))
    if (canonical === undefined) {
      t.match(Object.values(fieldCodes(answer)).flat().join(), /^(invalid_email|max_length)$/, `${told} is refused`)
      t.equal(answer.json().errors[0].field, 'email')
      continue
    }
    const known = addresses
      .slice(0, addresses.findIndex(([one]) => one === address))
      .some(([, one]) => one === canonical)
    if (known) {
      t.same(fieldCodes(answer), { email: ['email_taken'] }, `${told} is the account of ${canonical}`)
    } else {
      t.equal(answer.json().user?.email, canonical, `${told} is stored as ${canonical}: ${answer.body.slice(0, 300)}`)
    }
    t.equal((await post('/login', { email: address, password })).json().user?.email, canonical)
    t.equal((await app.restAuth.users.find({ email: address }))?.email, canonical)
  }
})

t.test('a canonical address is lower-case ASCII of at most 254 characters, and canonical itself', async t => {
  const next = random(20261123)
  const pool = [
    'a', 'B', 'é', 'ß', 'İ', 'ı', 'K', 'ﬁ', 'ё', 'Σ', 'ς', '。', '．', '@', '.', '-', '_', '+', '%61', '%', '/',
    '\\', '\n', '\0', ' ', '\u200d', '\u00ad', 'xn--', '1', '例', '\u0301', '😀', '\ud800'
  ]
  const word = () =>
    Array.from({ length: 1 + next(6) }, () => pool[next(3) === 0 ? next(pool.length) : next(2)]).join('')
  let valid = 0
  for (let i = 0; i < 10_000; i++) {
    const canonical = canonicalEmail(`${word()}@${word()}.${word()}`)
    if (canonical === undefined) continue
    valid++
    if (
      !/^[!-~]{3,254}$/.test(canonical) ||
      canonical !== canonical.toLowerCase() ||
      canonicalEmail(canonical) !== canonical ||
      canonicalEmail(canonical.toUpperCase()) !== canonical
    ) { t.fail(canonical) }
  }
  t.ok(valid > 1000, `${valid} valid ones among them`)
})

story('usernames are normalised to NFKC, unique regardless of case, without invisible characters', async (t, build) => {
  const { post, patch, register } = await build(t, { options: rich })
  const { access: token } = await register()
  const names: Array<[given: string, stored: string | string[]]> = [
    ['Mike', 'Mike'],
    ['mike', ['username_taken']],
    ['ＭＩＫＥ', ['username_taken']],
    ['mi\u212ae', ['username_taken']],
    ['mıke', ['username_taken']],
    ['Straße', 'Straße'],
    ['STRASSE', ['username_taken']],
    ['ΟΔΟΣ', 'ΟΔΟΣ'],
    ['οδος', ['username_taken']],
    ['οδοσ', ['username_taken']],
    ['e\u0301mile', 'émile'],
    ['\u00e9mile', ['username_taken']],
    // Mixed scripts are allowed, as in Django: the account is named by its pk.
    ['pаypal', 'pаypal'],
    ['ﬁne', 'fine'],
    ['a@b.c+d-e_f', 'a@b.c+d-e_f'],
    ['a'.repeat(150), 'a'.repeat(150)],
    ['a'.repeat(151), ['max_length']],
    ['ﷺ'.repeat(150), ['invalid_username', 'max_length']],
    ['⑴admin', ['invalid_username']],
    ['½', ['invalid_username']],
    ['ad\u200bmin', ['invalid_username']],
    ['ad\u200dmin', ['invalid_username']],
    ['ad\u00admin', ['invalid_username']],
    ['\u202enimda', ['invalid_username']],
    ['admin\u3164', ['invalid_username']],
    ['admin\u115f', ['invalid_username']],
    ['admin\uffa0', ['invalid_username']],
    ['admin\u{e0041}', ['invalid_username']],
    ['admin\u0007', ['invalid_username']],
    ['ad min', ['invalid_username']],
    ['<b>', ['invalid_username']],
    ['a\r\nb', ['invalid_username']],
    ["a'--", ['invalid_username']],
    ['😀', ['invalid_username']],
    ['', ['blank']],
    ['   ', ['blank']]
  ]
  for (const [index, [given, stored]] of names.entries()) {
    const answer = await post('/registration', { ...alice, email: `u${index}@example.com`, username: given })
    if (Array.isArray(stored)) {
      t.ok(
        stored.includes(fieldCodes(answer).username?.join() ?? ''),
        `${JSON.stringify(given.slice(0, 20))}: ${answer.body.slice(0, 300)}`
      )
      t.ok(
        stored.includes(fieldCodes(await patch('/user', { username: given }, { token })).username?.join() ?? ''),
        'by PATCH too'
      )
      continue
    }
    t.equal(answer.json().user?.username, stored, `${JSON.stringify(given.slice(0, 20))}: ${answer.body.slice(0, 300)}`)
    t.equal((await post('/login', { username: `${given.toUpperCase()} `, password })).json().user?.username, stored)
  }
})

story('passwords of up to 256 code points are accepted as sent; longer ones are never hashed', async (t, build) => {
  const { post } = await build(t)
  const some = (count: number) => 'Aé😀-'.repeat(100).match(/./gu)?.slice(0, count).join('') ?? ''
  const family = '👨‍👩‍👧‍👦'
  for (const [index, given] of [
    some(256), family.repeat(2), `  ${some(8)}  `, '\u0301\u0302'.repeat(8), 'ﷺx'.repeat(128), '\u202e\u200b'.repeat(8),
    `${some(20)}\r\n\t`
  ].entries()) {
    const email = `u${index}@example.com`
    t.equal(
      (await post('/registration', { ...alice, email, password1: given, password2: given })).statusCode, 201,
      JSON.stringify(given.slice(0, 30))
    )
    t.equal((await post('/login', { email, password: given })).statusCode, 200)
    if (index > 0) {
      t.equal(
        (await post('/login', { email, password: given.normalize('NFD') })).statusCode, 200,
        'however the keyboard composes it'
      )
    }
    t.equal(
      (await post('/login', { email, password: `${given.slice(0, 250)} ` })).statusCode, 400,
      'and nothing that is almost it'
    )
  }
  for (const count of [257, 1000, 4000]) {
    t.same(
      fieldCodes(
        await post('/registration', { ...alice, email: 'long@example.com', password1: some(257).padEnd(count, 'x') })
      ),
      { password1: ['max_length'] }
    )
    t.same(fieldCodes(await post('/login', { email: 'u0@example.com', password: some(257).padEnd(count, 'x') })), {
      password: ['max_length']
    })
  }
})

const injections = [
  "'", '"', "''", "\\'", "'--", "' OR '1'='1", "' OR 1=1--", "admin'--", "admin' #", "') OR ('1'='1",
  "'; DROP TABLE users;--", "'; DROP TABLE users CASCADE; --", "' UNION SELECT * FROM users--",
  "' UNION SELECT null,null,null--", "1' AND sleep(5)--", "'; SELECT pg_sleep(5)--",
  "'||(SELECT password_hash FROM users)||'", '$1', '$2', '?', '??', ':pk', '@p', '%', '_', '%%', '\\', '\\\\', '\\x27',
  "'/*", '*/', '/**/', '`', '[users]', '"users"', '--', '-- \n', '#', ';', '0x27', 'NULL', 'null', 'true', "E'\\\\x'",
  '$$;DROP TABLE users;$$', '{{7*7}}', '$' + '{7*7}', '<%= 7*7 %>', '#{7*7}', '{% include "x" %}',
  '<script>alert(1)</script>', '"><img src=x onerror=x>', '../../etc/passwd', '..\\..\\win.ini', 'file:///etc/passwd',
  '|id', ';id', '`id`', '$(id)', '\r\nX-Injected: 1', '%0d%0aX-Injected:1', '{"$gt":""}', '$where', '*)(uid=*',
  '\u02bc OR 1=1', '\uff07 OR 1=1--', '\u2019--', '1e309', 'NaN', 'Infinity', '-0', '0', 'undefined', '\u001b[31m',
  '{}', '[]', '__proto__', 'constructor'
]

story('SQL and template code in string fields are treated like any other text', async (t, build, { dialect }) => {
  const { post, patch, get, token, user, rows, nothingStored } = await buildWithAlice(t, build, dialect)
  for (const [index, text] of injections.entries()) {
    // A word is a fine domain, which the log shows; as a password, which it is below, the log must not show it.
    const domains = /^\w+$/.test(text) ? [] : [`alice@${text}.com`]
    for (const email of [text, `${text}@example.com`, ...domains]) {
      t.ok(
        ['400 invalid_credentials', '400 validation_error', '400 identifier_required'].includes(
          codeOf(await post('/login', { email, password }))
        ),
        `login ${email}`
      )
    }
    t.ok(
      ['400 invalid_credentials', '400 validation_error'].includes(
        codeOf(await post('/login', { username: text, password }))
      ),
      `login by name ${text}`
    )
    t.equal(
      codeOf(await post('/login', { email: alice.email, password: text })), '400 invalid_credentials',
      `password ${text}`
    )
    t.equal((await post('/logout', { refresh: text })).statusCode, 200, `refresh ${text}`)
    t.same(
      fieldCodes(await post('/password/change', { old_password: text, new_password1: 'An0ther-secret-pw' }, { token })),
      { old_password: ['wrong_password'] }, `old_password ${text}`
    )
    if (index === injections.length - 1) await nothingStored('injection')
  }
  for (const text of injections) {
    const answer = await patch(
      '/user',
      { bio: text, nickname: `${text.slice(0, 20)}.`, tags: [text, { [`k${text}`]: text }], prefs: { theme: text } },
      { token }
    )
    t.match(
      answer.json(), { bio: text.trim(), tags: [text, { [`k${text}`]: text }], prefs: { theme: text } },
      JSON.stringify(text)
    )
    t.strictSame((await get('/user', { token })).json(), answer.json(), 'reads back as it was answered')
    t.notHas(answer.headers, 'x-injected')
  }
  t.equal((await rows()).length, 1)
  t.equal((await rows())[0]?.pk, user.pk)
})

story('no input makes a regular expression slow', async (t, build) => {
  const { post, patch, register } = await build(t, {
    options: {
      ...rich,
      userFields: {
        ...rich.userFields,
        site: { schema: Type.Optional(Type.String({ format: 'uri', maxLength: 16000 })) },
        since: { schema: Type.Optional(Type.String({ format: 'date-time', maxLength: 16000 })) }
      }
    }
  })
  const { access: token } = await register()
  const pathological = [
    `${'a'.repeat(15_000)}!`, `${'a.'.repeat(7_500)}!`, `${'a@'.repeat(7_500)}`, `a@${'a.'.repeat(7_500)}`,
    `a@${'a-'.repeat(7_500)}`, `a@${'-'.repeat(15_000)}`, `a@${'xn--'.repeat(3_700)}.com`, `${'@'.repeat(15_000)}`,
    `${' '.repeat(15_000)}x`, `x${' '.repeat(15_000)}x`, `${'\t'.repeat(7_000)}a@example.com`, `${'é'.repeat(7_000)}!`,
    `${'_'.repeat(15_000)}\n`, `http://${'a:'.repeat(7_000)}`, `http://${'%41'.repeat(4_000)}`,
    `2026-11-23T${'0'.repeat(15_000)}`, `${'ﷺ'.repeat(5_000)}`, `${'\u0301'.repeat(7_000)}`
  ]
  let slowest = 0
  for (const text of pathological) {
    const calls = [
      () =>
        post('/registration', {
          ...alice,
          email: text,
          username: text,
          password1: text,
          gender: text,
          phone_number: text,
          nickname: text,
          site: text
        }),
      () => post('/login', { email: text, password }),
      () => post('/login', { username: text, password }),
      () => patch('/user', { username: text, site: text, since: text, bio: text }, { token })
    ]
    for (const call of calls) {
      const ms = await processorMs(async () => {
        const { statusCode } = await call()
        t.ok([400, 413].includes(statusCode), `${text.slice(0, 12)} → ${statusCode}`)
      })
      slowest = Math.max(slowest, ms)
    }
  }
  // Each takes a millisecond or two; a backtracking pattern would take seconds.
  t.ok(slowest < 1000, `the slowest took ${slowest.toFixed()} ms`)
})

story('only its exact path reaches a route: other case, encoding or slashes do not', async (t, build, { dialect }) => {
  const { call, app, token, nothingStored } = await buildWithAlice(t, build, dialect)
  const nowhere = [
    '/login%00', '/login%20', '/login.json', '/LOGIN', '/Login/', '/login//', '//login', '/./login/x', '/login;x=1',
    '/user;admin', '/user%2f', '/nowhere', '/__proto__', '/constructor', `/${'x'.repeat(2000)}`
  ]
  for (const path of nowhere) {
    for (const method of ['GET', 'POST', 'DELETE'] as const) {
      for (const payload of [undefined, '{', '[]', 'x'.repeat(20_000)]) {
        const answer = await call(method, `/auth${path}`, { token, ...(payload !== undefined && { payload }) })
        t.equal(codeOf(answer), '404 not_found', `${method} ${path.slice(0, 30)} ${payload?.slice(0, 2)}`)
      }
    }
  }
  for (const path of [
    '/login/../user', '/login/%2e%2e/user', '/user?x=/login', '/user#login', '/user?token=x&access_token=x'
  ]) {
    t.equal(codeOf(await call('GET', `/auth${path}`)), '401 not_authenticated', path)
  }
  for (const path of ['/auth/%', '/auth/%zz', '/auth/login%', '/auth/%ff%fe']) {
    const { statusCode } = await app.inject({ method: 'POST', url: path, payload: {} })
    t.ok([400, 404].includes(statusCode), `${path} → ${statusCode}`)
  }
  await nothingStored('paths')
})

story('a wrong method is 405 whatever the body, and no header overrides the method', async (t, build, { dialect }) => {
  const { call, token, nothingStored } = await buildWithAlice(t, build, dialect)
  const other: Array<['GET' | 'PUT' | 'PATCH' | 'DELETE' | 'POST', string, string]> = [
    ['GET', '/login', 'POST, OPTIONS'],
    ['DELETE', '/login', 'POST, OPTIONS'],
    ['PUT', '/registration', 'POST, OPTIONS'],
    ['PATCH', '/password/change', 'POST, OPTIONS'],
    ['DELETE', '/user', 'GET, PUT, PATCH, HEAD, OPTIONS'],
    ['POST', '/user', 'GET, PUT, PATCH, HEAD, OPTIONS'],
    ['DELETE', '/logout', 'POST, OPTIONS']
  ]
  for (const [method, path, allow] of other) {
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
      for (const payload of ['{', '{}', '%', 'x'.repeat(20_000)]) {
        const answer = await call(method, path, { token, payload, headers: { 'content-type': type } })
        t.equal(codeOf(answer), '405 method_not_allowed', `${method} ${path} ${type}`)
        t.equal(answer.headers.allow, allow)
      }
    }
    const answer = await call('OPTIONS', path, { payload: '{' })
    t.equal(answer.statusCode, 204)
    t.equal(answer.headers.allow, allow)
  }
  for (const header of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
    t.equal((await call('GET', '/user?_method=DELETE', { token, headers: { [header]: 'DELETE' } })).statusCode, 200)
    t.equal(
      codeOf(
        await call('POST', '/user', { token, body: { _method: 'PATCH', gender: 'M' }, headers: { [header]: 'PATCH' } })
      ),
      '405 method_not_allowed'
    )
  }
  await nothingStored('methods')
})

t.test('raw HTTP: smuggled, duplicated, endless and broken requests are refused or dropped', async t => {
  const { app, register } = await sqliteBuild(t, {
    server: {
      requestTimeout: 1000,
      connectionTimeout: 2000,
      http: { connectionsCheckingInterval: 200 }
    } as FastifyServerOptions
  })
  const { access } = await register()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const send = async (...chunks: Array<string | Buffer>): Promise<string> => await new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.setTimeout(60_000, () => socket.destroy(new Error('the server neither answered nor hung up')))
    socket.on('data', data => { answer += data.toString('latin1') })
    socket.on('error', error => 'code' in error && error.code === 'ECONNRESET' ? resolve(answer) : reject(error))
    socket.on('close', () => resolve(answer))
    for (const chunk of chunks) socket.write(chunk)
  })
  const post = (headers: string, body = '{}') =>
    'POST /auth/logout HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n' +
    `${headers}\r\n${body}`
  const get = (headers: string) => `GET /auth/user HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`
  const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
  const cases: Array<[what: string, request: string | Buffer, status: number]> = [
    ['content-length and chunked', post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400],
    ['two content-lengths', post('Content-Length: 2\r\nContent-Length: 3\r\n'), 400],
    ['a negative content-length', post('Content-Length: -2\r\n'), 400],
    ['chunked, obfuscated', post('Transfer-Encoding: xchunked\r\n'), 400],
    ['a space before the colon', post('Content-Length : 2\r\n'), 400],
    ['a bare CR in a header', post('X: a\rb\r\nContent-Length: 2\r\n'), 400],
    ['NUL in a header', post('User-Agent: a\0b\r\nContent-Length: 2\r\n'), 400],
    ['headers of 20 KB', get(`X: ${'x'.repeat(20_000)}\r\n`), 431],
    ['an Authorization of 50 KB', get(`Authorization: Bearer ${'x'.repeat(50_000)}\r\n`), 431],
    [
      'a chunked body of 20 KB', post('Transfer-Encoding: chunked\r\n', `5000\r\n${'x'.repeat(0x5000)}\r\n0\r\n\r\n`),
      413
    ],
    ['a chunked body', post('Transfer-Encoding: chunked\r\n', '2\r\n{}\r\n0\r\n\r\n'), 200],
    ['a backslash for a slash', post('Content-Length: 2\r\n').replace('logout', 'logout\\'), 404],
    ['two Authorizations, the first ours', get(`Authorization: Bearer ${access}\r\nAuthorization: Bearer x\r\n`), 200],
    [
      'two Authorizations, the first not ours', get(`Authorization: Bearer x\r\nAuthorization: Bearer ${access}\r\n`),
      401
    ],
    ['bytes beyond ASCII in Authorization', Buffer.from(get('Authorization: Bearer \xe9\xff\r\n'), 'latin1'), 401],
    ['an unknown method', get('').replace('GET', 'FROB'), 400],
    ['no HTTP', '\x16\x03\x01\x02\r\n\r\n', 400]
  ]
  for (const [what, request, status] of cases) t.equal(statusOf(await send(request)), status, what)
  const slow = await send(post('Content-Length: 100\r\n', '{'))
  t.ok(slow === '' || statusOf(slow) === 408, 'a body that never ends is hung up on')
  t.equal(statusOf(await send(get(`Authorization: Bearer ${access}\r\n`))), 200, 'and other requests are served')
})

story('overlong proxy headers and user agents are stored cut', async (t, build) => {
  const { app, post } = await build(t, { server: { trustProxy: true } })
  const answer = await post('/registration', alice, {
    headers: { 'x-forwarded-for': "'; DROP TABLE sessions;--".repeat(300), 'user-agent': 'é'.repeat(8000) }
  })
  const [session] = await app.restAuth.sessions.list(answer.json().user.pk)
  t.equal(session?.ip?.length, 64)
  t.equal(session?.userAgent?.length, 512)
})

story('anything a hook of the app throws is answered: with its own status, or as a 500', async (t, build) => {
  const thrown: Array<[what: unknown, status: number]> = [
    [Object.assign(new Error('taken'), { statusCode: 409, code: 11000 }), 409],
    [Object.assign(new Error('no'), { statusCode: 403, code: 'E_NO' }), 403],
    [new Error('oops'), 500],
    [null, 500],
    [undefined, 500],
    ['text', 500],
    [7, 500]
  ]
  for (const [what, status] of thrown) {
    const { app } = await build(t, { options: { hooks: { registered () { throw what } } } })
    const answer = await app.inject({ method: 'POST', url: '/auth/registration', payload: alice })
    t.equal(answer.statusCode, status, String(what))
    if (status === 500) {
      t.match(answer.json(), { code: 'internal_error', detail: 'The server failed to answer the request.' })
    }
    t.equal(await app.restAuth.users.find({ email: alice.email }), undefined)
  }
})

const edge = Number.MAX_SAFE_INTEGER
/** JSON text for a field, and the code that refuses it; without a code it reads back the same. */
const fieldEdges: Array<[field: keyof typeof everyKind, json: string, code?: string]> = [
  ['level', '0'],
  ['level', '-0'],
  ['level', '1.0'],
  ['level', '1e3'],
  ['level', '2147483648'],
  ['level', `${edge}`],
  ['level', `-${edge}`],
  ['level', '9007199254740992', 'max_value'],
  ['level', '-9007199254740992', 'min_value'],
  ['level', '9223372036854775808', 'max_value'],
  ['level', '1e300', 'max_value'],
  ['level', '-1e300', 'min_value'],
  ['level', '0.5', 'invalid_type'],
  ['level', '"1"', 'invalid_type'],
  ['level', 'null'],
  ['height', '1e308'],
  ['height', '-1.7976931348623157e308'],
  ['height', '5e-324'],
  ['height', '1e-400'],
  ['height', '0.1'],
  ['height', '-0'],
  ['height', '9007199254740993'],
  ['height', '123456789012345680000'],
  ['height', '"1"', 'invalid_type'],
  ['height', 'null'],
  ['vip', 'true'],
  ['vip', 'false'],
  ['vip', 'null'],
  ['vip', '0', 'invalid_type'],
  ['plan', '"free"'],
  ['plan', '"d\'or"'],
  ['plan', 'null'],
  ['plan', '"FREE"', 'invalid_choice'],
  ['plan', '""', 'invalid_choice'],
  ['plan', '"😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀"', 'invalid_choice'],
  ['bio', '""'],
  ['bio', '"👩‍👩‍👧 \\u0001 \\u007f \\u202e \\ufffe \\uffff"'],
  ['bio', JSON.stringify('😀'.repeat(2000))],
  ['bio', JSON.stringify('😀'.repeat(2001)), 'max_length'],
  ['bio', 'null'],
  ['nickname', JSON.stringify('😀'.repeat(30))],
  ['nickname', JSON.stringify('x'.repeat(31)), 'max_length'],
  ['nickname', 'null'],
  ['nickname', '7', 'invalid_type'],
  ['prefs', '{}'],
  ['prefs', '{"zoom":1e308,"theme":"x"}'],
  ['prefs', '{"theme":1}', 'invalid_type'],
  ['prefs', '{"any":{"thing":[1,null,true,"\\u2028"]}}'],
  ['prefs', '{"":"","a.b":1,"$ref":"#","toString":"x","constructor":1}'],
  ['prefs', '[]', 'invalid_type'],
  ['prefs', 'null'],
  ['tags', '[]'],
  ['tags', '[null,true,1.5,"x",{"a":[]}]'],
  ['tags', `${'['.repeat(90)}${']'.repeat(90)}`],
  ['tags', '[1e308,1e-308,-0.5,12345678901234567890]'],
  ['tags', '{}', 'invalid_type'],
  ['tags', 'null']
]

story('user fields of each type accept their full range and refuse values beyond it', async (t, build, { dialect }) => {
  const { call, get, token } = await buildWithAlice(t, build, dialect)
  for (const [field, json, code] of fieldEdges) {
    const told = `${field}: ${json.slice(0, 50)}`
    const answer = await call('PATCH', '/user', { payload: `{"${field}":${json}}`, token })
    if (code) {
      t.same(fieldCodes(answer), { [field]: [code] }, told)
      continue
    }
    const value = JSON.parse(json) as unknown
    const expected = typeof value === 'string' ? value.trim() : Object.is(value, -0) ? 0 : value
    t.strictSame(answer.json()[field], expected, `${told} → ${answer.statusCode}`)
    t.strictSame((await get('/user', { token })).json()[field], expected, `${told}, read`)
  }
  for (const json of [
    '{"height":1e309}', '{"height":-1e309}', '{"level":1e309}', '{"prefs":{"zoom":1e309}}', '{"tags":[1e400]}'
  ]) {
    t.equal(codeOf(await call('PATCH', '/user', { payload: json, token })), '400 malformed_body', json)
  }
  const form = async (body: Record<string, string>) => fieldCodes(await call('PATCH', '/user', { form: body, token }))
  for (const text of ['Infinity', '-Infinity', '1e309', '-1e309']) {
    t.strictSame(await form({ height: text }), { height: ['invalid_type'] }, `${text} in a form`)
    t.match((await form({ level: text })).level?.join(), /^m.._value$/)
  }
  for (const text of ['NaN', '0x', '1,5', '१', '--1', '1e', 'true']) {
    t.strictSame(await form({ height: text, level: text }), { level: ['invalid_type'], height: ['invalid_type'] }, text)
  }
  t.strictSame(
    (await call('PATCH', '/user', { form: { height: '1e3', level: ' 12 ', vip: 'true', bio: ' x ' }, token })).json()
      .height,
    1000
  )
})

story('a unique field works at its greatest length, and is compared exactly', async (t, build) => {
  const { post, patch } = await build(t, {
    options: {
      ...rich,
      userFields: {
        ...rich.userFields,
        code: { schema: Type.Optional(Type.String({ maxLength: 600 })), unique: true },
        rate: { schema: Type.Optional(Type.Number()), unique: true }
      }
    }
  })
  const next = random(7)
  const code = Array.from({ length: 600 }, () => String.fromCodePoint(0x20000 + next(40_000))).join('')
  const registered = await post('/registration', { ...alice, code, level: edge, rate: 0.1, nickname: "O'Neil" })
  t.equal(registered.statusCode, 201)
  const { access: token } = registered.json()
  for (const taken of [{ code }, { level: edge }, { rate: 0.1 }, { nickname: " O'Neil " }]) {
    const [field = ''] = Object.keys(taken)
    t.same(fieldCodes(await post('/registration', { ...alice, email: 'bob@example.com', ...taken })), {
      [field]: ['value_taken']
    })
  }
  t.equal(
    (
      await post('/registration', {
        ...alice,
        email: 'bob@example.com',
        code: code.slice(2),
        level: -edge,
        rate: -0,
        nickname: "o'neil"
      })
    ).statusCode,
    201
  )
  t.same(
    fieldCodes(await patch('/user', { rate: 0 }, { token })), { rate: ['value_taken'] },
    'zero is zero, whatever its sign'
  )
})

story('2,500 random requests get declared answers, no 500, and leave alice\'s login intact', async (t, build) => {
  const { call, post, register, app } = await build(t, { options: rich })
  let { access: token } = await register()
  const next = random(42)
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T
  const fields = [
    'email', 'username', 'password', 'password1', 'password2', 'old_password', 'new_password1', 'new_password2',
    'refresh', 'gender', 'phone_number', ...Object.keys(everyKind), 'pk', 'is_active', '__proto__', 'constructor',
    'toString', 'x'
  ]
  const leaves = [
    null, true, false, 0, -1, 1.5, 1e308, 1e21, edge, '', ' ', 'x', 'a@b.co', 'F', 'free', alice.email,
    'nobody@example.com', 'An0ther-secret-pw', '\0', '\ud800', '😀', "'--", '１２', 'ﷺ', '\u3164', 'x'.repeat(300),
    'é'.repeat(200), '2026-11-23', '-0', 'NaN', '[]', '%00', '\u2028'
  ]
  const value = (depth = 0): unknown => {
    const kind = next(depth > 3 ? 8 : 12)
    if (kind < 9) return pick(leaves)
    if (kind < 11) return Array.from({ length: next(4) }, () => value(depth + 1))
    return Object.fromEntries(
      Array.from({ length: next(4) }, () => [pick([...fields, '', '\0', '\udfff']), value(depth + 1)])
    )
  }
  const types = [
    'application/json', 'application/json', 'application/json', 'application/json; charset=utf-8',
    'application/x-www-form-urlencoded', 'application/x-www-form-urlencoded', 'text/plain',
    'multipart/form-data; boundary=x', ''
  ]
  const seen = new Map<number, number>()
  for (let i = 0; i < 2500; i++) {
    const [method, path] = pick(bodyRoutes)
    const body = Object.fromEntries(Array.from({ length: next(7) }, () => [pick(fields), value()]))
    const text = JSON.stringify(
      next(3) === 0
        ? { ...alice, email: `u${i}@example.com`, password, old_password: password, ...body }
        : next(20) === 0
          ? value()
          : body
    )
    const type = pick(types)
    let payload: string | Buffer = type.includes('form-u')
      ? new URLSearchParams(
        Object.entries(body).map(([name, given]): [string, string] => [name, String(JSON.stringify(given))])
      ).toString()
      : text
    if (next(4) === 0) {
      const bytes = Buffer.from(payload)
      for (let flips = 1 + next(3); flips > 0 && bytes.length > 0; flips--) bytes[next(bytes.length)] = next(256)
      payload = next(5) === 0 ? bytes.subarray(0, next(bytes.length + 1)) : bytes
    }
    const answer = await call(method, `${path}${pick(['', '', '/', '?x=%00'])}`, {
      payload,
      headers: { 'content-type': type },
      ...(next(4) > 0 && { token }),
      ...(next(20) === 0 && { token: pick(['x', '..', token.slice(1), 'a.b.c']) })
    })
    seen.set(answer.statusCode, (seen.get(answer.statusCode) ?? 0) + 1)
    if (path === '/logout' || path === '/password/change') token = await again()
  }
  for (const status of [200, 201, 400, 401, 415]) {
    t.ok((seen.get(status) ?? 0) > 5, `${status}: ${seen.get(status)} times`)
  }
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)

  /** Alice's token; of a new session, or a new alice with the first password, if need be. */
  async function again (): Promise<string> {
    const me = await call('GET', '/user', { token })
    if (me.statusCode === 200) return token
    const answer = await post('/login', { email: alice.email, password })
    if (answer.statusCode === 200) return answer.json().access
    const { user } = (await post('/login', { email: alice.email, password: 'An0ther-secret-pw' })).json()
    await app.restAuth.users.delete(user.pk)
    return (await register()).access
  }
})

/** A seeded generator (mulberry32): a failure can be run again. */
function random (seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
