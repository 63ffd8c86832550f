// An app on a database that came from Django: keys are numbers, wherever one appears.
import Fastify, { type FastifyRequest } from 'fastify'
import { defineRestAuth, type BaseUser, type QueuedMail, type User } from 'fastify-rest-auth'
import { same } from '../equal.js'

export const auth = defineRestAuth({
  account: { pk: 'integer' },
  hooks: {
    registered: user => { same<typeof user.pk, number>(true) },
    loggedIn: user => { same<typeof user.pk, number>(true) },
    emailVerified: user => { same<typeof user.pk, number>(true) },
    userUpdated: user => { same<typeof user.pk, number>(true) },
    passwordChanged: user => { same<typeof user.pk, number>(true) }
  },
  tokens: {
    claims: user => {
      same<typeof user.pk, number>(true)
      return { key: user.pk }
    }
  },
  mail: {
    variables: {
      profile: user => {
        same<typeof user.pk, number>(true)
        return `https://app.example/users/${user.pk}`
      }
    }
  }
})
declare module 'fastify-rest-auth' { interface Register { auth: typeof auth } }

same<User['pk'], number>(true)
same<FastifyRequest['user']['pk'], number>(true)
same<BaseUser['pk'], string | number>(true)
same<QueuedMail['userPk'], number | null>(true)
declare const user: User
export const base: BaseUser = user

const { users, sessions, socialAccounts, mail } = Fastify().restAuth
same<NonNullable<Awaited<ReturnType<typeof users.find>>>['pk'], number>(true)
await users.find({ pk: 7 })
await users.update(7, { first_name: 'Alice' })
await users.activate(7)
await users.deactivate(7)
await users.delete(7)
await sessions.list(7)
await sessions.endAll(7)
await socialAccounts.list(7)
await mail.send('password-changed', user)
// @ts-expect-error text
await users.find({ pk: '7' })
// @ts-expect-error text
await users.update('7', {})
// @ts-expect-error text
await users.delete('7')
// @ts-expect-error text
await sessions.list('7')
// @ts-expect-error text
await mail.send('password-changed', { pk: '7' })

// Other apps of this program.
defineRestAuth({ hooks: { registered: user => { same<typeof user.pk, string>(true) } } })
defineRestAuth({
  account: { pk: 'string' }, hooks: { registered: user => { same<typeof user.pk, string>(true) } }
})
// @ts-expect-error string or integer
defineRestAuth({ account: { pk: 'uuid' } })
