/** Apps with providers: the first is named `company`, the second, if any, `other`. */
import type { FastifyInstance } from 'fastify'
import type { Database } from '../../src/db/database.js'
import { openDatabase } from '../../src/db/open.js'
import { startBadProvider } from './hostile-provider.js'
import { articleOptions, type Build, type BuiltApp, type Test } from './build.js'
import { temporaryFile } from './databases.js'
import { startOpenidProvider } from './openid-provider.js'
import { createBrowser } from './social-browser.js'
import { existingTable } from './users-table.js'

const redirectUri = 'http://localhost:3000/auth/company/callback'

export interface AppOptions {
  /** Options of the plugin, on top of the article's. */
  options?: object
  /** Options of the provider. */
  provider?: object
  /** Runs after the plugin is registered. */
  after?: (app: FastifyInstance) => unknown
}

/** An app with a real OpenID provider, which requires PKCE and whose e-mail addresses the app trusts. */
export async function withProvider (t: Test, build: Build, options: object = {}, provider: object = {}) {
  const openid = await startOpenidProvider(t, { redirectUris: [redirectUri] })
  const built = await build(t, {
    options: {
      ...articleOptions,
      ...options,
      social: {
        company: {
          issuer: openid.issuer,
          clientId: openid.clientId,
          clientSecret: openid.clientSecret,
          trustEmail: true,
          ...provider
        }
      }
    }
  })
  openid.clock = built.clock
  return { ...built, openid, browser: createBrowser(built) }
}

/** An app with two hostile providers, which send `iss` in every redirect (RFC 9207). */
export async function withBadProviders (
  t: Test, build: Build, { options = {}, provider = {}, after, ...rest }: AppOptions & { database?: unknown } = {}
) {
  const [bad, other] = await Promise.all([startBadProvider(t), startBadProvider(t)])
  const optionOf = ({ issuer, clientId }: typeof bad) => ({
    issuer,
    clientId,
    clientSecret: 'the-client-secret-of-the-app',
    trustEmail: true,
    ...provider
  })
  const built = await build(t, {
    options: { ...articleOptions, ...options, social: { company: optionOf(bad), other: optionOf(other) } },
    ...(after && { after }),
    ...rest
  })
  bad.clock = other.clock = built.clock
  /** The number of token requests to both providers. */
  const exchanges = () => bad.calls('token').length + other.calls('token').length
  return { ...built, bad, other, exchanges, browser: createBrowser(built) }
}

/** A database that the test can read beside the app: `given` is for the build, `open` opens a second connection. */
export function sharedDatabase (t: Test, dialect: 'sqlite' | 'postgres') {
  const file = dialect === 'sqlite' ? temporaryFile(t) : undefined
  return {
    given: file === undefined ? {} : { database: file },
    open: async ({ database }: Pick<BuiltApp, 'database'>): Promise<Database> => {
      const db = await openDatabase(file ?? database, [], () => {}, existingTable)
      t.teardown(() => db.close())
      return db
    }
  }
}
