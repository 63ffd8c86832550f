// What follows from the options of readme.ts, which `Register` declares for this program.
import type { JsonWebKey } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { SQLiteTableWithColumns } from 'drizzle-orm/sqlite-core'
import Fastify from 'fastify'
import type { FastifyRequest } from 'fastify'
import restAuth, {
  defineRestAuth, type AccessClaims, type AuthenticateHook, type HooksOf, type NewUser, type RegisteredPath,
  type RestAuth, type Session, type Tx, type User, type UserChanges
} from 'fastify-rest-auth'
import * as tables from 'fastify-rest-auth/drizzle/sqlite'
import { createContract, type AnswerCode } from 'fastify-rest-auth/schemas'
import { same, type Brought, type Flat } from '../equal.js'

type Gender = 'M' | 'F' | 'NS'
interface ExpectedUser {
  pk: string
  email_verified: boolean
  is_active: boolean
  created_at: Date
  last_login: Date | null
  missing_fields?: string[]
  email: string
  readonly gender: Gender
  phone_number: string
}
type Writable<T> = { -readonly [K in keyof T]: T[K] }

// A user, wherever one appears.
same<User, Writable<ExpectedUser>>(true)
same<FastifyRequest['user'], User>(true)
declare const request: FastifyRequest
same<typeof request.user.gender, Gender>(true)
same<typeof request.user.phone_number, string>(true)
same<typeof request.user.last_login, Date | null>(true)
// @ts-expect-error usernames are off
void request.user.username
// @ts-expect-error never declared
request.user.shoe_size.toString()
// @ts-expect-error nobody is told the hash
void request.user.password

// The programmatic side.
same<NewUser, Flat<Brought & { email: string; gender: Gender; phone_number: string }>>(true)
same<UserChanges, { email?: string, email_verified?: boolean, gender?: Gender, phone_number?: string }>(true)
const app = Fastify()
export const { users, sessions, openapi, migrate, under } = app.restAuth
same<Awaited<ReturnType<typeof users.create>>, User>(true)
same<Awaited<ReturnType<typeof users.find>>, User | undefined>(true)
same<Awaited<ReturnType<typeof users.update>>, User | undefined>(true)
same<Awaited<ReturnType<typeof sessions.list>>, Session[]>(true)
same<ReturnType<typeof openapi>, Record<string, unknown>>(true)
same<Awaited<ReturnType<typeof migrate>>, string[]>(true)
same<ReturnType<typeof under>, RestAuth<RegisteredPath>>(true)
await users.create({ email: 'a@example.com', gender: 'F', phone_number: '+1' })
await users.update('pk', { gender: 'NS' })
await users.find({ email: 'a@example.com' })
// @ts-expect-error phone_number is required
await users.create({ email: 'a@example.com', gender: 'F' })
// @ts-expect-error an address is required
await users.create({ gender: 'F', phone_number: '+1' })
// @ts-expect-error no such choice
await users.create({ email: 'a@example.com', gender: 'X', phone_number: '+1' })
// @ts-expect-error no such choice
await users.update('pk', { gender: 'X' })
// @ts-expect-error never declared
await users.update('pk', { shoe_size: 42 })
// @ts-expect-error the plugin's own
await users.update('pk', { pk: 'other' })
// @ts-expect-error found by what identifies
await users.find({ gender: 'F' })

// authenticate is a hook, and called with options makes one; the handler keeps its types.
same<ReturnType<typeof app.authenticate>, Promise<void>>(true)
const fresh = app.authenticate({ maxAge: 300 })
same<typeof fresh, AuthenticateHook>(true)
app.get('/me', { onRequest: app.authenticate }, async request => { same<typeof request.user, User>(true) })
app.get(
  '/anybody',
  { onRequest: app.authenticate({ optional: true }) },
  async request => request.user?.email ?? 'nobody'
)
app.get(
  '/many',
  { onRequest: [app.authenticate({ stateless: true }), fresh], preHandler: app.authenticate },
  async request => app.restAuth.claims(request)?.sub
)
const typed = app.withTypeProvider<TypeBoxTypeProvider>()
typed.post('/pay', { onRequest: fresh, schema: { body: Type.Object({ amount: Type.Integer() }) } }, async request => {
  same<typeof request.body, { amount: number }>(true)
  same<typeof request.user.gender, Gender>(true)
})
await app.authenticate(request)
same<ReturnType<typeof app.restAuth.claims>, AccessClaims | null>(true)
same<AccessClaims['sub'], string>(true)
// @ts-expect-error not of these options
same<AccessClaims['role'], unknown>(true)
// @ts-expect-error unknown option
app.authenticate({ maxage: 300 })
// @ts-expect-error seconds
app.authenticate({ maxAge: '5m' })
// @ts-expect-error the age is the session's, which stateless does not look up
app.authenticate({ stateless: true, maxAge: 300 })

