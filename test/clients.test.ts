/** Clients that are generated from openapi.yaml: they compile strictly, and work against the example's app. */
import { execFile } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { createClient } from '@hey-api/openapi-ts'
import { Type } from '@sinclair/typebox'
import openapiTypescript, { astToString, type OpenAPI3 } from 'openapi-typescript'
import { parse } from 'yaml'
import { buildApp } from '../examples/article/app.js'
import { openapiFile } from '../scripts/openapi.js'
import { google } from '../src/providers/google.js'
import { createTestKit } from '../src/testing/index.js'
import { startBadProvider } from './support/hostile-provider.js'
import { password, patient, secret, sqliteBuild, t } from './support/build.js'

const root = resolve(import.meta.dirname, '..')
// A copy of the fixtures; the clients are generated beside it. Every line of it is compiled: a `switch` that omits an
// error code, or has one that the document lacks, fails the test.
const folder = t.testdir({ 'package.json': '{ "type": "module" }' })
cpSync(join(root, 'test/fixtures/clients'), folder, { recursive: true })

interface Client {
  use: (baseUrl: string, password: string, lastLink: () => Promise<string[]>) => Promise<Record<string, unknown>>
}
const built = async (name: string): Promise<Client> => await import(join(folder, 'built', name))

/** An app whose keys are numbers. */
const withIntegerKeys = async () => await buildApp({
  database: ':memory:', secret, docs: false, account: { emailVerification: 'none', pk: 'integer' }
}, patient)

/** Generates both clients from a document: `<name>api.ts`, and the folder `<name>hey-api`. */
async function generate (folder: string, document: Record<string, unknown>, name = ''): Promise<void> {
  // `app.restAuth.openapi()` has no type of its own: it is JSON.
  const types = await openapiTypescript(document as unknown as OpenAPI3)
  await writeFile(join(folder, `${name}api.ts`), astToString(types))
  await createClient({
    input: document,
    output: { path: join(folder, `${name}hey-api`), importFileExtension: '.js' },
    logs: { level: 'silent' }
  })
}

/** What the compiler says of the folder; nothing if all is well. */
async function compile (folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', folder]).catch(
    (error: { stdout: string }) => error
  )
  return stdout
}

t.test('clients generated from openapi.yaml compile in strict mode, with a type for every error code', async t => {
  await generate(folder, parse(readFileSync(openapiFile, 'utf8')))
  const app = await withIntegerKeys()
  await app.ready()
  await generate(folder, app.restAuth.openapi(), 'integer-keys-')
  await app.close()
  t.equal(await compile(folder), '')
})

t.test('clients know fields that registration alone asks for, and computed ones as read-only', async t => {
  const folder = t.testdir({ 'package.json': '{ "type": "module" }' })
  for (const file of ['tsconfig.json', 'columnless/use.ts']) {
    cpSync(join(root, 'test/fixtures/clients', file), join(folder, basename(file)))
  }
  const { app } = await sqliteBuild(t, {
    options: {
      userFields: {
        motto: { schema: Type.Optional(Type.String()) },
        invitation: { schema: Type.String(), stored: false },
        terms: { schema: Type.Literal(true), stored: false },
        source: { schema: Type.Optional(Type.String()), stored: false },
        level: { schema: Type.Union([Type.Literal('new'), Type.Literal('regular')]), compute: () => 'new' },
        age: { schema: Type.Optional(Type.Integer()), compute: () => undefined }
      }
    }
  })
  await generate(folder, app.restAuth.openapi())
  t.equal(await compile(folder), '')
})

t.test('the generated clients cover registration, verification, reset, login, social login and errors', async t => {
  const kit = createTestKit()
  const provider = await startBadProvider(t, {
    people: {
      carol: { email: 'carol@gmail.com', email_verified: true },
      dave: { email: 'dave@gmail.com', email_verified: true }
    }
  })
  provider.clock = kit.clock
  const { issuer, endpoints, clientId, clientSecret } = provider
  const social = { google: { clientId, clientSecret, provider: { ...google, issuer, endpoints } } }
  const app = await buildApp({ ...kit.options, secret, social }, patient)
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const baseUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const lastLink = async () => Object.values((await kit.mails()).at(-1)?.codes ?? {})
  const expected = {
    details: [
      'Verification e-mail sent.', 'ok', 'ok', 'Password reset e-mail has been sent.',
      'Password has been reset with the new password.', 'Successfully logged out.'
    ],
    gender: 'NS',
    missing: ['gender', 'phone_number'],
    anonymous: 'token_not_valid'
  }
  t.same(await (await built('openapi-fetch.js')).use(baseUrl, password, lastLink), {
    ...expected,
    early: 'email_not_verified',
    twice: 'used',
    weak: ['new_password1: weak', 'new_password1: weak', 'token: used'],
    accounts: ['google carol'],
    badCode: 'start again',
    again: ['password1: weak', 'password1: weak']
  })
  t.same(await (await built('hey-api.js')).use(baseUrl, password, lastLink), {
    ...expected,
    early: ['E-mail is not verified.'],
    twice: 'verification_key_invalid',
    weak: 'validation_error',
    accounts: ['google dave'],
    badCode: 'code_exchange_failed',
    again: ['Unable to log in with provided credentials.']
  })
})

t.test('a generated client of an app with integer keys has them as numbers', async t => {
  const app = await withIntegerKeys()
  t.teardown(() => app.close())
  const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 })
  const { keysOf } = await import(join(folder, 'built', 'integer-keys.js'))
  t.same(await keysOf(baseUrl, password), [1, 1])
})
