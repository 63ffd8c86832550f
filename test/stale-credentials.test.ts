/** Public routes ignore the Authorization header: an invalid one does not change the answer. */
import { alice, password, story, type BuiltApp } from './support/build.js'

interface Operation { operationId: string, security: object[] }

const options = { account: { emailVerification: 'optional' } }
const link = /password\/reset\/confirm\/([^/\s]+)\/([\w-]{43})/

/** A valid request to each public route, and the status of its answer. */
interface PublicRequest {
  status: number
  send: (app: BuiltApp, headers: Record<string, string>) => ReturnType<BuiltApp['get']>
}
const requests: Record<string, PublicRequest> = {
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

story('public routes ignore expired, foreign and malformed credentials', async (t, build) => {
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
    for (const authorization of stale) {
      const answer = await send(app, { authorization })
      t.equal(answer.statusCode, status, `${operationId}: ${authorization.slice(0, 12)}`)
    }
  }
})

story('the list above contains every public route', async (t, build) => {
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
