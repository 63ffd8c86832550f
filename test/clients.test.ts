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
import { google } from '../src/providers/google.js'
import { startBadProvider } from './support/hostile-provider.js'
import { password, secret, t } from './support/build.js'

// What an app of a consumer's would hold. Every line is compiled: a `switch` that forgets a code, or names one
// that the document does not have, fails the test.
const withOpenapiFetch = `
import createClient from 'openapi-fetch'
import type { components, operations, paths } from './api.js'

type Gender = components['schemas']['AuthUser']['gender']

/** \`lastLink\` gives the end of the link in the latest mail: the key, or uid and token. */
export async function use (baseUrl: string, password: string, lastLink: () => Promise<string[]>) {
const client = createClient<paths>({ baseUrl })
const body = { email: 'alice@example.com', password1: 'Forgotten-pw-1', gender: 'F', phone_number: '+15550100' } as const
const registered = await client.POST('/auth/registration', { body })
if (registered.error) throw new Error(registered.error.detail)
const early = await client.POST('/auth/login', { body: { email: body.email, password: body.password1 } })
const resent = await client.POST('/auth/registration/resend-email', { body: { email: body.email } })
const [key = ''] = await lastLink()
const verified = await client.POST('/auth/registration/verify-email', { body: { key } })
const twice = await client.POST('/auth/registration/verify-email', { body: { key } })

const asked = await client.POST('/auth/password/reset', { body: { email: body.email } })
const [uid = '', token = ''] = await lastLink()
const weak = await client.POST('/auth/password/reset/confirm', { body: { uid, token: 'x', new_password1: '12345678' } })
const reset = await client.POST('/auth/password/reset/confirm', { body: { uid, token, new_password1: password } })

const { data, error } = await client.POST('/auth/login', { body: { email: body.email, password } })
if (error) throw new Error(error.detail)
const headers = { authorization: \`Bearer \${data.access}\` }
const changed = await client.PATCH('/auth/user', { headers, body: { gender: 'NS' } })
const gender: Gender | undefined = changed.data?.gender
const loggedOut = await client.POST('/auth/logout', { headers, body: {} })

const social = await client.POST('/auth/google', { body: { code: 'code-carol', code_verifier: 'v'.repeat(43) } })
const missing: Array<'gender' | 'phone_number'> | undefined = social.data?.user.missing_fields
const accounts = await client.GET('/auth/socialaccounts', { headers: { authorization: \`Bearer \${social.data?.access}\` } })
const badCode = await client.POST('/auth/google', { body: { code: 'none' } })

const again = await client.POST('/auth/registration', { body: { ...body, password1: '12345678' } })
const anonymous = await client.GET('/auth/user', { headers })
return {
details: [registered, resent, verified, asked, reset, loggedOut].map(({ data }) => data?.detail),
gender,
early: early.error?.code,
twice: twice.error && explainConfirmation(twice.error),
weak: weak.error && explainReset(weak.error),
missing,
accounts: accounts.data?.map(({ provider, uid }) => \`\${provider} \${uid}\`),
badCode: badCode.error && explainSocial(badCode.error),
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

type ConfirmationError = NonNullable<Awaited<ReturnType<typeof verifyEmail>>['error']>
const verifyEmail = () => createClient<paths>().POST('/auth/registration/verify-email', { body: { key: '' } })

function explainConfirmation (error: ConfirmationError): string {
switch (error.code) {
case 'verification_key_invalid': return 'used'
case 'rejected': return error.detail
case 'validation_error': case 'not_an_object': case 'malformed_body': case 'bad_request': case 'body_too_large': case 'unsupported_media_type': return 'a bug of this client'
case 'internal_error': case 'service_unavailable': return 'try again'
default: return error satisfies never
}
}

function explainSocial (error: NonNullable<Awaited<ReturnType<typeof socialLogin>>['error']>): string {
switch (error.code) {
case 'account_exists': return 'log in, and connect'
case 'email_not_verified': return 'see your mail'
case 'code_exchange_failed': case 'provider_token_invalid': case 'state_invalid': case 'provider_error': return 'start again'
case 'invalid_credentials': case 'registration_closed': case 'rejected': case 'provider_email_missing': return error.detail
case 'validation_error': case 'provider_credentials_required': case 'not_an_object': case 'malformed_body': case 'bad_request':
case 'body_too_large': case 'unsupported_media_type': return 'a bug of this client'
case 'internal_error': case 'service_unavailable': case 'provider_unavailable': return 'try again'
default: return error satisfies never
}
}
const socialLogin = () => createClient<paths>().POST('/auth/google', { body: { code: '' } })

type InvalidRegistration = operations['register']['responses'][400]['content']['application/problem+json']
type InvalidReset = operations['confirmPasswordReset']['responses'][400]['content']['application/problem+json']
type CodeOf<Invalid extends { errors?: Array<{ code: string }> }> = NonNullable<Invalid['errors']>[number]['code']

function explainReset (error: NonNullable<Awaited<ReturnType<typeof confirmReset>>['error']>): string[] {
if (error.code !== 'validation_error') return [error.detail]
return (error.errors ?? []).map(({ field, code }) => \`\${field}: \${code === 'token_invalid' ? 'used' : explainField(code)}\`)
}
const confirmReset = () => createClient<paths>().POST('/auth/password/reset/confirm', { body: { uid: '', token: '', new_password1: '' } })

function explainField (code: CodeOf<InvalidRegistration> | Exclude<CodeOf<InvalidReset>, 'token_invalid'>): string {
switch (code) {
case 'required': case 'null': case 'blank': return 'missing'
case 'invalid_type': case 'invalid_choice': case 'invalid_email': case 'max_length': case 'null_characters_not_allowed':
case 'surrogate_characters_not_allowed': case 'value_not_allowed': return 'wrong'
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
// @ts-expect-error required
await client.POST('/auth/password/reset/confirm', { body: { uid: '', new_password1: '' } })
const { error } = await client.POST('/auth/login', { body: { password: '' } })
// @ts-expect-error no such code
if (error?.code === 'no_such_code') return
// @ts-expect-error a login can't end so
return error?.code === 'registration_closed'
}
`

