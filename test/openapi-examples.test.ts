/** The examples of the OpenAPI document are true: valid, free of contradictions, and what the app really returns. */
import addFormatsModule from 'ajv-formats'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Type } from '@sinclair/typebox'
import { google } from '../src/providers/google.js'
import { generateSigningKey } from '../src/lib/signing-keys.js'
import { keyIn, uidAndTokenIn } from './support/answers.js'
import { startBadProvider } from './support/hostile-provider.js'
import { sqliteBuild, t, type BuiltApp, type CallOptions, type Test } from './support/build.js'

type Json = Record<string, any>
// CommonJS under NodeNext: the function is the module, and its `default`.
const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default

const userFields = {
  nickname: { schema: Type.String({ minLength: 2, pattern: '^[a-z]+$', examples: ['al'] }) },
  age: { schema: Type.Optional(Type.Integer({ minimum: 16 })) },
  height: { schema: Type.Optional(Type.Number({ examples: [1.7] })) },
  newsletter: { schema: Type.Boolean(), registration: 'optional' },
  tags: { schema: Type.Array(Type.String({ maxLength: 20 })), registration: 'optional' },
  address: { schema: Type.Object({ street: Type.String(), floor: Type.Integer() }), registration: 'optional' },
  level: { schema: Type.Union([Type.Literal('new'), Type.Literal('regular')]), compute: () => 'new' }
}
const social = { google: { clientId: 'x', clientSecret: 'y' } }
const shapes: Record<string, object> = {
  'the article': {},
  'an app with many fields': { social, userFields, account: { username: 'optional' }, tokens: { cookies: {} } },
  'an app with mandatory verification': { account: { emailVerification: 'mandatory' } },
  "Django's format": { social, userFields, errors: 'drf', account: { username: 'required' } },
  'an app with keys': { tokens: { format: 'opaque' }, account: { pk: 'integer' } },
  'apps beside pages': { tokens: { cookies: { apps: 'body' } } },
  'an app that logs in by username': {
    account: { username: 'required', loginMethods: ['username'], email: 'optional' }
  }
}

/** The document, its operations, and a validator for each schema at a path. */
function read ({ app }: BuiltApp) {
  const document: Json = app.restAuth.openapi()
  const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }))
  ajv.addFormat('password', true).addFormat('int64', true).addSchema(document, 'document')
  const operations = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]) => ({ ...operation, path, method } as Json)))
  const errorsOf = (schema: Json, value: unknown) => {
    const validate = ajv.compile(schema.$ref ? { $ref: `document${schema.$ref}` } : inDocument(schema))
    return validate(value) ? undefined : ajv.errorsText(validate.errors)
  }
  const inDocument = (schema: Json): Json =>
    JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"document#/components'))
  const component = ({ $ref = '' }: Json): Json => document.components.schemas[$ref.split('/').at(-1)] ?? {}
  const byId = (id: string): Json => operations.find(({ operationId }) => operationId === id) ?? {}
  return { operations, errorsOf, component, byId }
}

const isGood = ([status]: [string, unknown]) => status.startsWith('2')
const jsonOf = ({ responses = {} }: Json): Json =>
  Object.entries<Json>(responses).find(isGood)?.[1].content?.['application/json'] ?? {}
const examplesOf = ({ example, examples = {} }: Json): unknown[] =>
  example === undefined ? Object.values<Json>(examples).map(({ value }) => value) : [example]

for (const [name, options] of Object.entries(shapes)) {
  t.test(`in ${name}, every JSON response and every body has an example, and all are valid`, async t => {
    const { operations, errorsOf, component } = read(await sqliteBuild(t, { options }))
    for (const { operationId, requestBody, responses } of operations) {
      for (const [status, { content = {} }] of Object.entries<Json>(responses)) {
        for (const [type, media] of Object.entries<Json>(content)) {
          const examples = examplesOf(media)
          // Failures in Django's format have none.
          if (type === 'application/problem+json' || status.startsWith('2')) {
            t.equal(examples.length > 0, type !== 'text/html', `${operationId} ${status}`)
          }
          for (const value of examples) t.equal(errorsOf(media.schema, value), undefined, `${operationId} ${status}`)
          for (const value of examples) checkSense(t, value)
        }
      }
      if (!requestBody) continue
      const { schema } = requestBody.content['application/json']
      const { examples = [] } = component(schema)
      t.ok(examples.length > 0, `${operationId} has an example of its body`)
      for (const value of examples) t.equal(errorsOf(schema, value), undefined, `body of ${operationId}`)
    }
  })
}

/** What a schema cannot say: a field is not both there and missing, and things end after they began. */
function checkSense (t: Test, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  const { missing_fields: missing = [], ...rest } = value as Json
  for (const field of missing) t.notOk(rest[field], `${field} is there, and missing`)
  for (const [earlier, later] of [
    ['access_expiration', 'refresh_expiration'], ['created_at', 'expires_at'], ['last_seen_at', 'expires_at']
  ] as const) {
    if (rest[earlier] && rest[later]) t.ok(rest[earlier] < rest[later], `${earlier} is before ${later}`)
  }
  for (const inner of Object.values(value)) checkSense(t, inner)
}

/** An answer and its example: the same keys and types, and the same sentence. */
function sameShape (t: Test, example: any, answer: any, where: string): void {
  if (typeof example !== 'object' || example === null) {
    if (answer !== null && example !== null) t.equal(typeof answer, typeof example, where)
    if (where.endsWith('.detail')) t.equal(answer, example, where)
    return
  }
  if (Array.isArray(example)) return sameShape(t, example[0], answer[0], where)
  t.same(Object.keys(answer), Object.keys(example), where)
  for (const [key, value] of Object.entries(example)) sameShape(t, value, answer[key], `${where}.${key}`)
}

