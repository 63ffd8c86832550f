/**
 * The releases in test/fixtures/releases: for each a database of either kind, its users, and what it promised
 * (surface.json); for the newest also the package. scripts/release-fixtures.ts makes them, test/upgrades.test.ts reads
 * them.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type LightMyRequestResponse } from 'fastify'
import fp from 'fastify-plugin'
import { defineProvider } from '../../src/index.js'

export const releasesFolder = resolve(import.meta.dirname, '../fixtures/releases')
/** Of all apps on these databases: sessions and mailed links outlive an upgrade only while the secret stays. */
const secret = 'mWqv0LrN4cJ8sYtX2uKzH6bEfGd9PaVo'
export const password = 'Sup3r-secret-pw'
const dependencies = resolve(import.meta.dirname, '../../node_modules')

const numbersOf = (version: string) => version.split('.').map(Number)
function compareVersions (one: string, other: string): number {
  const [a, b] = [numbersOf(one), numbersOf(other)]
  return a.map((number, place) => number - (b[place] ?? 0)).find(difference => difference !== 0) ?? 0
}

/** Oldest first. */
export const releases: string[] = readdirSync(releasesFolder)
  .filter(name => /^\d+\.\d+\.\d+$/.test(name)).sort(compareVersions)
export const lastRelease = releases.at(-1) ?? ''

export const fileOf = (release: string, name: string): string => join(releasesFolder, release, name)
export const readJson = <T>(release: string, name: string): T => JSON.parse(readFileSync(fileOf(release, name), 'utf8'))

/** A user in a release's database, and what must be true after the upgrade. */
export interface ReleaseUser {
  /** Such as `verified` or `deactivated`. */
  kind: string
  /** The identifier and the password. */
  login?: Record<string, string>
  /** The code of the answer to `login`; without one, the login succeeds. */
  refusal?: string
  /** Members of the user in responses. */
  user?: Record<string, unknown>
  /** Of a session that is still open. */
  refresh?: string
  /** A refresh token that was exchanged before: its use ends the session of `successor`. */
  spent?: string
  successor?: string
  /** Of a mailed link that nobody has opened yet. */
  verificationKey?: string
  reset?: { uid: string, token: string }
  /** Posted as the access token of the provider `hub`. */
  providerToken?: string
}
export interface ReleaseUsers {
  /** The time at which the databases were left. */
  at: string
  sqlite: ReleaseUser[]
  postgres: ReleaseUser[]
}

/** A provider that nobody has to ask: an access token is the name of its user. */
const hub = defineProvider({
  label: 'Hub',
  issuer: 'https://hub.example',
  endpoints: { authorization: 'https://hub.example/authorize', token: 'https://hub.example/token' },
  scopes: ['profile'],
  profile: ({ accessToken = '' }) => ({
    subject: accessToken, email: `${accessToken}@example.com`, emailVerified: true
  }),
  isOurs: async () => true
})

/**
 * The options of all releases' apps. An option that a new major version renames must be given here by the version of
 * the app.
 */
export const releaseOptions = {
  secret,
  publicUrl: 'http://localhost:3000',
  docs: false,
  account: { username: 'optional', loginMethods: ['email', 'username'], emailVerification: 'mandatory' },
  userFields: {
    gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F'), Type.Literal('NS')]) },
    phone_number: { schema: Type.String({ maxLength: 30 }), userDetails: 'read-only' },
    newsletter: { schema: Type.Optional(Type.Boolean()) },
    address: { schema: Type.Optional(Type.Object({ city: Type.String({ maxLength: 50 }) })) },
    points: { schema: Type.Optional(Type.Integer()) },
    badge: { schema: Type.Optional(Type.String({ maxLength: 20 })), unique: true }
  },
  social: { hub: { provider: hub, clientId: 'app', clientSecret: 'secret', trustEmail: true, accessToken: true } }
} as const

/** Unpacks a package beside the dependencies of this checkout, so without a registry; returns its folder. */
export function unpackPackage (tarball: string, folder: string): string {
  const modules = join(folder, 'node_modules')
  const target = join(modules, 'fastify-rest-auth')
  mkdirSync(target, { recursive: true })
  for (const entry of readdirSync(dependencies)) {
    if (!existsSync(join(modules, entry))) symlinkSync(join(dependencies, entry), join(modules, entry))
  }
  execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
  return target
}

/** A compiled file of a package. */
export const importFrom = async <T>(folder: string, path: string): Promise<T> =>
  await import(pathToFileURL(join(folder, 'dist', path)).href) as T

interface ReleasedPlugin {
  createPlugin: (internals: { clock: () => Date }) => FastifyPluginAsync<Record<string, unknown>>
}
interface SentMail {
  text: string
  headers: Record<string, string>
}
export interface ReleaseApp {
  app: FastifyInstance
  /** The mails that were sent, the oldest first. */
  mails: () => Promise<Array<{ text: string }>>
  send: Send
}
export type Send = (
  method: 'GET' | 'POST' | 'PATCH', path: string, body?: object, access?: string
) => Promise<LightMyRequestResponse>

/** Starts an app on the unpacked package of a release. */
export async function startRelease (folder: string, options: object, clock: () => Date): Promise<ReleaseApp> {
  const { createPlugin } = await importFrom<ReleasedPlugin>(folder, 'src/plugin.js')
  const sent: SentMail[] = []
  const transport = async (mail: SentMail) => { sent.push(mail) }
  const app = Fastify({ pluginTimeout: 0 })
  await app.register(fp(createPlugin({ clock })), { ...releaseOptions, mail: { transport }, ...options })
  await app.ready()
  const send: Send = async (method, path, body, access) => await app.inject({
    method,
    url: `/auth${path}`,
    ...(body && { payload: body }),
    ...(access !== undefined && { headers: { authorization: `Bearer ${access}` } })
  })
  async function mails () {
    await app.restAuth.mail.flush()
    // Mails are sent side by side, so a later one may have arrived first; their IDs are in the order of time.
    return sent.sort((a, b) => (a.headers['Message-ID'] ?? '') < (b.headers['Message-ID'] ?? '') ? -1 : 1)
  }
  return { app, send, mails }
}
