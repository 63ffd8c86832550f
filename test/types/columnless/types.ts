// An app with user fields that have no column: some only registration asks for, others are computed.
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { defineRestAuth, type NewUser, type StoredUser, type User, type UserChanges } from 'fastify-rest-auth'
import { createContract, describeFields } from 'fastify-rest-auth/schemas'
import { same, type Brought, type Flat } from '../equal.js'

interface Named { first_name: string, nickname: string | null }

const userFields = {
  first_name: { schema: Type.String() },
  nickname: { schema: Type.Optional(Type.String()) },
  invitation: { schema: Type.String(), stored: false },
  terms: { schema: Type.Literal(true), stored: false },
  source: { schema: Type.Optional(Type.String()), stored: false },
  kept: { schema: Type.Boolean(), stored: true },
  display_name: { schema: Type.String(), compute: ({ nickname, first_name: name }: Named) => nickname ?? name },
  level: {
    schema: Type.Union([Type.Literal('new'), Type.Literal('regular')]),
    eager: true,
    compute: async ({ created_at: since }: { created_at: Date }) => since > new Date() ? 'new' : 'regular'
  },
  score: {
    schema: Type.Optional(Type.Integer()),
    eager: true,
    compute: ({ pk }: { pk: string }) => pk === '1' ? 7 : undefined
  }
} as const

export const auth = defineRestAuth({
  userFields,
  hooks: {
    registering: input => {
      same<typeof input, {
        email: string
        first_name: string
        nickname?: string | null
        kept: boolean
        invitation?: string
        terms?: true
        source?: string | null
      }>(true)
    },
    registered: user => {
      same<typeof user.first_name, string>(true)
      // @ts-expect-error not stored
      void user.invitation
      // @ts-expect-error hooks get the stored user
      void user.level
    }
  },
  tokens: {
    claims: user => {
      // @ts-expect-error claims are made from the stored user
      void user.level
      return { name: user.first_name }
    }
  }
})
declare module 'fastify-rest-auth' { interface Register { auth: typeof auth } }

interface Base {
  pk: string
  email_verified: boolean
  is_active: boolean
  created_at: Date
  last_login: Date | null
  missing_fields?: string[]
  email: string
  first_name: string
  nickname: string | null
  kept: boolean
}
same<StoredUser, Flat<Base>>(true)
same<User, Flat<Base & { level: 'new' | 'regular', score: number | null }>>(true)
same<FastifyRequest['user'], User>(true)
same<NewUser, Flat<Brought & {
  email: string
  first_name: string
  nickname?: string | null
  kept: boolean
}>>(true)
same<
  UserChanges,
  { email?: string, email_verified?: boolean, first_name?: string, nickname?: string | null, kept?: boolean }
>(true)
type Found = Awaited<ReturnType<FastifyInstance['restAuth']['users']['find']>>
same<Found, StoredUser | undefined>(true)

// A function takes what is stored, and returns what its schema says.
const integer = Type.Integer()
const name = { schema: Type.String() }
defineRestAuth({ userFields: { name, size: { schema: integer, compute: user => user.name.length } } })
defineRestAuth({
  userFields: { name, size: { schema: integer, compute: async ({ name }: { name: string }) => name.length } }
})
defineRestAuth({
  userFields: { tags: { schema: Type.Object({ all: Type.Array(Type.String()) }), compute: () => ({ all: ['a'] }) } }
})
// @ts-expect-error returns a text
defineRestAuth({ userFields: { size: { schema: integer, compute: () => 'large' } } })
// @ts-expect-error returns a text
defineRestAuth({ userFields: { size: { schema: integer, compute: async () => 'large' } } })
// @ts-expect-error may return nothing, but the schema is not optional
defineRestAuth({ userFields: { size: { schema: integer, compute: (): number | undefined => 7 } } })
// @ts-expect-error never declared
defineRestAuth({ userFields: { size: { schema: integer, compute: (user: { shoe_size: number }) => user.shoe_size } } })
const one = { schema: integer, compute: () => 1 }
// @ts-expect-error a computed field can't use another
defineRestAuth({ userFields: { one, two: { schema: integer, compute: ({ one }: { one: number }) => one } } })
// @ts-expect-error not a function
defineRestAuth({ userFields: { size: { schema: integer, compute: 7 } } })
// @ts-expect-error true or false
defineRestAuth({ userFields: { size: { schema: integer, stored: 'no' } } })

createContract({
  name: '',
  errors: 'problem',
  username: 'none',
  usernameMinLength: 1,
  email: 'required',
  emailVerification: 'none',
  confirmEmailOnGet: false,
  loginOnEmailConfirmation: false,
  loginMethods: ['email'],
  resendInterval: 180,
  requireOldPassword: true,
  ...describeFields(userFields),
  social: false
})
