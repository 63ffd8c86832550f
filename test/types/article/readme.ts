// The shape of the README's example, for the compiler.
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import restAuth, { defineRestAuth } from 'fastify-rest-auth'

const auth = defineRestAuth({                       // checks and infers; returns the options
  secret: process.env.AUTH_SECRET,
  publicUrl: 'http://localhost:3000',
  database: 'auth.sqlite',
  account: { username: 'none', emailVerification: 'mandatory' },
  userFields: {
    gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F'), Type.Literal('NS')]) },
    phone_number: { schema: Type.String({ maxLength: 30 }), userDetails: 'read-only' }
  }
})
declare module 'fastify-rest-auth' { interface Register { auth: typeof auth } }

const app = Fastify()
await app.register(restAuth, auth)
app.get('/me', { onRequest: app.authenticate }, async request => request.user.gender)   // 'M' | 'F' | 'NS'
