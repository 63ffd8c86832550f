/**
 * A page that keeps its tokens in cookies: no script can read them, and the browser sends them. Plain HTML and
 * JavaScript, served from where the routes are.
 */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import Fastify, { type FastifyServerOptions } from 'fastify'
import restAuth from 'fastify-rest-auth'

const files = {
  '/': ['index.html', 'text/html'],
  '/main.js': ['main.js', 'text/javascript'],
  '/style.css': ['style.css', 'text/css']
} as const

/** Scripts, styles and requests are the page's own, and nobody frames it. */
const policy = "default-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

/** The app, not yet listening. `overrides` replace options: the tests give it a database of their own. */
export async function buildApp (overrides: object = {}, server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  await app.register(restAuth, {
    prefix: '/auth',
    database: 'auth.sqlite',
    account: { emailVerification: 'none' },
    // Where there is no https the browser has to be on localhost, which it trusts without.
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

  // A route of the app's own: the cookie authenticates it, and a forgery never gets here.
  const notes: string[] = []
  app.post('/notes', { onRequest: app.authenticate }, async request => {
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
