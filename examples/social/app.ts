/**
 * Login with a provider, from a page that sends its tokens in headers. To try it without an account anywhere, it starts
 * its own provider (provider.ts), which accepts any name. Google and GitHub appear if their variables are set.
 *
 *   npm run start:social                                       in a clone
 *   npm install oidc-provider tsx && npx tsx app.ts            in a copy of this folder
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
  // Logins end at the page below, which fetches the tokens.
  urls: { socialLogin: '/' },
  social: {
    example: {
      issuer: 'http://localhost:3001',
      label: 'the example',
      clientId: 'example-app',
      clientSecret: 'a secret that provider.ts shares with us',
      // Only for this example: the provider verifies no address.
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

/** Allows scripts, styles and requests of this origin only, and no frames. */
const policy = "default-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

/** Builds the app without listening. `overrides` replace options: the tests use another database and provider. */
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
  console.log('The provider accepts any name and any password: it is for trying only.')
}