const withHeyApi = `
import { client } from './hey-api/client.gen.js'
import {
confirmPasswordReset, getUser, listSocialAccounts, login, logout, register, requestPasswordReset, resendEmail, socialLoginGoogle,
updateUser, verifyEmail,
type AuthUser, type LoginError, type VerifyEmailError
} from './hey-api/index.js'

export async function use (baseUrl: string, password: string, lastLink: () => Promise<string[]>) {
client.setConfig({ baseUrl })
const body = { email: 'bob@example.com', password1: 'Forgotten-pw-1', gender: 'M', phone_number: '+15550101' } as const
const registered = await register({ body, throwOnError: true })
const early = await login({ body: { email: body.email, password: body.password1 } })
const resent = await resendEmail({ body: { email: body.email } })
const [key = ''] = await lastLink()
const verified = await verifyEmail({ body: { key } })
const twice = await verifyEmail({ body: { key } })
const spent: VerifyEmailError['code'] | undefined = twice.error?.code

const asked = await requestPasswordReset({ body: { email: body.email } })
const [uid = '', token = ''] = await lastLink()
const weak = await confirmPasswordReset({ body: { uid, token: 'x', new_password1: '12345678' } })
const reset = await confirmPasswordReset({ body: { uid, token, new_password1: password }, throwOnError: true })

const { data } = await login({ body: { email: body.email, password }, throwOnError: true })
client.setConfig({ auth: data.access })
const changed = await updateUser({ body: { gender: 'NS' } })
const gender: AuthUser['gender'] | undefined = changed.data?.gender
const loggedOut = await logout({ body: {} })
const anonymous = await getUser()
const social = await socialLoginGoogle({ body: { code: 'code-dave', code_verifier: 'v'.repeat(43) }, throwOnError: true })
client.setConfig({ auth: social.data.access })
const accounts = await listSocialAccounts({ throwOnError: true })
const badCode = await socialLoginGoogle({ body: { code: 'none' } })
const { error } = await login({ body: { email: body.email, password: 'wrong' } })
return {
details: [registered, resent, verified, asked, reset, loggedOut].map(({ data }) => data?.detail),
gender,
early: early.error && explain(early.error),
twice: spent,
weak: weak.error?.code,
missing: social.data.user.missing_fields,
accounts: accounts.data.map(({ provider, uid }) => \`\${provider} \${uid}\`),
badCode: badCode.error?.code,
again: error && explain(error),
anonymous: anonymous.error?.code
}
}

function explain (error: LoginError): string[] {
switch (error.code) {
case 'validation_error': return (error.errors ?? []).map(({ field }) => field)
case 'invalid_credentials': case 'email_not_verified': case 'identifier_required': case 'rejected': return [error.detail]
case 'not_an_object': case 'malformed_body': case 'bad_request': case 'body_too_large': case 'unsupported_media_type': return ['a bug of this client']
case 'internal_error': case 'server_busy': case 'service_unavailable': return ['try again']
default: return error satisfies never
}
}

export async function refused () {
// @ts-expect-error no such choice
await updateUser({ body: { gender: 'X' } })
// @ts-expect-error the owner may not write it
await updateUser({ body: { email: 'bob@example.com' } })
// @ts-expect-error it is no access token that is taken
await socialLoginGoogle({ body: { access_token: 'x' } })
// @ts-expect-error required
await register({ body: { email: '', password1: '', gender: 'M' } })
// @ts-expect-error required
await verifyEmail({ body: {} })
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
const folder = t.testdir({
  'package.json': '{ "type": "module" }',
  'tsconfig.json': JSON.stringify(tsconfig),
  'openapi-fetch.ts': withOpenapiFetch,
  'hey-api.ts': withHeyApi
})

interface Client {
  use: (baseUrl: string, password: string, lastLink: () => Promise<string[]>) => Promise<Record<string, unknown>>
}
const built = async (name: string): Promise<Client> => await import(join(folder, 'built', name))

void t.test('clients generated from openapi.yaml compile strictly, with every code of an error in reach', async t => {
  await writeFile(join(folder, 'api.ts'), astToString(await openapiTypescript(readFileSync(openapiFile, 'utf8'))))
  await createClient({
    input: fileURLToPath(openapiFile),
    output: { path: join(folder, 'hey-api'), importFileExtension: '.js' },
    logs: { level: 'silent' }
  })
  const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', folder]).catch(
    (error: { stdout: string }) => error
  )
  t.equal(stdout, '')
})

void t.test('with the generated clients one registers, confirms the address, resets the password, logs in, changes a field, logs in by a provider\'s code, and tells an error by its code', async t => {
  const texts: string[] = []
  const transport = async ({ text }: { text: string }) => { texts.push(text) }
  const provider = await startBadProvider(t, {
    people: {
      carol: { email: 'carol@gmail.com', email_verified: true },
      dave: { email: 'dave@gmail.com', email_verified: true }
    }
  })
  // The app's clock is the real one.
  provider.clock = { now: new Date() }
  const { issuer, endpoints, clientId, clientSecret } = provider
  const social = { google: { clientId, clientSecret, provider: { ...google, issuer, endpoints } } }
  const app = await buildApp({ database: ':memory:', secret, docs: false, mail: { transport }, social })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const baseUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const lastLink = async () => {
    await app.restAuth.mail.flush()
    return /\/(?:account-confirm-email|reset\/confirm)\/(\S+)/.exec(texts.at(-1) ?? '')?.[1]?.split('/') ?? []
  }
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
