// An app that declares nothing: first_name and last_name, as in Django, which their owner may fill in later.
import Fastify from 'fastify'
import restAuth, { type NewUser, type User, type UserChanges } from 'fastify-rest-auth'
import { same, type Brought, type Flat } from '../equal.js'

same<User, {
  pk: string
  email_verified: boolean
  is_active: boolean
  created_at: Date
  last_login: Date | null
  missing_fields?: string[]
  email: string
  first_name: string | null
  last_name: string | null
}>(true)
same<NewUser, Flat<Brought & { email: string; first_name?: string | null; last_name?: string | null }>>(true)
same<UserChanges, { email?: string; email_verified?: boolean; first_name?: string | null; last_name?: string | null }>(
  true
)

const app = Fastify()
await app.register(restAuth)
app.get('/me', { onRequest: app.authenticate }, async request => {
  same<typeof request.user, User>(true)
  // @ts-expect-error another app's field
  return request.user.gender
})

// Servers of every kind: HTTPS and HTTP/2.
const secured = Fastify({ https: {} })
await secured.register(restAuth)
secured.get('/me', { onRequest: secured.authenticate }, async request => request.user.email)
const second = Fastify({ http2: true, https: { allowHTTP1: true } })
await second.register(restAuth)
second.get('/me', { onRequest: second.authenticate }, async request => request.user.email)
second.get('/maybe', { onRequest: second.authenticate({ optional: true }) }, async request =>
  second.restAuth.claims(request))
