// An app on PostgreSQL whose users have names, and need no address.
import { Type } from '@sinclair/typebox'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { pgTable, text } from 'drizzle-orm/pg-core'
import Fastify from 'fastify'
import { defineRestAuth, type NewUser, type Tx, type User, type UserChanges } from 'fastify-rest-auth'
import { users } from 'fastify-rest-auth/drizzle/postgres'
import { same, type Brought, type Flat } from '../equal.js'

const profiles = pgTable('profiles', { user: text().references(() => users.pk) })

export const auth = defineRestAuth({
  database: 'postgres://localhost/app',
  account: { username: 'required', email: 'optional', loginMethods: ['username'] },
  userFields: {
    age: { schema: Type.Integer({ minimum: 0 }), registration: 'optional' },
    tags: { schema: Type.Array(Type.String()) },
    address: { schema: Type.Optional(Type.Object({ street: Type.String() })) },
    vip: { schema: Type.Boolean(), registration: 'hidden', userDetails: 'hidden' }
  },
  hooks: {
    registering: input => {
      same<
        typeof input,
        { username: string; email?: string; tags: string[]; age?: number | null; address?: { street: string } | null }
      >(true)
    },
    registered: async (user, tx) => {
      same<typeof user.username, string>(true)
      await tx.insert(profiles).values({ user: user.pk })
    }
  }
})
declare module 'fastify-rest-auth' { interface Register { auth: typeof auth, dialect: 'postgres' } }

same<Tx, PgDatabase<PgQueryResultHKT>>(true)
same<User, {
  pk: string
  email_verified: boolean
  is_active: boolean
  created_at: Date
  last_login: Date | null
  missing_fields?: string[]
  email: string | null
  username: string
  age: number | null
  tags: string[]
  address: { street: string } | null
  vip: boolean | null
}>(true)
same<NewUser, Flat<Brought & {
  username: string
  email?: string
  tags: string[]
  age?: number | null
  address?: { street: string } | null
  vip?: boolean | null
}>>(true)
same<UserChanges['username'], string | undefined>(true)
same<UserChanges['vip'], boolean | null | undefined>(true)

const { restAuth } = Fastify()
await restAuth.users.create({ username: 'alice', tags: [] })
await restAuth.users.find({ username: 'alice' })
// @ts-expect-error a name is required
await restAuth.users.create({ tags: [] })
// @ts-expect-error not a string
await restAuth.users.create({ username: 'alice', tags: [1] })

// Where the name is optional, it may be missing.
export const optional = defineRestAuth({
  account: { username: 'optional' },
  hooks: {
    registered: user => {
      same<typeof user.username, string | null>(true)
    }
  }
})
same<typeof optional.prefix, string | undefined>(true)
// Where there is none, nobody has one.
// @ts-expect-error usernames are off
defineRestAuth({ account: { username: 'none' }, hooks: { registered: user => { void user.username } } })
// @ts-expect-error usernames are off unless asked for
defineRestAuth({ hooks: { registered: user => { void user.username } } })
