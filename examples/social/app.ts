/**
 * Logging in with an account elsewhere, from a page whose tokens travel in headers. To try it, a provider of its own runs
 * beside it (provider.ts), where every name logs in; Google and GitHub join it where the environment knows them.
 * `npm run start:social` starts both; where you have copied them to, `npm install oidc-provider tsx` and `npx tsx app.ts`.
 */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyServerOptions } from 'fastify'
import restAuth, { defineRestAuth } from 'fastify-rest-auth'

const { GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET = '', GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET = '' } = process.env

export const auth = defineRestAuth({
  publicUrl: 'http://localhost:3000',
  database: 'auth.sqlite',
  userFields: {
    gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F'), Type.Literal('NS')]) }
  },
  // Where a login ends: the page below, which fetches the tokens.
  urls: { socialLogin: '/' },
  social: {
    example: {
      issuer: 'http://localhost:3001',
      label: 'the example',
      clientId: 'example-app',
      clientSecret: 'a secret that the provider beside us knows, too',
      // It proves no mailbox; in an example we take its word for it.
      trustEmail: true
    },
    ...(GOOGLE_CLIENT_ID && { google: { clientId: GOOGLE_CLIENT_ID, clientSecret: GOOGLE_CLIENT_SECRET } }),
    ...(GITHUB_CLIENT_ID && { github: { clientId: GITHUB_CLIENT_ID, clientSecret: GITHUB_CLIENT_SECRET } })
  }
})

const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/main.js': ['main.js', 'text/javascript; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml']
} as const

/** Scripts, styles and requests are the page's own, and nobody frames it. */
const policy = "default-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

/** The app, not yet listening. `overrides` replace options: the tests give it a database and a provider of their own. */
export async function buildApp (overrides: object = {}, server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  const options = { ...auth, ...overrides }
  await app.register(restAuth, options)
  for (const [path, [file, type]] of Object.entries(files)) {
    const content = readFileSync(new URL(`public/${file}`, import.meta.url))
    app.get(path, (_request, reply) =>
      reply.type(type).headers({ 'content-security-policy': policy, 'x-content-type-options': 'nosniff' }).send(content)
    )
  }
  app.get('/providers', async () =>
    Object.entries(options.social ?? {}).map(([name, { label = name }]) => ({ name, label }))
  )
  return app
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { startProvider } = await import('./provider.js')
  await startProvider({
    port: 3001,
    client: auth.social?.example,
    redirectUri: 'http://localhost:3000/auth/example/callback'
  })
  const app = await buildApp({}, { logger: { level: 'warn' } })
  await app.listen({ port: 3000 })
  console.log('http://localhost:3000')
  console.log('Any name and any password will do at the provider: it is for trying, as it has just warned you.')
}
