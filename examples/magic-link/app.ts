/** Login by a link in a mail: a login method of the app's own, beside those of the plugin. */
import { createHash, randomBytes } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import restAuth, { authenticate } from 'fastify-rest-auth'

type Send = (to: string, link: string) => Promise<unknown>

const minutes = 10
const digestOf = (token: string) => createHash('sha256').update(token).digest('hex')
// A page with a button, because the scanners of mailboxes open every link.
const page = '<!doctype html><title>Log in</title><form method="post"><button>Log in</button></form>'

/** Builds the app without listening. `send` sends the mail; `overrides` replace options. */
export async function buildApp (send: Send, overrides: object = {}) {
  const app = Fastify()
  await app.register(restAuth, { database: 'auth.sqlite', tokens: { cookies: {} }, ...overrides })
  // Browsers send forms in this type, even the empty one of the page above.
  app.addContentTypeParser(
    'application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, _body, done) => done(null)
  )
  const { users, sessions } = app.restAuth
  // With several instances of the app, use a table.
  const links = new Map<string, { pk: string, email: string, expiresAt: number }>()

  app.post<{ Body: { email: string } }>(
    '/login-links',
    { schema: { body: Type.Object({ email: Type.String({ maxLength: 254 }) }) } },
    async ({ body }) => {
      const user = await users.find({ email: body.email })
      if (user?.is_active) {
        const token = randomBytes(32).toString('base64url')
        links.set(digestOf(token), { pk: user.pk, email: user.email, expiresAt: Date.now() + minutes * 60_000 })
        // Not awaited, so that the time of the response does not tell whether the address has an account.
        send(user.email, `http://localhost:3000/login-links/${token}`).catch(error => app.log.error(error))
      }
      return { detail: 'ok' }
    }
  )

  app.get('/login-links/:token', async (_request, reply) => reply.type('text/html').send(page))
  app.post<{ Params: { token: string } }>('/login-links/:token', async (request, reply) => {
    const digest = digestOf(request.params.token)
    const link = links.get(digest)
    links.delete(digest)
    const user = link && link.expiresAt > Date.now() ? await users.find({ pk: link.pk }) : undefined
    if (!user || user.email !== link?.email) return await reply.code(400).send({ detail: 'The link is invalid.' })
    // The link proves that the user reads the mailbox.
    await users.update(user.pk, { email_verified: true })
    await sessions.open(user, request, reply, { amr: ['otp'] })
    return await reply.redirect('/me', 303)
  })
  app.get('/me', { onRequest: authenticate }, async request => ({ hello: request.user.email }))
  return app
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const app = await buildApp(async (to, link) => console.log(`To ${to}: ${link}`))
  await app.listen({ port: 3000 })
}
