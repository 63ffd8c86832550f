// An app with two registrations of the plugin, as an editor has it open in test/types-in-editor.test.ts.
import { Type } from '@sinclair/typebox'
import type { InferInsertModel, InferSelectModel } from 'drizzle-orm'
import Fastify, { type FastifyRequest } from 'fastify'
import restAuth, { defineRestAuth, type AccessClaims, type BaseUser, type RestAuth, type User } from 'fastify-rest-auth'
import * as postgres from 'fastify-rest-auth/drizzle/postgres'
import * as sqlite from 'fastify-rest-auth/drizzle/sqlite'
import { describeFields } from 'fastify-rest-auth/schemas'
import { same } from '../equal.js'

export const auth = defineRestAuth({
  publicUrl: 'http://localhost:3000',
  account: { emailVerification: 'mandatory', registration: request => request.ip === '127.0.0.1' },
  userFields: {
    gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F'), Type.Literal('NS')]) },
    phone_number: { schema: Type.String({ maxLength: 30 }), userDetails: 'read-only' }
  },
  tokens: {
    refresh: { idle: 3600 },
    claims: async user => ({ role: user.gender === 'NS' ? 'guest' : 'member', since: user.created_at, tags: [1] })
  },
  hooks: { registered: user => { same<typeof user.gender, 'M' | 'F' | 'NS'>(true) } }
})
export const staffAuth = defineRestAuth({
  prefix: '/staff',
  account: { username: 'required', pk: 'integer' },
  userFields: { badge: { schema: Type.Integer() } },
  tokens: { claims: user => ({ badge: user.badge }) }
})
declare module 'fastify-rest-auth' { interface Register { auth: typeof auth, '/staff': typeof staffAuth } }

const app = Fastify()
await app.register(restAuth, auth)
await app.register(restAuth, staffAuth)

// Options without defineRestAuth are checked, too.
await app.register(restAuth, {
  prefix: '/customers',
  account: { username: 'optional', registration: request => request.ip === '127.0.0.1' || 'Only from here.' },
  userFields: { vip: { schema: Type.Boolean() } },
  password: { validators: [password => password !== 'password' || 'Too easy.'] },
  social: { google: { clientId: 'x', clientSecret: 'y' } },
  hooks: { loggedIn: async (user, request) => { request.log.info(user.email) } }
})

// under() has the types of its own options.
const staff = app.restAuth.under('/staff')
same<typeof staff, RestAuth<'/staff'>>(true)
await staff.users.update(7, { badge: 1, username: 'alice' })
same<NonNullable<Awaited<ReturnType<typeof staff.users.find>>>['badge'], number>(true)
same<User<'/staff'>['pk'], number>(true)
// @ts-expect-error a field of the other registration
await staff.users.update(7, { gender: 'F' })
// @ts-expect-error the key is a number
await staff.sessions.list('7')
const customer = await app.restAuth.under('/customers').users.find({ email: 'a@example.com' })
same<typeof customer, (BaseUser & Record<string, unknown>) | undefined>(true)
void customer?.vip

// claims() returns what tokens.claims did, as JSON.
declare const request: FastifyRequest
const claims = app.restAuth.claims(request)
same<typeof claims, AccessClaims | null>(true)
same<AccessClaims['role'], 'guest' | 'member'>(true)
same<AccessClaims['since'], string>(true)
same<AccessClaims['sub'], string>(true)
same<NonNullable<ReturnType<typeof staff.claims>>['badge'], number>(true)
// @ts-expect-error never made
void claims?.rule

// usersTable() has a column for each field that is stored.
const { fields } = describeFields({
  gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F')]) },
  address: { schema: Type.Object({ zip: Type.String() }) },
  terms: { schema: Type.Literal(true), stored: false },
  age: { schema: Type.Integer(), compute: () => 1 }
})
const onSqlite = sqlite.usersTable(fields)
export const onPostgres = postgres.usersTable(fields)
type Row = InferSelectModel<typeof onSqlite>
same<Row['gender'], 'M' | 'F' | null>(true)
same<Row['address'], { zip: string } | null>(true)
same<Extract<keyof Row, 'terms' | 'age'>, never>(true)
same<InferSelectModel<typeof onPostgres>, Row>(true)
same<InferInsertModel<typeof onSqlite>['gender'], 'M' | 'F' | null | undefined>(true)
same<typeof sqlite.users, ReturnType<typeof sqlite.usersTable<{}>>>(true)
void onSqlite.gender.name
// @ts-expect-error never declared
void onSqlite.shoe_size

// createTables() too, and its other tables are those of any registration.
const staffTables = sqlite.createTables({ tables: 'staff_', fields })
export const staffOnPostgres = postgres.createTables({ tables: 'staff_', fields })
same<InferSelectModel<typeof staffTables.users>, Row>(true)
same<InferSelectModel<typeof staffOnPostgres.users>, Row>(true)
same<InferSelectModel<typeof staffTables.sessions>, InferSelectModel<typeof sqlite.sessions>>(true)
same<ReturnType<typeof sqlite.createTables<{}>>['users'], typeof sqlite.users>(true)
// @ts-expect-error never declared
void staffTables.users.shoe_size
