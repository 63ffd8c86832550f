import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createClient } from '@hey-api/openapi-ts'
import openapiTypescript, { astToString } from 'openapi-typescript'
import { buildApp } from '../examples/article/app.js'
import { openapiFile } from '../scripts/openapi.js'
import { password, secret, t } from './helper.js'

// What an app of a consumer's would hold. Every line is compiled: a `switch` that forgets a code, or names one
// that the document does not have, fails the test.
const withOpenapiFetch = `
import createClient from 'openapi-fetch'
import type { components, operations, paths } from './api.js'

type Gender = components['schemas']['AuthUser']['gender']

export async function use (baseUrl: string, password: string) {
  const client = createClient<paths>({ baseUrl })
  const body = { email: 'alice@example.com', password1: password, gender: 'F', phone_number: '+15550100' } as const
  const registered = await client.POST('/auth/registration', { body })
  if (registered.error) throw new Error(registered.error.detail)

  const { data, error } = await client.POST('/auth/login', { body: { email: body.email, password } })
  if (error) throw new Error(error.detail)
  const headers = { authorization: \`Bearer \${data.access}\` }
  const changed = await client.PATCH('/auth/user', { headers, body: { gender: 'NS' } })
  const gender: Gender | undefined = changed.data?.gender
  const loggedOut = await client.POST('/auth/logout', { headers, body: {} })

  const again = await client.POST('/auth/registration', { body: { ...body, password1: '12345678' } })
  const anonymous = await client.GET('/auth/user', { headers })
  return {
    gender,
    detail: loggedOut.data?.detail,
    again: again.error && explainRegistration(again.error),
    anonymous: anonymous.error?.code satisfies components['schemas']['AuthProblem']['code'] | undefined
  }
}

type RegistrationError = NonNullable<Awaited<ReturnType<typeof register>>['error']>
const register = () => createClient<paths>().POST('/auth/registration', { body: { email: '', password1: '', gender: 'M', phone_number: '' } })

function explainRegistration (error: RegistrationError): string[] {
  switch (error.code) {
    case 'validation_error': return (error.errors ?? []).map(({ field, code }) => \`\${field}: \${explainField(code)}\`)
    case 'rejected': case 'registration_closed': return [error.detail]
    case 'not_an_object': case 'malformed_body': case 'bad_request': case 'body_too_large': case 'unsupported_media_type': return ['a bug of this client']
    case 'internal_error': case 'server_busy': case 'service_unavailable': return ['try again']
    default: return error satisfies never
  }
}

type InvalidRegistration = operations['register']['responses'][400]['content']['application/problem+json']
type FieldCode = NonNullable<InvalidRegistration['errors']>[number]['code']
function explainField (code: FieldCode): string {
  switch (code) {
    case 'required': case 'null': case 'blank': return 'missing'
    case 'invalid_type': case 'invalid_choice': case 'invalid_email': case 'max_length': case 'null_characters_not_allowed':
    case 'surrogate_characters_not_allowed': case 'value_not_allowed': return 'wrong'
    case 'email_taken': return 'taken'
    case 'password_mismatch': return 'different'
    case 'password_too_short': case 'password_too_common': case 'password_entirely_numeric': case 'password_too_similar': case 'password_not_allowed': return 'weak'
    default: return code satisfies never
  }
}

export async function refused () {
  const client = createClient<paths>()
  // @ts-expect-error no such choice
  await client.PATCH('/auth/user', { body: { gender: 'X' } })
  // @ts-expect-error required
  await client.POST('/auth/registration', { body: { email: '', password1: '', gender: 'M' } })
  const { error } = await client.POST('/auth/login', { body: { password: '' } })
  // @ts-expect-error no such code
  if (error?.code === 'no_such_code') return
  // @ts-expect-error a login can't end so
  return error?.code === 'registration_closed'
}
`

const withHeyApi = `
import { client } from './hey-api/client.gen.js'
import { getUser, login, logout, register, updateUser, type AuthUser, type LoginError } from './hey-api/index.js'

export async function use (baseUrl: string, password: string) {
  client.setConfig({ baseUrl })
  const body = { email: 'bob@example.com', password1: password, gender: 'M', phone_number: '+15550101' } as const
  await register({ body, throwOnError: true })

  const { data } = await login({ body: { email: body.email, password }, throwOnError: true })
  client.setConfig({ auth: data.access })
  const changed = await updateUser({ body: { gender: 'NS' } })
  const gender: AuthUser['gender'] | undefined = changed.data?.gender
  const loggedOut = await logout({ body: {} })
  const anonymous = await getUser()
  const { error } = await login({ body: { email: body.email, password: 'wrong' } })
  return { gender, detail: loggedOut.data?.detail, again: error && explain(error), anonymous: anonymous.error?.code }
}

function explain (error: LoginError): string[] {
  switch (error.code) {
    case 'validation_error': return (error.errors ?? []).map(({ field }) => field)
    case 'invalid_credentials': case 'identifier_required': case 'rejected': return [error.detail]
    case 'not_an_object': case 'malformed_body': case 'bad_request': case 'body_too_large': case 'unsupported_media_type': return ['a bug of this client']
    case 'internal_error': case 'server_busy': case 'service_unavailable': return ['try again']
    default: return error satisfies never
  }
}

export async function refused () {
  // @ts-expect-error no such choice
  await updateUser({ body: { gender: 'X' } })
  // @ts-expect-error the owner may not write it
  await updateUser({ body: { phone_number: '+15550100' } })
  // @ts-expect-error required
  await register({ body: { email: '', password1: '', gender: 'M' } })
}
`

const tsconfig = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    lib: ['es2023', 'DOM', 'DOM.Iterable'],
    types: [],
    strict: true,
    noUncheckedIndexedAccess: true,
    noImplicitReturns: true,
    skipLibCheck: true,
    noEmitOnError: true,
    outDir: 'built'
  },
  include: ['*.ts', 'hey-api']
}

const root = resolve(import.meta.dirname, '..')
const folder = t.testdir({ 'package.json': '{ "type": "module" }', 'tsconfig.json': JSON.stringify(tsconfig), 'openapi-fetch.ts': withOpenapiFetch, 'hey-api.ts': withHeyApi })

interface Client {
  use: (baseUrl: string, password: string) => Promise<Record<string, unknown>>
}
const built = async (name: string): Promise<Client> => await import(join(folder, 'built', name))

void t.test('clients generated from openapi.yaml compile strictly, with every code of an error in reach', async t => {
  await writeFile(join(folder, 'api.ts'), astToString(await openapiTypescript(readFileSync(openapiFile, 'utf8'))))
  await createClient({ input: fileURLToPath(openapiFile), output: { path: join(folder, 'hey-api'), importFileExtension: '.js' }, logs: { level: 'silent' } })
  const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', folder]).catch((error: { stdout: string }) => error)
  t.equal(stdout, '')
})

void t.test('with the generated clients one registers, logs in, changes a field, and tells an error by its code', async t => {
  const app = await buildApp({ database: ':memory:', secret, docs: false })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const baseUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const expected = { gender: 'NS', detail: 'Successfully logged out.', anonymous: 'token_not_valid' }
  t.same(await (await built('openapi-fetch.js')).use(baseUrl, password), { ...expected, again: ['email: taken', 'password1: weak', 'password1: weak'] })
  t.same(await (await built('hey-api.js')).use(baseUrl, password), { ...expected, again: ['Unable to log in with provided credentials.'] })
})
