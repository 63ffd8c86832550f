/** Whatever stands in the Authorization header, a route that asks for nobody answers as if it were not there. */
import { alice, password, story, type BuiltApp } from './support/build.js'

interface Operation { operationId: string, security: object[] }

const options = { account: { emailVerification: 'optional' } }
const link = /password\/reset\/confirm\/([^/\s]+)\/([\w-]{43})/

/** A good request to each public route; `status` is what it is answered with. */
const requests: Record<string, { status: number, send: (app: BuiltApp, headers: Record<string, string>) => ReturnType<BuiltApp['get']> }> = {
  register: {
    status: 201,
    send: ({ post }, headers) =>
      post('/registration', { ...alice, email: `${crypto.randomUUID()}@example.com` }, { headers })
  },
  verifyEmail: {
    status: 200,
    send: async ({ post, mails, register }, headers) => {
      await register({ email: `${crypto.randomUUID()}@example.com` })
      const [, key] = /account-confirm-email\/([\w-]{43})/.exec((await mails()).at(-1)?.text ?? '') ?? []
      return await post('/registration/verify-email', { key }, { headers })
    }
  },
  resendEmail: {
    status: 200,
    send: ({ post }, headers) => post('/registration/resend-email', { email: alice.email }, { headers })
  },
  confirmEmailPage: {
    status: 404,
    send: ({ get }, headers) => get('/registration/account-confirm-email/x', { headers })
  },
  login: { status: 200, send: ({ post }, headers) => post('/login', { email: alice.email, password }, { headers }) },
  logout: { status: 200, send: ({ post }, headers) => post('/logout', {}, { headers }) },
  refreshToken: {
    status: 200,
    send: async (app, headers) => await app.post('/token/refresh', { refresh: (await logIn(app)).refresh }, { headers })
  },
  verifyToken: {
    status: 200,
    send: async (app, headers) => await app.post('/token/verify', { token: (await logIn(app)).access }, { headers })
  },
  requestPasswordReset: {
    status: 200,
    send: ({ post }, headers) => post('/password/reset', { email: alice.email }, { headers })
  },
  confirmPasswordReset: {
    status: 200,
    send: async ({ post, mails, register }, headers) => {
      const email = `${crypto.randomUUID()}@example.com`
      await register({ email })
      await post('/password/reset', { email })
      const [, uid, token] =
        link.exec((await mails()).find(({ to, text }) => to === email && link.test(text))?.text ?? '') ?? []
      return await post('/password/reset/confirm', { uid, token, new_password1: 'An0ther-secret-pw' }, { headers })
    }
  },
  passwordResetPage: { status: 404, send: ({ get }, headers) => get('/password/reset/confirm/x/y', { headers }) }
}

const logIn = async ({ post }: BuiltApp) => (await post('/login', { email: alice.email, password })).json()

story('stale, foreign and garbled credentials stop no public route', async (t, build) => {
  const app = await build(t, { options })
  const { access: loggedOut } = await app.register()
  await app.post('/logout', {}, { token: loggedOut })
  const { access: expired } = await logIn(app)
  const { access: orphaned, user } = await app.register({ email: 'gone@example.com' })
  await app.app.restAuth.users.delete(user.pk)
  app.clock.advance(301)

  const stale = [
    `Bearer ${loggedOut}`,
    `Bearer ${expired}`,
    `Bearer ${orphaned}`,
    'Bearer garbage',
    'Bearer',
    'Bearer a b',
    'Basic YTpi',
    'Token 2fb1497e17ea12cc',
    '',
    ' ',
    '\u00ff'
  ]
  for (const [operationId, { status, send }] of Object.entries(requests)) {
    for (const authorization of stale) { t.equal((await send(app, { authorization })).statusCode, status, `${operationId}: ${authorization.slice(0, 12)}`) }
  }
})

story('no public route is forgotten here', async (t, build) => {
  const { app } = await build(t, { options })
  const { paths } = app.restAuth.openapi() as { paths: Record<string, Record<string, Operation>> }
  const isPublic = ({ security }: Operation) =>
    security.length === 0 || security.some(one => Object.keys(one).length === 0)
  const open = Object.values(paths)
    .flatMap(methods => Object.values(methods))
    .filter(isPublic)
    .map(({ operationId }) => operationId)
  t.same(Object.keys(requests).sort(), open.sort())
})
