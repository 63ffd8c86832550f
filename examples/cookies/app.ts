/**
 * A page with its tokens in cookies: the browser sends them, and no script can read them. Plain HTML and JavaScript,
 * served from the same origin as the routes.
 */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import Fastify, { type FastifyServerOptions } from 'fastify'
import restAuth, { authenticate } from 'fastify-rest-auth'

const files = {
  '/': ['index.html', 'text/html'],
  '/main.js': ['main.js', 'text/javascript'],
  '/style.css': ['style.css', 'text/css']
} as const

/** Allows scripts, styles and requests of this origin only, and no frames. */
const policy = "default-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

/** Builds the app without listening. `overrides` replace options: the tests use another database. */
export async function buildApp (overrides: object = {}, server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  await app.register(restAuth, {
    prefix: '/auth',
    database: 'auth.sqlite',
    account: { emailVerification: 'none' },
    // Without https, open the page on localhost: browsers store Secure cookies there.
    tokens: { cookies: {} },
    ...overrides
  })
  for (const [path, [file, type]] of Object.entries(files)) {
    const content = readFileSync(new URL(`public/${file}`, import.meta.url))
    app.get(path, (_request, reply) =>
      reply
        .type(`${type}; charset=utf-8`)
        .headers({ 'content-security-policy': policy, 'x-content-type-options': 'nosniff' })
        .send(content)
    )
  }

  // The cookie authenticates requests to the app's own routes; forged requests (CSRF) are rejected before.
  const notes: string[] = []
  app.post('/notes', { onRequest: authenticate }, async request => {
    notes.push(`from ${request.user.email}`)
    return { notes: notes.length }
  })
  return app
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const app = await buildApp({}, { logger: { level: 'warn' } })
  await app.listen({ port: 3000 })
  console.log('http://localhost:3000')
}