t.test('an app returns what the examples show, to requests that have the examples as bodies', async t => {
  const provider = await startBadProvider(t, { people: { carol: { email: 'carol@gmail.com', email_verified: true } } })
  const { issuer, endpoints, clientId, clientSecret } = provider
  const built = await sqliteBuild(t, {
    options: {
      userFields,
      account: { username: 'optional', emailVerification: 'optional' },
      tokens: { algorithm: 'EdDSA', keys: [generateSigningKey('EdDSA', 'jwk')] },
      social: { google: { clientId, clientSecret, provider: { ...google, issuer, endpoints } } }
    }
  })
  provider.clock = built.clock
  const { byId, component } = read(built)
  const { post, get, mails } = built
  const bodyOf = (id: string): Json =>
    component(byId(id).requestBody.content['application/json'].schema).examples[0]

  async function play (id: string, { body = {}, parameter = '', ...rest }: CallOptions & { parameter?: string } = {}) {
    const { path, method, requestBody } = byId(id)
    const given = requestBody && { body: { ...bodyOf(id), ...(body as object) } }
    const url = path.replace(/\{\w+\}/, parameter)
    const answer = await built.call(method.toUpperCase(), url, { ...given, ...rest })
    t.equal(answer.statusCode < 300, true, `${id}: ${answer.body}`)
    if (answer.body !== '') sameShape(t, examplesOf(jsonOf(byId(id)))[0], answer.json(), id)
    return answer.body === '' ? {} : answer.json()
  }

  const registered = await play('register')
  const [example] = examplesOf(jsonOf(byId('getUser')))
  t.same(registered.user, Object.assign({}, example, { pk: registered.user.pk }), 'the example is whom it registers')
  const key = keyIn((await mails()).at(-1))
  await play('resendEmail')
  await play('verifyEmail', { body: { key } })
  let { access: token, refresh } = await play('login')
  await play('getUser', { token })
  await play('updateUser', { token })
  await play('replaceUser', { token })
  await play('listSessions', { token })
  await play('verifyToken', { body: { token } })
  ;({ access: token, refresh } = await play('refreshToken', { body: { refresh } }))
  await play('reauthenticate', { token })
  await play('getJwks')
  await play('requestPasswordReset')
  await play('confirmPasswordReset', { body: uidAndTokenIn((await mails()).at(-1)) })
  const { new_password1: newest } = bodyOf('confirmPasswordReset')
  const logIn = async () => (await play('login', { body: { password: newest } })).access
  await post('/google/connect', { code: 'code-carol' }, { token: await logIn() })
  token = await logIn()
  const [{ id }] = await play('listSocialAccounts', { token })
  await play('disconnectSocialAccount', { token, parameter: id })
  await play('endSession', { token, parameter: (await get('/sessions', { token })).json().at(-1).id })
  await play('logoutAll', { token })
})

for (const name of ['the article', 'an app with many fields', 'an app that logs in by username']) {
  t.test(`in ${name}, the examples of errors are what the app returns`, async t => {
    const { tokens: _tokens, ...options } = shapes[name] as Json
    const built = await sqliteBuild(t, { options })
    const { operations, component } = read(built)
    const bodyOf = ({ requestBody: { content } }: Json): Json =>
      component(content['application/json'].schema).examples[0]
    const exampleOf = ({ responses }: Json, status: number, code: string): Json =>
      responses[status]?.content['application/problem+json']?.examples[code]?.value
    const register = operations.find(({ operationId }) => operationId === 'register') as Json
    const registered = await built.post('/registration', bodyOf(register))
    const { access: token } = registered.json()

    for (const operation of operations.filter(({ requestBody }) => requestBody)) {
      const call = async (options: CallOptions) =>
        await built.call(operation.method.toUpperCase(), operation.path, { token, ...options })
      const { errors: [wrong] = [], ...invalid } = exampleOf(operation, 400, 'validation_error')
      const { [wrong.field]: _value, ...rest } = bodyOf(operation)
      const body = wrong.code === 'required' ? rest : { ...rest, [wrong.field]: {} }
      const answer = (await call({ body })).json()
      t.match(answer, invalid, `${operation.operationId} ${JSON.stringify(body)}`)
      t.same(answer.errors.filter(({ field }: Json) => field === wrong.field), [wrong], operation.operationId)
      for (const [code, payload] of [['not_an_object', '[]'], ['malformed_body', '{"a":']] as const) {
        t.same((await call({ payload })).json(), exampleOf(operation, 400, code), operation.operationId)
      }
      const text = { payload: 'x', headers: { 'content-type': 'text/plain' } }
      t.same((await call(text)).json(), exampleOf(operation, 415, 'unsupported_media_type'), operation.operationId)
    }

    const ofLogin = (await built.post('/login', { password: 'x' })).json()
    const login = operations.find(({ operationId }) => operationId === 'login') as Json
    t.same(ofLogin, exampleOf(login, 400, 'identifier_required'))
    const wrongPassword = await built.post('/login', { ...bodyOf(login), password: 'x' })
    t.same(wrongPassword.json(), exampleOf(login, 400, 'invalid_credentials'))
    for (const [code, headers] of Object.entries({
      not_authenticated: {},
      bad_authorization_header: { authorization: 'Bearer a b' },
      token_not_valid: { authorization: 'Bearer x' }
    })) {
      const answer = await built.get('/user', { headers })
      const getUser = operations.find(({ operationId }) => operationId === 'getUser') as Json
      t.same(answer.json(), exampleOf(getUser, 401, code))
    }
  })
}
