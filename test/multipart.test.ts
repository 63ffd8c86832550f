/** `multipart/form-data` is read as a form: fields only, within the limits of every body. */
import multipart from '@fastify/multipart'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { createPlugin } from '../src/plugin.js'
import { alice, cheapHash, password, patient, secret, sqliteBuild, story, t } from './support/build.js'
import { codeOf } from './support/answers.js'

type Part = [disposition: string, value: string, header?: string]

const type = 'multipart/form-data; boundary=xYzZY'
const bodyOf = (parts: Part[]) => [
  ...parts.map(([disposition, value, header = '']) =>
    `--xYzZY\r\nContent-Disposition: form-data; ${disposition}\r\n${header}\r\n${value}\r\n`),
  '--xYzZY--\r\n'
].join('')
const fieldsOf = (fields: Record<string, string>): Part[] =>
  Object.entries(fields).map(([name, value]) => [`name="${name}"`, value])
const headers = { 'content-type': type }
const credentials = { email: alice.email, password }

story('a client that posts FormData registers, logs in, and edits its user', async (t, build) => {
  const { app } = await build(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const send = async (method: string, path: string, fields: Record<string, string>, token?: string) => {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const answer = await fetch(`${url}/auth${path}`, { method, body: form, headers: authorization })
    return { status: answer.status, body: await answer.json() as Record<string, any> }
  }
  const registered = await send('POST', '/registration/', { ...alice, password2: password })
  t.match(registered, { status: 201, body: { user: { email: alice.email } } })
  const { status, body } = await send('POST', '/login/', credentials)
  t.equal(status, 200)
  t.match(await send('PATCH', '/user/', { gender: 'NS' }, body.access), { status: 200, body: { gender: 'NS' } })
  t.match(await send('POST', '/login/', { ...credentials, password: 'wrong' }), {
    status: 400,
    body: { code: 'invalid_credentials' }
  })
})

t.test('lists, boxes, umlauts and line breaks are read as in any other form', async t => {
  const userFields = {
    newsletter: { schema: Type.Boolean() },
    tags: { schema: Type.Optional(Type.Array(Type.String({ maxLength: 9 }))) },
    about: { schema: Type.String() }
  }
  const { call } = await sqliteBuild(t, { options: { userFields } })
  const register = async (email: string, more: Part[]) => {
    const payload = bodyOf([...fieldsOf({ email, password1: password }), ...more])
    return (await call('POST', '/registration', { payload, headers })).json().user
  }
  t.match(await register('a@example.com', [
    ['name="newsletter"', 'on'], ['name="tags"', 'x'], ['name="tags"', 'y'], ['name="about"', 'Zoë\r\n--xYzZ-- 🦊']
  ]), { newsletter: true, tags: ['x', 'y'], about: 'Zoë\r\n--xYzZ-- 🦊' })
  t.match(await register('b@example.com', [['name="about"', 'b', 'Content-Type: text/plain; charset=utf-8\r\n']]), {
    newsletter: false,
    tags: null,
    about: 'b'
  })
})

story('files and whatever else is no plain form are refused, and nothing is stored', async (t, build) => {
  const { call, app } = await build(t)
  const form = fieldsOf({ ...alice })
  const refused: Record<string, string> = {
    'a file': bodyOf([...form, ['name="avatar"; filename="a.png"', 'x', 'Content-Type: image/png\r\n']]),
    'a field as a file': bodyOf([...form.slice(1), ['name="email"; filename="a"', alice.email]]),
    'an empty file': bodyOf([...form, ['name="a"; filename=""', '', 'Content-Type: application/octet-stream\r\n']]),
    'bytes without a name': bodyOf([...form, ['name="a"', 'x', 'Content-Type: application/octet-stream\r\n']]),
    'an encoded field': bodyOf([...form, ['name="a"', 'eA==', 'Content-Transfer-Encoding: base64\r\n']]),
    'too many fields': bodyOf([...form, ...Array.from({ length: 100 }, (): Part => ['name="a"', 'x'])]),
    'no end': bodyOf(form).replace(/--\r\n$/, ''),
    'no parts': 'x=y',
    'another boundary': bodyOf(form).replaceAll('xYzZY', 'abcde')
  }
  for (const [what, payload] of Object.entries(refused)) {
    for (const path of ['/registration', '/login', '/password/reset']) {
      t.equal(codeOf(await call('POST', path, { payload, headers })), '400 malformed_body', `${what} ${path}`)
    }
  }
  for (const bad of ['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; charset=utf-8']) {
    const answer = await call('POST', '/registration', { payload: bodyOf(form), headers: { 'content-type': bad } })
    t.equal(codeOf(answer), '400 malformed_body', bad)
  }
  const invalid = Buffer.concat([Buffer.from(bodyOf(form)), Buffer.from([0xff])])
  t.equal(codeOf(await call('POST', '/registration', { payload: invalid, headers })), '400 malformed_body')
  const large = bodyOf([...form, ['name="a"', 'x'.repeat(16384)]])
  t.equal(codeOf(await call('POST', '/registration', { payload: large, headers })), '413 body_too_large')
  t.equal(await app.restAuth.users.find({ email: alice.email }), undefined)
})

for (const [what, hosts] of [
  ['with its defaults', {}],
  ['that attaches fields to bodies', { attachFieldsToBody: true }],
  ['that attaches values to bodies', { attachFieldsToBody: 'keyValues' }]
] as const) {
  t.test(`a host's own @fastify/multipart ${what} keeps working beside the plugin`, async t => {
    const app = Fastify(patient)
    const options: object = { secret, database: ':memory:', userFields: {} }
    t.teardown(() => app.close())
    await app.register(multipart, hosts)
    await app.register(fp(createPlugin({ hashCost: cheapHash })), options)
    app.post('/upload', async request => {
      if (what !== 'with its defaults') return Object.keys(request.body as object)
      const file = await request.file()
      return [file?.filename, (await file?.toBuffer())?.toString()]
    })
    const upload = bodyOf([['name="avatar"; filename="a.png"', 'bytes', 'Content-Type: image/png\r\n']])
    const uploaded = await app.inject({ method: 'POST', url: '/upload', payload: upload, headers })
    t.same(uploaded.json(), what === 'with its defaults' ? ['a.png', 'bytes'] : ['avatar'])
    const payload = bodyOf(fieldsOf({ email: alice.email, password1: password }))
    const registered = await app.inject({ method: 'POST', url: '/auth/registration', payload, headers })
    t.equal(registered.statusCode, 201)
    const refused = await app.inject({ method: 'POST', url: '/auth/registration', payload: upload, headers })
    t.equal(refused.json().code, 'malformed_body')
  })
}