// Claims know the user of these options.
defineRestAuth({
  userFields: { gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F')]) } },
  tokens: {
    algorithm: 'EdDSA',
    keys: ['-----BEGIN PRIVATE KEY-----…', { kty: 'OKP', crv: 'Ed25519' } satisfies JsonWebKey],
    claims: user => {
      same<typeof user.gender, 'M' | 'F'>(true)
      same<typeof user.email, string>(true)
      // @ts-expect-error never declared
      user.shoe_size.toString()
      return { gender: user.gender }
    }
  }
})
defineRestAuth({ tokens: { claims: async () => ({ role: 'x' }) } })
// @ts-expect-error an object
defineRestAuth({ tokens: { claims: () => 'x' } })
// @ts-expect-error HS256, EdDSA, ES256
defineRestAuth({ tokens: { algorithm: 'RS256' } })
// @ts-expect-error PEM or JWK
defineRestAuth({ tokens: { keys: [7] } })

// Hooks.
const userFields = {
  gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F'), Type.Literal('NS')]) },
  vip: { schema: Type.Boolean(), registration: 'hidden' },
  nickname: { schema: Type.Optional(Type.String()) }
} as const
defineRestAuth({
  userFields,
  hooks: {
    registering: (input, tx) => {
      same<typeof input, { email: string, gender: Gender, nickname?: string | null }>(true)
      same<typeof tx, Tx>(true)
      // @ts-expect-error registration does not ask for it
      return input.vip
    },
    registered: async (user, tx) => {
      same<typeof user.gender, Gender>(true)
      same<typeof user.vip, boolean | null>(true)
      same<typeof user.nickname, string | null>(true)
      same<typeof tx, Tx>(true)
      // @ts-expect-error never declared
      user.shoe_size.toString()
    },
    loggedIn: (user, request) => {
      same<typeof user.email, string>(true)
      same<typeof request, FastifyRequest>(true)
    },
    userUpdated: user => { same<typeof user.nickname, string | null>(true) },
    passwordChanged: user => { same<typeof user.pk, string>(true) }
  }
})
same<Parameters<NonNullable<HooksOf<typeof userFields>['registered']>>[1], Tx>(true)

// Options.
defineRestAuth({})
defineRestAuth({
  publicUrl: process.env.PUBLIC_URL,
  database: process.env.DATABASE_URL,
  secret: [process.env.NEW ?? '', process.env.OLD ?? '']
})
defineRestAuth({ account: { registration: request => request.ip === '127.0.0.1' || 'Only from here.' } })
defineRestAuth({
  password: { validators: [(password, user) => !password.includes(String(user.email)) || 'No address in it.'] }
})
defineRestAuth({
  userFields,
  mail: {
    transport: async ({ to, html, headers }) => {
      same<typeof to, string>(true)
      same<typeof html, string | undefined>(true)
      same<typeof headers, Record<string, string>>(true)
    },
    variables: { support: 'help@app.example', greeting: user => user.gender === 'M' ? 'Dear Sir' : user.email },
    filters: { shout: text => `${text.toUpperCase()}!` },
    tags: { setting: async name => process.env[name] }
  }
})
defineRestAuth({
  social: process.env.GOOGLE_ID
    ? { google: { clientId: process.env.GOOGLE_ID, clientSecret: 'y', trustEmail: ['app.example'] } }
    : undefined
})
defineRestAuth({
  social: {
    apple: { clientId: 'x', clientSecret: { teamId: 'x', keyId: 'y', privateKey: 'z' } },
    own: {
      clientId: 'x',
      clientSecret: 'y',
      provider: {
        label: 'Own',
        issuer: 'https://login.example',
        scopes: ['openid'],
        profile: ({ claims }) => ({ subject: claims?.sub ?? '', email: null })
      }
    }
  }
})
defineRestAuth({
  social: {
    // @ts-expect-error a provider needs a profile function
    own: { clientId: 'x', clientSecret: 'y', provider: { label: 'Own', issuer: 'https://login.example', scopes: [] } }
  }
})
// @ts-expect-error unknown option
defineRestAuth({ social: { google: { clientId: 'x', clientSecret: 'y', clientSecrets: [] } } })
for (const transport of ['console', 'smtp://smtp.example', { host: 'smtp.example', port: 587 }]) {
  defineRestAuth({ mail: { transport } })
}
// @ts-expect-error never declared
defineRestAuth({ mail: { variables: { size: user => user.shoe_size } } })
// @ts-expect-error unknown option
defineRestAuth({ mail: { backend: 'console' } })
// @ts-expect-error not a number
defineRestAuth({ mail: { transport: 587 } })
await app.register(restAuth)
await app.register(restAuth, { prefix: '/staff' })
// @ts-expect-error unknown option
defineRestAuth({ tokenz: {} })
// @ts-expect-error unknown option
await app.register(restAuth, { tokenz: {} })
// @ts-expect-error unknown option
defineRestAuth({ tokens: { acces: 300 } })
// @ts-expect-error unknown option
defineRestAuth({ account: { usernames: 'none' } })
// @ts-expect-error neither open, closed nor a function
defineRestAuth({ account: { registration: 'sometimes' } })
// @ts-expect-error none, optional, required
defineRestAuth({ account: { username: 'maybe' } })
// @ts-expect-error problem, drf
defineRestAuth({ errors: 'rfc' })
// @ts-expect-error a path, or false
defineRestAuth({ docs: true })
// @ts-expect-error seconds
defineRestAuth({ tokens: { access: '5m' } })
// @ts-expect-error unknown hook
defineRestAuth({ hooks: { loggedOut: () => {} } })
// @ts-expect-error no schema
defineRestAuth({ userFields: { gender: { unique: true } } })
// @ts-expect-error not of TypeBox
defineRestAuth({ userFields: { gender: { schema: String } } })
// @ts-expect-error editable, read-only, hidden
defineRestAuth({ userFields: { gender: { schema: Type.String(), userDetails: 'readonly' } } })
// @ts-expect-error unknown key of a field
defineRestAuth({ userFields: { gender: { schema: Type.String(), required: true } } })

// The contract and the tables.
same<Extract<AnswerCode, 'invalid_credentials' | 'email_taken'>, 'invalid_credentials'>(true)
createContract({
  name: '',
  errors: 'problem',
  username: 'none',
  usernameMinLength: 1,
  email: 'required',
  emailVerification: 'none',
  confirmEmailOnGet: false,
  loginOnEmailConfirmation: false,
  resendInterval: 180,
  loginMethods: ['email'],
  requireOldPassword: true,
  fields: [],
  social: false
})
export const users_: SQLiteTableWithColumns<any> = tables.users
